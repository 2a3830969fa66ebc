//! Sets keys of a flag, and leaves every other byte as it is.

use flagstaff_flags::nearest;
use toml_edit::{Document, Item, Table, TableLike, Value};

use super::error::EditError;
use super::location::Location;

/// Sets keys of a flag in a text. A key is a path with dots, such as `percent`, `guard.errors` or `rollout.steps.0.hold`; a
/// value is TOML, and a bare word is a text.
///
/// The result is TOML, but may still be no valid document: parse it before it is used.
///
/// # Errors
/// When the text is not TOML, there is no such flag, the path leads to no value, or the value is not valid.
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
            let location = Location::find(&text, document.as_table(), flag, path).map_err(refuse)?;
            location.splice(&value_of(path, value)?)
        };
        let (range, with) = splice;
        text.replace_range(range, &with);
    }
    Ok(text)
}

/// Keys that take a text whatever it looks like: `ticket=4711` is no number.
const TEXTS: [&str; 4] = ["description", "owner", "salt", "ticket"];

/// A value of a key as it is written to the file.
fn value_of(path: &str, text: &str) -> Result<String, EditError> {
    let text = text.trim();
    let refuse = || EditError::NotAValue(text.into());
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(refuse());
    }
    let parsed = text.parse::<Value>();
    if TEXTS.contains(&path) && !text.starts_with(['"', '\'']) {
        return Ok(Value::from(text).to_string());
    }
    if parsed.is_ok() {
        return Ok(text.into());
    }
    // What looks like TOML and is not valid is a mistake, not a word.
    if text.starts_with(['"', '\'', '[', '{']) {
        return Err(refuse());
    }
    Ok(Value::from(text).to_string())
}

pub(super) fn find_flag<'d>(document: &'d Table, flag: &str) -> Result<&'d dyn TableLike, EditError> {
    let flags = document.get("flags").and_then(Item::as_table_like);
    let found = flags.and_then(|flags| flags.get(flag)?.as_table_like());
    found.ok_or_else(|| {
        let names = flags.into_iter().flat_map(|flags| flags.iter().map(|(name, _)| name));
        EditError::NoFlag { flag: flag.into(), near: nearest(flag, names).map(Into::into) }
    })
}
