//! A flag document becomes a snapshot, and again when it changes.
//!
//! ```text
//! text → tree (values with places) → tables (what was typed) → flags (what is true) → Snapshot
//! ```
//!
//! Whatever is wrong on the way is noted and passed by, so that a [`Report`] holds every problem at once, each with its
//! line, a caret and what to write instead.

pub mod archive;
mod convert;
mod definition;
mod document;
pub mod edit;
mod folders;
mod intake;
mod kept;
mod lint;
mod load;
mod parse;
mod pins;
mod read;
mod render;
mod report;
mod salvage;
mod secrets;
mod sources;
mod ties;
mod tree;
mod watch;
mod wording;
mod work;

pub use document::schema;
pub use intake::{Health, Observer, Status};
pub use kept::StateFolder;
pub use load::{Files, load};
pub use parse::{LARGEST, Loaded, Options, Text, parse};
pub use pins::{PREFIX as PIN_PREFIX, truth};
pub use read::{Spans, read};
pub use report::{Located, Report, Severity};
pub use watch::{POLL, Watch};
pub use wording::mistake;
