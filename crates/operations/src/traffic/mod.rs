//! What a running program sees of its traffic, as answers: which flags were asked for, what was decided just now, what changed.
//!
//! - `asked.rs`: how often each flag was asked for.
//! - `not_counted.rs`: requests that were not counted.
//! - `tail.rs`: decisions as they are made.
//! - `changes.rs`: what changed of the flags.

mod asked;
mod changes;
mod not_counted;
mod tail;

pub use asked::{FlagTraffic, VariantTraffic};
pub use changes::{FlagChange, FlagsChange, Missed};
pub use not_counted::NotCountedRequests;
pub use tail::{TailLine, TailQuery, TailStart};
