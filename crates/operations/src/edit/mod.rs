//! Changes of a flag in place, which keep comments and layout, and say who made them.
//!
//! - `editor.rs`: an edit's way: plan it, record who makes it, write the file.
//! - `creation.rs`, `removal.rs`: a new flag, and one that is taken out.
//! - `dry_run.rs`: what an edit would do, before anything is written.
//! - `planned.rs`: what an edit would make of the flag, before it is made.
//! - `environments.rs`: environments in which a flag may still be on although its file says off.
//! - `fact_log.rs`: the facts of one flag, to read them and to add to them.
//! - `answer.rs`, `undo.rs`: what is answered: what the flag is now, where that stands, and how to undo it.
//! - `everyone.rs`: a switch-on for everyone: where it can do nothing, and who is left out all the same.
//! - `recorded_change.rs`: what an edit of a flag undoes, and who made it, as facts.
//! - `whole.rs`: an edit of the whole document: an old revision is put back, or a file is pushed.
//! - `meaning.rs`: what a flag does for visitors now, in words.
//!
//! A switch-off must work when nothing else does. Where running programs cannot use the file, it is a fact in the ledger.

mod answer;
mod creation;
mod dry_run;
mod editor;
mod environments;
mod everyone;
mod fact_log;
mod meaning;
mod planned;
mod recorded_change;
mod removal;
mod undo;
mod whole;

pub use answer::{Edited, Way};
pub use dry_run::{DryRun, KeyChange};
pub use editor::{Confirmation, EditAnswer, Editor, WouldUndo};
pub(crate) use fact_log::FactLog;
pub use flagstaff_source::edit::Change;
pub use meaning::words as means;
pub(crate) use planned::Planned;
pub use removal::{Removal, Removed, remove};
pub use whole::FlagUndone;
pub(crate) use whole::WholeEdit;
