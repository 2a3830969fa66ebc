//! Which revisions of the flags there were, what else happened then, and the way back.
//!
//! - `timeline.rs`: [`history`]: revisions and facts, the newest first.
//! - `reference.rs`: a revision by the beginning of its name.
//! - `difference.rs`: [`diff`]: the lines and keys in which two revisions differ.
//! - `rollback.rs`: [`rollback`]: an old revision, or one flag of it, is put back.
//! - `as_of.rs`: [`flags_as_of`]: the flags and facts as they were.
//! - `answer.rs`: what is answered.

mod answer;
mod as_of;
mod difference;
mod reference;
mod rollback;
mod timeline;

pub use crate::edit::FlagUndone;
pub use answer::{
    Difference, DifferentFile, FactEntry, History, HistoryEntry, Hunk, Line, LineFate, RevisionEntry,
    RevisionReference, Source,
};
pub use as_of::{AsOf, Explained, FlagsAsOf, flags_as_of};
pub use difference::diff;
pub(crate) use difference::files as difference_of;
pub use flagstaff_source::compare::{KeyChange, PartChange, PartFate};
pub(crate) use reference::text_of;
pub use rollback::{Rollback, RollbackAnswer, RollbackPreview, RolledBack, preview, rollback};
pub use timeline::history;
