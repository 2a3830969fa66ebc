//! Why an edit is not made.

use std::fmt;
use std::io;

use crate::archive::Unreadable;
use crate::findings::Report;
use crate::store::WriteError;

/// Why a file was not edited. It is as it was.
#[derive(Debug)]
pub enum Refused {
    /// The edit itself makes no sense.
    Edit(EditError),
    /// The file would be, or already is, no valid document.
    Invalid(Box<Report>),
    /// The files are no longer those the edit was made for.
    Changed,
    /// The archive cannot be read.
    Archive(Unreadable),
    /// The file cannot be found or written.
    Io(io::Error),
    /// The place of the flags cannot be asked, or refuses: why, in words.
    Unavailable(String),
    /// Nothing can be changed there: where to change it.
    ReadOnly(String),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edit(error) => error.fmt(f),
            Self::Invalid(report) => report.fmt(f),
            Self::Changed => f.write_str("the file was changed meanwhile; look at it again"),
            Self::Archive(error) => error.fmt(f),
            Self::Unavailable(why) | Self::ReadOnly(why) => f.write_str(why),
            Self::Io(error) => {
                write!(f, "the file cannot be edited: {error}")?;
                match error.kind() {
                    io::ErrorKind::ResourceBusy => {
                        f.write_str("; it seems to be mounted by itself: mount its folder instead")
                    }
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                        f.write_str("; make room on the disk")
                    }
                    _ => Ok(()),
                }
            }
        }
    }
}

impl std::error::Error for Refused {}

impl From<EditError> for Refused {
    fn from(error: EditError) -> Self {
        Self::Edit(error)
    }
}

impl From<Report> for Refused {
    fn from(report: Report) -> Self {
        Self::Invalid(Box::new(report))
    }
}

impl From<Unreadable> for Refused {
    fn from(error: Unreadable) -> Self {
        Self::Archive(error)
    }
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<WriteError> for Refused {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Changed => Self::Changed,
            WriteError::Io(error) => Self::Io(error),
            WriteError::Refused(why) => Self::Unavailable(why),
            WriteError::ReadOnly(why) => Self::ReadOnly(why),
        }
    }
}

/// Why an edit cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditError {
    /// The text is not TOML, and why.
    NotToml(String),
    /// There is no such flag; perhaps this one was meant.
    NoFlag {
        /// The name that nothing has.
        flag: String,
        /// A name like it.
        near: Option<String>,
    },
    /// The path leads to no value.
    NoValue {
        /// The path.
        path: String,
        /// Why it leads to none.
        why: &'static str,
    },
    /// Two keys of one edit stand for the same value, or one is within the other.
    Twice {
        /// A key.
        key: String,
        /// The same one again, or one within it.
        again: String,
    },
    /// The flag follows its rollout, which says how many have it.
    FollowsRollout(String),
    /// The text is not a valid value.
    NotAValue(String),
    /// The text is not a valid name, and why.
    NotAName {
        /// The text.
        name: String,
        /// Why it is not.
        why: String,
    },
    /// There is a flag of this name.
    Exists(String),
    /// A table for this flag cannot be added to the text.
    NoPlace(String),
    /// This flag cannot be copied.
    NoCopy(String),
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotToml(why) => write!(f, "the file is not TOML: {why}"),
            Self::NoFlag { flag, near: Some(near) } => {
                write!(f, "there is no flag `{flag}` in the file: did you mean `{near}`?")
            }
            Self::NoFlag { flag, near: None } => {
                write!(f, "there is no flag `{flag}` in the file: add a table [flags.{flag}]")
            }
            Self::NoValue { path, why } => write!(f, "`{path}` cannot be set: {why}"),
            Self::Twice { key, again } if key == again => write!(f, "`{key}` is set twice; name each key once"),
            Self::Twice { key, again } => {
                write!(f, "`{again}` is a part of `{key}`, so both cannot be set at once; set one of them")
            }
            Self::FollowsRollout(flag) => {
                write!(
                    f,
                    "`{flag}` follows its rollout, which says how many have it: `flagstaff on {flag}` switches it on at its step where it is off, and \
                     `flagstaff rollout {flag} advance` goes to its next step; or take `rollout` out of the file first"
                )
            }
            Self::NotAName { name, why } => write!(f, "`{name}` cannot be the name of a flag: {why}"),
            Self::Exists(flag) => {
                write!(
                    f,
                    "there is already a flag `{flag}`: choose another name, or edit it with `flagstaff set {flag}`"
                )
            }
            Self::NoPlace(flag) => write!(f, "`{flag}` cannot be added to this file; add it by hand"),
            Self::NoCopy(flag) => write!(f, "`{flag}` is written in a way that cannot be copied; copy it by hand"),
            Self::NotAValue(text) => {
                write!(
                    f,
                    "`{text}` is not a valid value: write a word, a number, true, false, or TOML such as [\"a\", \"b\"]"
                )
            }
        }
    }
}

impl std::error::Error for EditError {}
