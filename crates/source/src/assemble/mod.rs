//! Texts become a snapshot.
//!
//! [`parse`] is the way: it reads the texts, lays the overlay over them, and has an [`assembly`] read every table by itself, convert it
//! and join what it can. [`pins`] come from the environment, [`lint`] says what should be mended, [`fingerprint`] tells definitions and
//! revisions apart. [`fractions`] finds numbers that look like versions, and [`unmet`] conditions that nothing meets. [`options`] are what
//! goes in and what comes out.

mod assembly;
pub(crate) mod fingerprint;
mod fractions;
mod lint;
mod options;
mod parse;
mod pins;
mod unmet;

pub use fingerprint::revision_of as revision;
pub use options::{Loaded, ParseOptions};
pub use parse::parse;
pub use pins::{PREFIX as PIN_PREFIX, from_environment as pins};
