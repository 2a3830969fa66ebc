//! Reading one value of a flag from the text of a file.

use toml_edit::{Document, Table, Value};

use super::error::EditError;
use super::node::{Node, Walk};
use super::set::find_flag;

/// The value at a path of a flag, as TOML on one line; numbers as such.
pub(super) fn value(text: &str, flag: &str, path: &str) -> Result<Option<String>, EditError> {
    walked(text, flag, path, |walk| {
        walk.end.map(|end| match end {
            Node::Value(Value::Float(number)) => number.value().to_string(),
            Node::Value(Value::Integer(number)) => number.value().to_string(),
            other => other.on_one_line(),
        })
    })
}

/// What a key of a flag says.
pub(super) struct Said {
    /// The key; where it is not there, the first one on the way to it that is not.
    pub(super) key: String,
    /// Its value as TOML on one line; none where it is not there.
    pub(super) value: Option<String>,
}

/// What a key of a flag says in a text.
pub(super) fn said(text: &str, flag: &str, path: &str) -> Result<Said, EditError> {
    walked(text, flag, path, |walk| Said {
        // what is written for a key begins with the first one that is not there
        key: path.split('.').take(walk.known + 1).collect::<Vec<_>>().join("."),
        value: walk.end.map(Node::on_one_line),
    })
}

/// Whether a text has the value of a key: the key itself, or the list that it is in.
pub(super) fn decides(text: &str, flag: &str, path: &str) -> bool {
    walked(text, flag, path, |walk| walk.end.is_some() || walk.is_in_list).unwrap_or_default()
}

fn walked<T>(text: &str, flag: &str, path: &str, then: impl FnOnce(Walk<'_>) -> T) -> Result<T, EditError> {
    let document = Document::parse(text).map_err(|e| EditError::NotToml(e.message().into()))?;
    find_flag(document.as_table(), flag)?;
    Ok(then(walk(document.as_table(), flag, path)))
}

fn walk<'d>(document: &'d Table, flag: &str, path: &str) -> Walk<'d> {
    let found = ["flags", flag].into_iter().try_fold(Node::Table(document), Node::step);
    found.map_or(Walk { end: None, known: 0, is_in_list: false }, |flag| flag.walk(path.split('.')))
}
