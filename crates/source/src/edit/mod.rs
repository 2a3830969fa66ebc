//! Edits that keep comments and layout: only the bytes of the value change.

mod chunk;
mod cut;
mod end;
mod end_checks;
mod file;
mod location;
mod plan;
mod settle;

use std::fmt;

use flagstaff_flags::nearest;
use toml_edit::{Document, Item, Table, TableLike, Value};

pub use end::{Ending, Settled, end};
pub use file::Refused;
use location::Place;
pub use plan::{Plan, Ready, Undo};
pub use settle::Variants;

/// Sets keys of a flag in a text. A key is a path with dots, such as `percent`, `guard.errors` or `rollout.steps.0.hold`; a
/// value is TOML, and a bare word is a text.
///
/// The result is TOML, but may still be no valid document: parse it before it is used.
///
/// # Errors
/// When the text is not TOML, there is no such flag, the path leads to no value, or the value is none.
pub fn set(text: &str, flag: &str, changes: &[(&str, &str)]) -> Result<String, EditError> {
    let mut text = text.to_owned();
    if changes.is_empty() {
        let document = Document::parse(text.as_str()).map_err(|e| EditError::NotToml(e.message().into()))?;
        find_flag(document.as_table(), flag)?;
    }
    for (path, value) in changes {
        let splice = {
            let document = Document::parse(text.as_str()).map_err(|e| EditError::NotToml(e.message().into()))?;
            find_flag(document.as_table(), flag)?;
            let refuse = |why| EditError::NoValue { path: (*path).into(), why };
            let place = Place::find(&text, document.as_table(), flag, path).map_err(refuse)?;
            place.splice(&value_of(value)?)
        };
        let (range, with) = splice;
        text.replace_range(range, &with);
    }
    Ok(text)
}

/// A change of a flag.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// Keys and their values.
    Set(&'a [(&'a str, &'a str)]),
    /// Off for everybody, at once.
    Off,
    /// On again, for those for whom it was on.
    On,
    /// On for everybody it may be on for.
    OnForEveryone,
}

impl<'a> Change<'a> {
    /// The keys it sets, given which of them the flag has.
    fn keys(&self, has: impl Fn(&str) -> bool) -> Vec<(&'a str, &'a str)> {
        let enabled = has("enabled").then_some(("enabled", "true"));
        match self {
            Self::Set(keys) => keys.to_vec(),
            Self::Off => vec![("enabled", "false")],
            Self::On => enabled.into_iter().collect(),
            Self::OnForEveryone => {
                let limited = has("percent") || has("allow") || has("rules");
                enabled.into_iter().chain(limited.then_some(("percent", "100"))).collect()
            }
        }
    }

    /// Whether it switches a flag off or on, and no more: that is possible in a file in which something else is wrong.
    const fn is_switch(&self) -> bool {
        matches!(self, Self::Off | Self::On)
    }

    /// A text with these keys set. A switch edits the table of its flag alone where the rest is not TOML.
    fn apply(&self, text: &str, flag: &str, keys: &[(&str, &str)]) -> Result<String, EditError> {
        match set(text, flag, keys) {
            Err(EditError::NotToml(why)) if self.is_switch() => {
                let range = chunk::find(text, flag).ok_or(EditError::NotToml(why))?;
                let edited = set(text.get(range.clone()).unwrap_or_default(), flag, keys)?;
                let mut text = text.to_owned();
                text.replace_range(range, &edited);
                Ok(text)
            }
            other => other,
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
    /// The text is no value.
    NotAValue(String),
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
            Self::NotAValue(text) => {
                write!(f, "`{text}` is no value: write a word, a number, true, false, or TOML such as [\"a\", \"b\"]")
            }
        }
    }
}

impl std::error::Error for EditError {}

/// A value as it is written to the file.
fn value_of(text: &str) -> Result<String, EditError> {
    let text = text.trim();
    let refuse = || EditError::NotAValue(text.into());
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(refuse());
    }
    if text.parse::<Value>().is_ok() {
        return Ok(text.into());
    }
    // What looks like TOML and is none is a slip, not a word.
    if text.starts_with(['"', '\'', '[', '{']) {
        return Err(refuse());
    }
    Ok(Value::from(text).to_string())
}

fn find_flag<'d>(document: &'d Table, flag: &str) -> Result<&'d dyn TableLike, EditError> {
    let flags = document.get("flags").and_then(Item::as_table_like);
    let found = flags.and_then(|flags| flags.get(flag)?.as_table_like());
    found.ok_or_else(|| {
        let names = flags.into_iter().flat_map(|flags| flags.iter().map(|(name, _)| name));
        EditError::NoFlag { flag: flag.into(), near: nearest(flag, names).map(Into::into) }
    })
}
