#![doc = include_str!("../README.md")]
//!
//! ## The way of a text
//!
//! ```text
//! text → tree (values with places) → tables (what was typed) → flags (what is true) → Snapshot
//! ```
//!
//! Whatever is wrong on the way is noted and passed by, so that a [`Report`] holds every problem at once, each with its
//! line, a caret and what to write instead.
//!
//! Rooms, each using only those after it: [`edit`] (changes of files), `store` (where documents are), [`archive`] (flags that were
//! ended), [`compare`] (what one set of flags changes of another), `assemble` (texts to a snapshot), `convert` (tables to flags), `document` (what is typed), `decode` (text to typed
//! values), `findings` (what is wrong, and where).

pub mod archive;
mod assemble;
pub mod compare;
mod convert;
mod decode;
mod document;
pub mod edit;
mod findings;
mod store;

pub use assemble::{Loaded, PIN_PREFIX, ParseOptions, parse, pins, revision};
pub use decode::{LARGEST, Spans, Text, read, truth};
pub use document::schema;
pub use findings::{Located, Report, Severity};
pub use store::{
    FactChannel, FlagSource, OpenFactChannel, POLL, ReloadHealth, ReloadObserver, ReloadStatus, Reloader,
    StateFolder, load,
};
