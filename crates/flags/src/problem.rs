//! What is wrong with a set of flags.

use std::fmt;

use crate::Name;

/// The kind of a mistake, where it decides what else is reported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ProblemKind {
    /// Any mistake that stands alone.
    #[default]
    Other,
    /// The layer of a flag has no slice for it.
    NoSlice {
        /// The layer.
        layer: Name,
    },
    /// Two flags of one layer draw by different ids.
    UnitsDiffer,
}

/// One mistake, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The keys that lead to the place, from the top of the document: `["flags", "new_form", "layer"]`.
    pub at: Vec<String>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// What kind of mistake it is.
    pub kind: ProblemKind,
}

impl Problem {
    /// A problem at a place.
    pub fn new<'a>(at: impl IntoIterator<Item = &'a str>, message: impl Into<String>) -> Self {
        Self {
            at: at.into_iter().map(Into::into).collect(),
            message: message.into(),
            help: None,
            kind: ProblemKind::Other,
        }
    }

    /// The same problem with what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same problem, of this kind.
    #[must_use]
    pub fn kind(mut self, kind: ProblemKind) -> Self {
        self.kind = kind;
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at.join("."), self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, " ({help})"))
    }
}
