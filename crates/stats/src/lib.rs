//! Pure mathematics of experiments and guards: numbers in, numbers out. No clock, no files, no network.
//!
//! What happened in one arm is a [`Proportion`], [`Moments`] or [`Pairs`]. Each becomes a [`Level`], several steps of a
//! ramp become one by [`strata::standardise`], and two levels become an [`Estimate`] of their difference or lift. An
//! estimate is tested at the planned end (its own methods) or at any time ([`sequential::Sequence`]).
//!
//! ```
//! use flagstaff_stats::{Estimate, Proportion, proportion, sequential::Sequence};
//!
//! let control = Proportion::new(10_000, 500)?;
//! let treatment = Proportion::new(10_000, 615)?;
//! let planned_end = proportion::newcombe(&treatment, &control, 0.05)?;
//! assert!(planned_end.low > 0.005 && planned_end.high < 0.018);
//!
//! let difference = Estimate::difference(&treatment.level(), &control.level())?;
//! let any_time = Sequence::new(0.05, 20_000.0)?.interval(&difference);
//! assert!(any_time.low > 0.0 && any_time.width() > planned_end.width());
//! # Ok::<(), flagstaff_stats::Error>(())
//! ```
//!
//! Differences are treatment − control. alpha is two-sided unless it says otherwise. What cannot be computed comes back
//! as an [`Error`] that names the reason; nothing panics on data.

pub mod beta_binomial;
pub mod cuped;
mod error;
pub mod guard;
pub mod latency;
mod level;
pub mod lift;
pub mod mean;
pub mod mixture;
pub mod multiple;
pub mod power;
pub mod power_t;
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
