//! The bytes of a document in which a value stands, or would stand.

use std::ops::Range;

use toml_edit::{Item, Key, Table, Value};

use super::node::Node;

/// Where a value goes.
pub(super) enum Location<'d> {
    /// In place of what is there.
    Instead(Range<usize>),
    /// Into a table that has a header, or into one without that has entries, on a line of its own.
    Line { text: &'d str, table: &'d Table, prefix: Vec<String>, key: Vec<String> },
    /// Between the braces of a table.
    Inside { text: &'d str, braces: Range<usize>, last: Option<usize>, key: Vec<String> },
    /// Before the first header below a table that has none of its own.
    Header { at: usize, newline: &'static str, header: Vec<String>, key: Vec<String> },
}

impl<'d> Location<'d> {
    /// The place a path leads to from a flag.
    ///
    /// # Errors
    /// With the reason when it leads nowhere.
    pub(super) fn find(text: &'d str, document: &'d Table, flag: &str, path: &str) -> Result<Self, &'static str> {
        let key: Vec<String> = path.split('.').map(Into::into).collect();
        if key.iter().any(|key| key.is_empty() || key.contains(['"', '\''])) {
            return Err("a path is keys with dots between them, without quotes");
        }
        let mut way = Way::new(document);
        for step in ["flags", flag] {
            way.step(step);
        }
        for (i, step) in key.iter().enumerate() {
            if !way.step(step) {
                let rest = key.get(i..).unwrap_or_default().to_vec();
                return way.insert(text, rest).ok_or("there is no such place in the list or value");
            }
        }
        match way.here {
            Node::Value(value) => value.span().map(Location::Instead).ok_or("it has no place of its own"),
            _ => Err("it is a table; set the keys in it"),
        }
    }

    /// The bytes to replace, and by what.
    pub(super) fn splice(self, value: &str) -> (Range<usize>, String) {
        match self {
            Location::Instead(range) => (range, value.into()),
            Location::Line { text, table, prefix, key } => {
                let entry = entry(prefix.iter().chain(key.first()), key.get(1..), value);
                on_a_line(text, table, &entry)
            }
            Location::Inside { text, braces, last, key } => {
                let entry = entry(key.first(), key.get(1..), value);
                match last {
                    Some(last) => (last..last, format!(", {entry}")),
                    None => {
                        let space = text.get(braces.start + 1..braces.end - 1).unwrap_or_default().len();
                        (braces.start + 1..braces.start + 1 + space, format!(" {entry} "))
                    }
                }
            }
            Location::Header { at, newline, header, key } => {
                let entry = entry(key.first(), key.get(1..), value);
                (at..at, format!("[{}]{newline}{entry}{newline}{newline}", keys(header.iter())))
            }
        }
    }
}

/// A line behind the last value of a table, or behind its header, that looks like the line before it.
fn on_a_line(text: &str, table: &Table, entry: &str) -> (Range<usize>, String) {
    let values = table.get_values();
    let last = values.iter().filter_map(|(_, value)| value.span()).map(|span| span.end).max();
    let anchor = last.or(table.span().map(|span| span.end)).unwrap_or(text.len());
    let end = text.get(anchor..).and_then(|rest| rest.find('\n')).map(|at| anchor + at);
    let indent = last.map_or("", |last| indent_at(text, last));
    match end {
        Some(end) => (end + 1..end + 1, format!("{indent}{entry}{}", newline_at(text, end))),
        None => (text.len()..text.len(), format!("\n{indent}{entry}\n")),
    }
}

/// A key and its value, which lies in tables for the keys that are left.
fn entry<'k>(key: impl IntoIterator<Item = &'k String>, rest: Option<&[String]>, value: &str) -> String {
    format!("{} = {}", keys(key), nested(rest, value))
}

/// A walk down the keys of a document.
struct Way<'d> {
    here: Node<'d>,
    whole: Vec<String>,
    /// The keys since the last table with a header of its own.
    since: Vec<String>,
}

impl<'d> Way<'d> {
    const fn new(document: &'d Table) -> Self {
        Self { here: Node::Table(document), whole: Vec::new(), since: Vec::new() }
    }

    /// One key down; false when there is none.
    fn step(&mut self, key: &str) -> bool {
        let Some(next) = self.here.step(key) else {
            return false;
        };
        self.here = next;
        self.whole.push(key.into());
        self.since.push(key.into());
        if let Node::Table(table) = next
            && !table.is_dotted()
            && !table.is_implicit()
        {
            self.since.clear();
        }
        true
    }

    /// Where a key that is not there goes.
    fn insert(self, text: &'d str, key: Vec<String>) -> Option<Location<'d>> {
        match self.here {
            Node::Table(table) if table.is_implicit() && table.get_values().is_empty() => {
                let at = first_header(table)?;
                let at = text.get(..at)?.rfind('\n').map_or(0, |at| at + 1);
                let newline = newline_at(text, text.get(at..)?.find('\n').map_or(text.len(), |end| at + end));
                Some(Location::Header { at, newline, header: self.whole, key })
            }
            Node::Table(table) => Some(Location::Line { text, table, prefix: self.since, key }),
            Node::Value(Value::InlineTable(table)) => {
                let last = table.get_values().iter().filter_map(|(_, v)| v.span()).map(|span| span.end).max();
                Some(Location::Inside { text, braces: table.span()?, last, key })
            }
            _ => None,
        }
    }
}

/// Where the first table below one begins.
fn first_header(table: &Table) -> Option<usize> {
    let below = table.iter().filter_map(|(_, item)| match item {
        Item::Table(table) if table.is_implicit() => first_header(table),
        Item::Table(table) => table.span().map(|span| span.start),
        Item::ArrayOfTables(list) => list.span().map(|span| span.start),
        _ => None,
    });
    below.min()
}

/// Keys as TOML writes them.
fn keys<'k>(keys: impl IntoIterator<Item = &'k String>) -> String {
    let written: Vec<String> =
        keys.into_iter().map(|key| Key::new(key.as_str()).display_repr().into_owned()).collect();
    written.join(".")
}

/// A value in tables for the keys that remain.
fn nested(key: Option<&[String]>, value: &str) -> String {
    let mut written = value.to_owned();
    for key in key.unwrap_or_default().iter().rev() {
        written = format!("{{ {} = {written} }}", keys([key]));
    }
    written
}

/// The space before the line a place is on.
fn indent_at(text: &str, at: usize) -> &str {
    let line = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let line = text.get(line..).unwrap_or_default();
    let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
    line.get(..indent).unwrap_or_default()
}

/// How the line ends whose last byte is at a place.
fn newline_at(text: &str, end: usize) -> &'static str {
    if text.get(..end).is_some_and(|before| before.ends_with('\r')) { "\r\n" } else { "\n" }
}
