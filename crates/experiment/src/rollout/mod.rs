//! When a rollout climbs, what people may ask of it, and where it stands.

mod command;
mod outlook;
mod undone;

pub use command::{Command, Refusal, apply};
pub use outlook::{
    MIN_VISITORS, Moment, Next, Outlook, SHARED_OUTAGE, State, Trouble, UPSTREAM_AWAY, outlook, sample_ratio_broken,
    told_once, waited,
};
pub use undone::undone;
