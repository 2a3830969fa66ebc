//! The programs that run with the same ledger.
//!
//! - `answer.rs`: what is answered.
//! - `roster.rs`: [`fleet`]: who runs, and whose flags lag.
//! - `strangers.rs`: [`strangers`]: programs that take the same visitor for another; those with other flags.

mod answer;
mod roster;
mod strangers;

pub use answer::{Fleet, FleetProgram, ProgramState};
pub use roster::fleet;
pub use strangers::{MISSED_BEATS, has_other_flags, strangers};
