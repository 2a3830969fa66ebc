//! How a set of flags gets into the log of revisions: what it changes, who made it, and when it is written there.
//!
//! - `changes.rs`: what a revision changes of the one before, as the ledger keeps it.
//! - `accepted.rs`: a revision that a running program accepted.
//! - `git.rs`: who made the last commit of a flag file.
//! - `recording.rs`: an edit is recorded, with its author.

mod accepted;
mod changes;
mod git;
mod recording;

pub use accepted::accepted;
pub(crate) use changes::Recorded;
pub use git::{Commit, last_commit};
pub(crate) use recording::Recording;
