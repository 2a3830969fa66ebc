//! Why an export cannot be read at all.

use thiserror::Error;

/// Why an export cannot be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ImportError {
    /// The export has more bytes than are read.
    #[error("the export has more than {0} MiB; export fewer flags at once")]
    TooLarge(usize),
    /// The export has more values than are read.
    #[error("the export has more than {0} values; export fewer flags at once")]
    TooMany(usize),
    /// The export is not text.
    #[error("the export is not UTF-8 text")]
    NotText,
    /// The text is neither JSON nor YAML.
    #[error("the export cannot be read: {0}")]
    Syntax(String),
    /// The document is something else.
    #[error("this is not {what}: {why}")]
    Shape {
        /// What was expected.
        what: &'static str,
        /// What is missing or wrong, and what to do.
        why: String,
    },
}

impl ImportError {
    /// A document that is not what it should be.
    #[must_use]
    pub fn shape(what: &'static str, why: impl Into<String>) -> Self {
        Self::Shape { what, why: why.into() }
    }
}
