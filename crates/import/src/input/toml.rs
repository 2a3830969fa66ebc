//! TOML.

use serde_json::Number;
use toml::Value;

use super::{MOST_VALUES, Node};
use crate::error::ImportError;

/// Reads a text; the library bounds the depth.
pub(super) fn read(text: &str) -> Result<Node, ImportError> {
    let table: toml::Table =
        text.parse().map_err(|e: toml::de::Error| ImportError::Syntax(e.message().to_owned()))?;
    let mut left = MOST_VALUES;
    node(Value::Table(table), &mut left).ok_or(ImportError::TooMany(MOST_VALUES))
}

fn node(value: Value, left: &mut usize) -> Option<Node> {
    *left = left.checked_sub(1)?;
    Some(match value {
        Value::String(text) => Node::Text(text),
        Value::Integer(number) => Node::Number(number.into()),
        Value::Float(number) => Number::from_f64(number).map_or(Node::Null, Node::Number),
        Value::Boolean(truth) => Node::Bool(truth),
        Value::Datetime(time) => Node::Text(time.to_string()),
        Value::Array(items) => Node::List(items.into_iter().map(|item| node(item, left)).collect::<Option<_>>()?),
        Value::Table(table) => {
            let entries = table.into_iter().map(|(key, value)| Some((key, node(value, left)?)));
            Node::Table(entries.collect::<Option<_>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_keep_their_order() {
        let node = read("[b]\nx = 1\n[a]\ny = [true, 1.5, 2026-01-02T03:04:05Z]\n").unwrap();
        assert_eq!(node.entries().iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(node.get("a").unwrap().items_at("y")[2].text(), Some("2026-01-02T03:04:05Z"));
        assert!(matches!(read("a = "), Err(ImportError::Syntax(_))));
        assert!(matches!(read(&format!("a = {}", "[".repeat(100_000))), Err(ImportError::Syntax(_))));
    }
}
