//! What stands in a document at the end of a path: tables, lists and values, and how each is written on one line.

use toml_edit::{ArrayOfTables, Item, Key, Table, Value};

/// What stands at the end of a path.
#[derive(Clone, Copy)]
pub(super) enum Node<'d> {
    Table(&'d Table),
    Tables(&'d ArrayOfTables),
    Value(&'d Value),
}

/// How far a path leads into a document.
pub(super) struct Walk<'d> {
    /// What its last key leads to; none where it ends before.
    pub(super) end: Option<Node<'d>>,
    /// How many of its keys are there.
    pub(super) known: usize,
    /// It leads into a list. An overlay replaces a list whole, so what is in it stands where the list stands.
    pub(super) is_in_list: bool,
}

impl<'d> Node<'d> {
    fn of(item: &'d Item) -> Option<Self> {
        match item {
            Item::None => None,
            Item::Value(value) => Some(Self::Value(value)),
            Item::Table(table) => Some(Self::Table(table)),
            Item::ArrayOfTables(tables) => Some(Self::Tables(tables)),
        }
    }

    /// What a key, or a place in a list, leads to.
    pub(super) fn step(self, key: &str) -> Option<Self> {
        match self {
            Self::Table(table) => table.get(key).and_then(Self::of),
            Self::Tables(tables) => tables.get(key.parse().ok()?).map(Self::Table),
            Self::Value(Value::InlineTable(table)) => table.get(key).map(Self::Value),
            Self::Value(Value::Array(list)) => list.get(key.parse().ok()?).map(Self::Value),
            Self::Value(_) => None,
        }
    }

    /// Goes down a path as far as it leads.
    pub(super) fn walk<'k>(self, path: impl IntoIterator<Item = &'k str>) -> Walk<'d> {
        let mut walk = Walk { end: Some(self), known: 0, is_in_list: false };
        for key in path {
            let Some(here) = walk.end else { break };
            walk.is_in_list |= here.is_list();
            walk.end = here.step(key);
            walk.known += usize::from(walk.end.is_some());
        }
        walk
    }

    const fn is_list(self) -> bool {
        matches!(self, Self::Tables(_) | Self::Value(Value::Array(_)))
    }

    /// It as TOML on one line, without comments: what a command can be given.
    pub(super) fn on_one_line(self) -> String {
        match self {
            Self::Table(table) => braces(table.iter().filter_map(|(key, item)| Some((key, Self::of(item)?)))),
            Self::Tables(tables) => brackets(tables.iter().map(Self::Table)),
            Self::Value(Value::InlineTable(table)) => {
                braces(table.iter().map(|(key, value)| (key, Self::Value(value))))
            }
            Self::Value(Value::Array(list)) => brackets(list.iter().map(Self::Value)),
            Self::Value(value) => {
                let written = value.to_string();
                let written = written.trim();
                match value.as_str() {
                    // three quotes may hold lines
                    Some(text) if written.contains(char::is_control) => basic_string(text),
                    _ => written.into(),
                }
            }
        }
    }
}

fn braces<'d>(entries: impl Iterator<Item = (&'d str, Node<'d>)>) -> String {
    let entries: Vec<_> =
        entries.map(|(key, node)| format!("{} = {}", Key::new(key).display_repr(), node.on_one_line())).collect();
    if entries.is_empty() { "{}".into() } else { format!("{{ {} }}", entries.join(", ")) }
}

fn brackets<'d>(nodes: impl Iterator<Item = Node<'d>>) -> String {
    format!("[{}]", nodes.map(Node::on_one_line).collect::<Vec<_>>().join(", "))
}

/// A text in quotes, with every character escaped that a line cannot have.
fn basic_string(text: &str) -> String {
    let escaped = |c: char| match c {
        '"' => "\\\"".into(),
        '\\' => "\\\\".into(),
        '\n' => "\\n".into(),
        '\t' => "\\t".into(),
        c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
        c => c.to_string(),
    };
    format!("\"{}\"", text.chars().map(escaped).collect::<String>())
}

#[cfg(test)]
mod tests {
    use toml_edit::Document;

    use super::*;

    #[test]
    fn a_line_says_the_same() {
        let long = "a = [ # one\n  { x = 1.50, \"y z\" = 'q' }, # two\n  [],\n]\nb = \"\"\"\nl\\\\1 \"x\"\n\tl2\"\"\"\nc = { }\n[d]\ne.f = 1979-05-27\n[[d.g]]\nh = '''\na'''\n[[d.g]]\n";
        let document = Document::parse(long).unwrap();
        let root = Node::Table(document.as_table());
        for key in ["a", "b", "c", "d"] {
            let line = root.step(key).unwrap().on_one_line();
            assert!(!line.contains(char::is_control), "{line}");
            let again = format!("{key} = {line}\n");
            let again: toml::Table = toml::from_str(&again).unwrap_or_else(|e| panic!("{again}: {e}"));
            let whole: toml::Table = toml::from_str(long).unwrap();
            assert_eq!(again[key], whole[key], "{line}");
        }
        assert_eq!(root.step("a").unwrap().on_one_line(), "[{ x = 1.5, \"y z\" = \"q\" }, []]");
    }

    #[test]
    fn a_path_ends_where_a_key_is_not_there() {
        let document = Document::parse("[[r]]\nx = 1\n[t]\ny = { z = [2] }\n").unwrap();
        let walk = |path: &str| {
            let walk = Node::Table(document.as_table()).walk(path.split('.'));
            (walk.end.is_some(), walk.known, walk.is_in_list)
        };
        assert_eq!(walk("r.0.x"), (true, 3, true));
        assert_eq!(walk("r.0.y"), (false, 2, true));
        assert_eq!(walk("r.7.y"), (false, 1, true));
        assert_eq!(walk("t.y.z"), (true, 3, false));
        assert_eq!(walk("t.y.z.0"), (true, 4, true));
        assert_eq!(walk("t.q.z"), (false, 1, false));
    }
}
