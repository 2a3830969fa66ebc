//! What is read from a request: the visitor, what conditions look at, what is remembered, who is counted.

pub(crate) mod attributes;
pub(crate) mod body_progress;
pub(crate) mod bots;
pub(crate) mod counting;
pub(crate) mod flags;
pub(crate) mod identify;
pub(crate) mod issuance;
pub(crate) mod kept_draws;
pub(crate) mod language;
pub(crate) mod overrides;
pub(crate) mod prefetch;
pub(crate) mod sticky;

pub use body_progress::BodyProgress;
pub use bots::is_bot;
pub use counting::{LeftOut, NotCounted};
pub use flags::Flags;
pub use overrides::MOST as MOST_OVERRIDES;
