#![doc = include_str!("../README.md")]
//!
//! What happened in one arm is a [`Proportion`], [`Moments`] or [`Pairs`]. Each becomes a [`Level`], several steps of a
//! ramp become one by [`strata::standardise`], and two levels become an [`Estimate`] of their difference or lift. An
//! estimate is tested at the planned end (its own methods) or at any time ([`sequential::Sequence`]).
//!
//! Differences are treatment − control. alpha is two-sided unless it says otherwise. What cannot be computed comes back
//! as an [`Error`] that names the reason; nothing panics on data.

pub mod cuped;
mod error;
pub mod guard;
mod level;
pub mod lift;
pub mod multiple;
pub mod power;
pub mod proportion;
pub mod quantile;
pub mod ratio;
mod root;
pub mod sequential;
pub mod srm;
pub mod strata;
mod tally;

pub use error::{Error, Result};
pub use level::{Estimate, Interval, Level};
pub use tally::{Moments, Pairs, Proportion};
