//! One problem, before its place is known in lines.

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The document cannot be used.
    Error,
    /// It can be used, and should be mended.
    Warning,
}

/// What kind of mistake a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FindingKind {
    /// A value that cannot be used, or should be mended.
    Value,
    /// A text that is not TOML here, and is read on right behind it.
    Syntax,
    /// A text that is not TOML here, so that what follows may have been swallowed.
    Torn,
}

/// A problem before its place is known in lines.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) severity: Severity,
    pub(crate) flag: Option<String>,
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    pub(crate) kind: FindingKind,
}

impl Finding {
    pub(crate) fn error(span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            flag: None,
            span,
            message: message.into(),
            help: None,
            kind: FindingKind::Value,
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    pub(crate) fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Whether the text is not TOML here.
    pub(crate) const fn is_syntax(&self) -> bool {
        matches!(self.kind, FindingKind::Syntax | FindingKind::Torn)
    }

    pub(crate) fn of(mut self, flag: Option<&str>) -> Self {
        self.flag = flag.map(Into::into);
        self
    }
}
