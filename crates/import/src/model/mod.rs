//! A flag between the old system and the flag file.
//!
//! [`Imported`] is what a vendor's reader makes and the writer takes. Names in it are those of the old system; the writer makes
//! them names of the flag file.

mod condition;
mod flag;
mod hash;
mod imported;
pub(crate) mod names;
mod note;
mod share;

pub use condition::{Condition, Matcher};
pub use flag::{Audience, Flag, Outcome, Requirement, Rule, Variant};
pub use hash::{Hash, HashValue};
pub use imported::{Imported, Layer, Segment};
pub use note::Note;
pub use share::{Share, weights};
