//! Where a rollout stands, and commands to it.
//!
//! - `flag_record.rs`: a flag as its file says, with what the ledger holds of it.
//! - `status.rs`: where a rollout stands, from a flag's record.
//! - `command.rs`: commands to a rollout, each a fact in the ledger.
//! - `course.rs`: how the evidence of a guard moved.
//! - `answer.rs`: what is answered: the status, its steps and its history.

mod answer;
mod command;
mod course;
mod flag_record;
mod status;

pub use answer::{HistoryEntry, PlannedStep, RolloutStatus};
pub use command::{Applied, apply, status};
pub use course::{CoursePoint, GuardCourse};
pub use flagstaff_experiment::rollout::{Command, RolloutState};
