//! What is wrong with a set of flags.

use std::fmt;

/// One mistake, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The keys that lead to the place, from the top of the document: `["flags", "new_form", "layer"]`.
    pub at: Vec<String>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Problem {
    /// A problem at a place.
    pub fn new<'a>(at: impl IntoIterator<Item = &'a str>, message: impl Into<String>) -> Self {
        Self { at: at.into_iter().map(Into::into).collect(), message: message.into(), help: None }
    }

    /// The same problem with its mend.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at.join("."), self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, " ({help})"))
    }
}
