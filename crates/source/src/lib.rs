//! A flag document becomes a snapshot, and again when it changes.
//!
//! ```text
//! text → tree (values with places) → tables (what was typed) → flags (what is true) → Snapshot
//! ```
//!
//! Whatever is wrong on the way is noted and passed by, so that a [`Report`] holds every problem at once, each with its
//! line, a caret and what to write instead.

pub mod archive;
mod assemble;
mod convert;
mod decode;
mod document;
pub mod edit;
mod report;
mod store;

pub use assemble::{LARGEST, Loaded, Options, PIN_PREFIX, Text, parse, truth};
pub use decode::{Spans, mistake, read};
pub use document::schema;
pub use report::{Located, Report, Severity};
pub use store::{Files, Health, Observer, POLL, StateFolder, Status, Watch, load};
