//! What is written of flags: a flag and its parts, goals, layers that exclude, the holdout.

mod bucket_by;
mod exclusion;
mod exposure;
mod flag;
mod goal;
mod guard;
mod holdout;
mod mode;
mod rollout;
mod rule;
mod variants;

pub use bucket_by::{BucketBy, Sticky};
pub use exclusion::{FlagLayer, Slice};
pub use exposure::{Arm, Trial};
pub use flag::Flag;
pub use goal::{
    EventFrom, EventGoal, EventValue, Goal, LARGEST_VALUE, StatusSet, StatusSetError, Teller, Trigger, is_value,
};
pub use guard::{Guard, GuardError, OnTrip, SlowerThan};
pub use holdout::Holdout;
pub use mode::State;
pub use rollout::{Hold, Rollout, RolloutError, RolloutStep};
pub use rule::{Definition, Gate, GateAnswer, Origin, Pin, Requirement, Rule, Serve};
pub use variants::{VariantId, Variants, VariantsError};
