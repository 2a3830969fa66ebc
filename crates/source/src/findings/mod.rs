//! What is wrong with a document, where, and how it is shown.
//!
//! A [`finding`] knows the bytes it is about; a [`report`] has all of them by line and column, in [`sources`], and [`render`] draws
//! them. [`secrets`] keeps passwords out of both.

mod finding;
mod render;
mod report;
mod secrets;
mod sources;

pub use finding::Severity;
pub(crate) use finding::{Finding, FindingKind};
pub use report::{Located, Report};
pub(crate) use sources::Sources;
