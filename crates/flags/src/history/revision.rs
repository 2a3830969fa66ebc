//! A set of flags that was accepted: its texts, and who made it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The texts that flags were read from. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagTexts {
    /// The text of the flag file.
    pub definitions: Arc<str>,
    /// The text of the environment's overlay, where there was one.
    pub overlay: Option<Arc<str>>,
}

/// How a revision of the flags came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RevisionSource {
    /// The flag file was read as somebody had written it.
    File,
    /// Only the overlay of the environment was another one.
    Overlay,
    /// A command edited the files.
    Command,
    /// Somebody edited the files on a page.
    Page,
    /// Somebody edited the files over the API.
    Api,
    /// The files could not be used at a start, so the last good texts were taken.
    LastGood,
}

impl RevisionSource {
    /// All there are.
    pub const ALL: [Self; 6] = [Self::File, Self::Overlay, Self::Command, Self::Page, Self::Api, Self::LastGood];

    /// As it is recorded and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Overlay => "overlay",
            Self::Command => "command",
            Self::Page => "page",
            Self::Api => "api",
            Self::LastGood => "last_good",
        }
    }

    /// How an edit came, as the end of a sentence such as `edited …`.
    #[must_use]
    pub const fn how(self) -> &'static str {
        match self {
            Self::File | Self::Overlay => "by hand",
            Self::Command => "by command",
            Self::Page => "on a page",
            Self::Api => "over the API",
            Self::LastGood => "back to the last good files",
        }
    }

    /// Whether this program made the edit, so that its author is known.
    #[must_use]
    pub const fn is_edit(self) -> bool {
        matches!(self, Self::Command | Self::Page | Self::Api)
    }
}

impl fmt::Display for RevisionSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no source of a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevisionSourceError;

impl fmt::Display for RevisionSourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such source of a revision")
    }
}

impl std::error::Error for RevisionSourceError {}

impl FromStr for RevisionSource {
    type Err = RevisionSourceError;

    fn from_str(text: &str) -> Result<Self, RevisionSourceError> {
        Self::ALL.into_iter().find(|source| source.as_str() == text).ok_or(RevisionSourceError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_is_read_as_it_is_written() {
        for source in RevisionSource::ALL {
            assert_eq!(source.as_str().parse(), Ok(source));
        }
        assert_eq!("fax".parse::<RevisionSource>(), Err(RevisionSourceError));
    }
}
