//! YAML, from events, so that depth, aliases and the number of values stay bounded.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::Number;

use super::json::Entries;
use super::{MOST_VALUES, Node};
use crate::error::ImportError;

/// Deeper documents are refused.
const DEEPEST: usize = 100;

/// Reads the first document of a text.
pub(super) fn read(text: &str) -> Result<Node, ImportError> {
    let mut building = Building::default();
    for event in Parser::new_from_str(text) {
        let (event, _) = event.map_err(|e| ImportError::Syntax(e.to_string()))?;
        if building.take(event)? {
            break;
        }
    }
    Ok(building.done.unwrap_or(Node::Null))
}

/// A list or table that is not closed yet.
enum Open {
    List(Vec<Node>),
    Table(Entries, Option<String>),
}

/// A value that has an anchor, and how many values it holds.
type Anchored = (Node, usize);

#[derive(Default)]
struct Building {
    open: Vec<(Open, usize)>,
    anchors: HashMap<usize, Anchored>,
    values: usize,
    done: Option<Node>,
}

impl Building {
    /// Takes an event; true once the document is over.
    fn take(&mut self, event: Event<'_>) -> Result<bool, ImportError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_plain = style == ScalarStyle::Plain && tag.is_none();
                let node = if is_plain { plain(&text) } else { Node::Text(text.into_owned()) };
                self.count(1)?;
                self.put(node, anchor)?;
            }
            Event::SequenceStart(anchor, _) => self.start(Open::List(Vec::new()), anchor)?,
            Event::MappingStart(anchor, _) => self.start(Open::Table(Entries::default(), None), anchor)?,
            Event::SequenceEnd | Event::MappingEnd => self.end()?,
            Event::Alias(anchor) => self.alias(anchor)?,
            Event::DocumentEnd => return Ok(true),
            _ => {}
        }
        Ok(false)
    }

    fn count(&mut self, values: usize) -> Result<(), ImportError> {
        self.values = self.values.saturating_add(values);
        if self.values > MOST_VALUES { Err(ImportError::TooMany(MOST_VALUES)) } else { Ok(()) }
    }

    fn start(&mut self, open: Open, anchor: usize) -> Result<(), ImportError> {
        if self.open.len() >= DEEPEST {
            return Err(ImportError::Syntax(format!("lists and tables are more than {DEEPEST} deep")));
        }
        self.count(1)?;
        self.open.push((open, anchor));
        Ok(())
    }

    fn end(&mut self) -> Result<(), ImportError> {
        let Some((open, anchor)) = self.open.pop() else { return Ok(()) };
        let node = match open {
            Open::List(items) => Node::List(items),
            Open::Table(entries, _) => entries.node(),
        };
        self.put(node, anchor)
    }

    /// Repeats the value of an anchor; every value it holds counts once more.
    fn alias(&mut self, anchor: usize) -> Result<(), ImportError> {
        let Some((node, size)) = self.anchors.get(&anchor) else {
            return Err(ImportError::Syntax("an alias names no anchor before it".into()));
        };
        let (node, size) = (node.clone(), *size);
        self.count(size)?;
        if self.open.len() + depth(&node) > DEEPEST {
            return Err(ImportError::Syntax(format!("lists and tables are more than {DEEPEST} deep")));
        }
        self.put(node, 0)
    }

    fn put(&mut self, node: Node, anchor: usize) -> Result<(), ImportError> {
        if anchor > 0 {
            self.count(size(&node))?;
            self.anchors.insert(anchor, (node.clone(), size(&node)));
        }
        match self.open.last_mut() {
            None => self.done = Some(node),
            Some((Open::List(items), _)) => items.push(node),
            Some((Open::Table(entries, key), _)) => match key.take() {
                Some(name) if name == "<<" => merge(entries, node),
                Some(name) => entries.put(name, node),
                None => {
                    let word = node.word().or((node == Node::Null).then(|| "null".into()));
                    *key = Some(word.ok_or_else(|| ImportError::Syntax("a key is not a text".into()))?);
                }
            },
        }
        Ok(())
    }
}

/// `<<: *defaults`: entries of another table, which do not replace what is there.
fn merge(entries: &mut Entries, node: Node) {
    if let Node::Table(more) = node {
        more.into_iter().for_each(|(key, value)| entries.put_new(key, value));
    }
}

fn size(node: &Node) -> usize {
    match node {
        Node::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Node::Table(entries) => 1 + entries.iter().map(|(_, value)| size(value)).sum::<usize>(),
        _ => 1,
    }
}

fn depth(node: &Node) -> usize {
    match node {
        Node::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Node::Table(entries) => 1 + entries.iter().map(|(_, value)| depth(value)).max().unwrap_or(0),
        _ => 0,
    }
}

/// A scalar without quotes, by YAML 1.2's core schema.
fn plain(text: &str) -> Node {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Node::Null,
        "true" | "True" | "TRUE" => return Node::Bool(true),
        "false" | "False" | "FALSE" => return Node::Bool(false),
        _ => {}
    }
    let radix = |prefix, radix| text.strip_prefix(prefix).and_then(|digits| i64::from_str_radix(digits, radix).ok());
    let whole = text.parse().ok().or_else(|| radix("0x", 16)).or_else(|| radix("0o", 8));
    if let Some(whole) = whole {
        return Node::Number(whole.into());
    }
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'))
        && text.ends_with(|c: char| c.is_ascii_digit() || c == '.');
    let number = is_number.then(|| text.parse().ok()).flatten().and_then(Number::from_f64);
    number.map_or_else(|| Node::Text(text.into()), Node::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_lists_and_tables() {
        let node = read("a: 1\nb: [yes, true, ~, '2', 1.5, 0x10]\nc:\n  - x: y\n").unwrap();
        assert_eq!(node.get("a").and_then(Node::whole), Some(1));
        let b: Vec<_> = node.items_at("b").iter().map(Node::word).collect();
        let word = |text: &str| Some(text.to_owned());
        assert_eq!(b, [word("yes"), word("true"), None, word("2"), word("1.5"), word("16")]);
        assert_eq!(node.items_at("c")[0].text_at("x"), Some("y"));
    }

    #[test]
    fn anchors_and_merges() {
        let node = read("d: &d {a: 1, b: 2}\ne:\n  b: 3\n  <<: *d\nf: *d\n").unwrap();
        assert_eq!(node.at(&["e", "b"]).and_then(Node::whole), Some(3));
        assert_eq!(node.at(&["e", "a"]).and_then(Node::whole), Some(1));
        assert_eq!(node.at(&["f", "b"]).and_then(Node::whole), Some(2));
    }

    #[test]
    fn laughs_end_soon() {
        let mut text = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for i in 1..12 {
            let line = vec![format!("*a{}", i - 1); 10].join(",");
            text += &format!("a{i}: &a{i} [{line}]\n");
        }
        assert_eq!(read(&text), Err(ImportError::TooMany(MOST_VALUES)));
        assert!(matches!(read(&"[".repeat(100_000)), Err(ImportError::Syntax(_))));
        assert!(matches!(read(&"- ".repeat(10_000)), Err(ImportError::Syntax(_))));
        assert!(matches!(read("a: *b"), Err(ImportError::Syntax(_))));
    }
}
