//! When a rollout advances, what people may ask of it, and where it stands.

mod command;
mod next_step;
mod undone;

pub use command::{Command, Refusal, apply};
pub use next_step::{
    MIN_VISITORS, Next, NextStep, RolloutInputs, RolloutState, SHARED_OUTAGE, Trouble, UPSTREAM_AWAY, next_step,
    sample_ratio_broken, told_once, waited,
};
pub use undone::undone;
