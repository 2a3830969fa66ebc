//! JSON.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::{MOST_VALUES, Node};
use crate::error::ImportError;

/// Reads a text; the library bounds the depth (128).
pub(super) fn read(text: &str) -> Result<Node, ImportError> {
    let left = Cell::new(MOST_VALUES);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let node = Reading(&left).deserialize(&mut deserializer);
    let node = node.and_then(|node| deserializer.end().map(|()| node));
    node.map_err(|e| match left.get() {
        0 => ImportError::TooMany(MOST_VALUES),
        _ => ImportError::Syntax(e.to_string()),
    })
}

/// Counts down the values that may still be read.
#[derive(Clone, Copy)]
struct Reading<'a>(&'a Cell<usize>);

impl<'de> DeserializeSeed<'de> for Reading<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        match self.0.get() {
            0 => Err(D::Error::custom("too many values")),
            left => {
                self.0.set(left - 1);
                deserializer.deserialize_any(self)
            }
        }
    }
}

impl<'de> Visitor<'de> for Reading<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Node, E> {
        Ok(Node::Bool(truth))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Number(number.into()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Number(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Node, E> {
        Ok(Number::from_f64(number).map_or(Node::Null, Node::Number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.into()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Node, E> {
        Ok(Node::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut table = Entries::default();
        while let Some(key) = map.next_key::<String>()? {
            table.put(key, map.next_value_seed(self)?);
        }
        Ok(table.node())
    }
}

/// Entries of a table as they come.
#[derive(Default)]
pub(super) struct Entries {
    entries: Vec<(String, Node)>,
    /// Where each key stands.
    places: HashMap<String, usize>,
}

impl Entries {
    /// Adds an entry, or replaces the one of this key.
    pub(super) fn put(&mut self, key: String, node: Node) {
        match self.places.get(&key).and_then(|place| self.entries.get_mut(*place)) {
            Some(entry) => entry.1 = node,
            None => {
                self.places.insert(key.clone(), self.entries.len());
                self.entries.push((key, node));
            }
        }
    }

    /// Adds an entry, unless there is one of this key.
    pub(super) fn put_new(&mut self, key: String, node: Node) {
        if !self.places.contains_key(&key) {
            self.put(key, node);
        }
    }

    pub(super) fn node(self) -> Node {
        Node::Table(self.entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_stays_and_the_last_of_two_counts() {
        let node = read(r#"{"b": 1, "a": [true, null, 1.5, "x"], "b": 2}"#).unwrap();
        let keys: Vec<_> = node.entries().iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["b", "a"]);
        assert_eq!(node.get("b").and_then(Node::whole), Some(2));
        assert_eq!(node.items_at("a").len(), 4);
    }

    #[test]
    fn deep_and_broken_texts_are_errors() {
        for text in ["", "{", "[1,]", "{} x", &"[".repeat(100_000)] {
            assert!(matches!(read(text), Err(ImportError::Syntax(_))), "{}", text.len());
        }
    }

    #[test]
    fn values_are_counted() {
        let text = format!("[{}0]", "0,".repeat(MOST_VALUES));
        assert_eq!(read(&text), Err(ImportError::TooMany(MOST_VALUES)));
    }
}
