//! Flags as they are defined, part by part.
//!
//! [`flag`] holds a flag as a whole. Its parts: [`variants`], [`bucket_by`], [`rule`], [`rollout`], [`guard`], [`gate`], [`origin`].
//! What it implies: [`mode`] (what it does, in one word), [`arms`] (which positions of the draw each variant has), [`experiment`].
//! What flags share: [`goal`] with [`status_set`], layers that exclude ([`exclusion`]), the [`holdout`].

mod arms;
mod bucket_by;
mod exclusion;
mod experiment;
mod flag;
mod gate;
mod goal;
mod guard;
mod holdout;
mod mode;
mod origin;
mod rollout;
mod rule;
mod status_set;
mod variants;

pub use bucket_by::{BucketBy, Sticky};
pub use exclusion::{ExclusionLayer, Slice};
pub use flag::Flag;
pub use gate::{Gate, GateAnswer};
pub use goal::{EventFrom, EventGoal, EventSource, EventValue, Goal, LARGEST_VALUE, Trigger, is_value};
pub use guard::{Guard, GuardError, OnTrip, SlowerThan};
pub use holdout::Holdout;
pub use mode::FlagMode;
pub use origin::{Origin, Pin};
pub use rollout::{Hold, Rollout, RolloutError, RolloutStep};
pub use rule::{Otherwise, Requirement, Rule, Serve};
pub use status_set::{StatusSet, StatusSetError};
pub use variants::{Variants, VariantsError};
