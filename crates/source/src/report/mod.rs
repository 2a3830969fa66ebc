//! What is wrong with a document, where, and how it is shown.

mod render;
#[allow(clippy::module_inception, reason = "the report itself")]
mod report;
mod secrets;
pub(crate) mod sources;

pub(crate) use report::Finding;
pub use report::{Located, Report, Severity};
