//! `fractional`: a draw by MurmurHash3.

use super::Definition;
use super::logic::variable;
use crate::input::Node;
use crate::model::{Hash, Share, weights};
use crate::vendors::plan::WithoutId;

/// A draw.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fractional {
    /// The flag's name, or the text that is written before the attribute.
    text: Before,
    /// The attribute that is hashed.
    pub(super) attribute: String,
    /// Variants and weights, in written order.
    pub(super) weights: Vec<(String, u32)>,
}

/// What is hashed before the attribute.
#[derive(Clone, Debug, PartialEq)]
enum Before {
    /// The name of the flag, where a draw does not say what it hashes.
    Flag(String),
    /// A text that is written out.
    Text(String),
}

impl Fractional {
    /// Reads the arguments of a draw.
    ///
    /// # Errors
    /// With the reason, when it cannot be carried.
    pub(super) fn read(definition: &Definition<'_>, flag: &str, arguments: &[Node]) -> Result<Self, String> {
        let (expression, parts) = match arguments.split_first() {
            Some((first, rest)) if !matches!(first, Node::List(_)) => (Some(first), rest),
            _ => (None, arguments),
        };
        let (text, attribute) = match expression {
            None => (Before::Flag(flag.to_owned()), "targetingKey".to_owned()),
            Some(expression) => hashed(definition, flag, expression).map(|(text, of)| (Before::Text(text), of))?,
        };
        let weights = parts.iter().map(part).collect::<Result<Vec<_>, _>>()?;
        if weights.is_empty() {
            return Err("a draw has no variants".into());
        }
        let mut joined: Vec<(String, u32)> = Vec::new();
        for (name, weight) in weights {
            if joined.iter().any(|(known, _)| *known == name) {
                return Err(format!("a draw names `{name}` twice"));
            }
            joined.push((name, weight));
        }
        Ok(Self { text, attribute, weights: joined })
    }

    pub(super) fn total(&self) -> u64 {
        self.weights.iter().map(|(_, weight)| u64::from(*weight)).sum()
    }

    pub(super) fn shares(&self) -> Vec<(String, Share)> {
        let numbers: Vec<_> = self.weights.iter().map(|(_, weight)| f64::from(*weight)).collect();
        self.weights.iter().map(|(name, _)| name.clone()).zip(weights(&numbers)).collect()
    }

    /// Without an id there is no draw, but for one that hashes a text before it: that text is hashed alone.
    pub(super) fn without_id(&self, default: &str) -> WithoutId {
        match &self.text {
            Before::Text(text) if !text.is_empty() => WithoutId::Other(format!(
                "Who has no `{}` is drawn by the text before it alone there, and here the flag is off for them. With --unit {}=visitor (or session) everybody has an id.",
                self.attribute, self.attribute
            )),
            _ => WithoutId::Serve(default.to_owned()),
        }
    }

    /// The formula, in its version. Versions 1 and 2 hash one text; version 3 keeps the flag's name and the id apart.
    pub(super) fn hash(&self, version: u32) -> Hash {
        let hash = Hash::new("flagd");
        let hash = match (&self.text, version) {
            (Before::Flag(text) | Before::Text(text), 1) => hash.text("key", text).number("version", 1),
            (Before::Flag(text) | Before::Text(text), ..3) => hash.text("key", text),
            (Before::Flag(flag), _) => hash.text("key", flag).number("version", version.into()),
            (Before::Text(text), _) => {
                let hash = hash.text("key", "").number("version", version.into());
                if text.is_empty() { hash } else { hash.text("prefix", text) }
            }
        };
        match i64::try_from(self.total()) {
            Ok(total) if total != 100 && total > 0 => hash.number("total", total),
            _ => hash,
        }
    }
}

/// What is hashed: a text, or none, and an attribute.
fn hashed(definition: &Definition<'_>, flag: &str, expression: &Node) -> Result<(String, String), String> {
    let refuse = || Err("what a draw hashes is not a text and then an attribute".to_owned());
    let parts = match expression.entries() {
        [(operator, parts)] if operator == "cat" => parts.items(),
        _ => std::slice::from_ref(expression),
    };
    let Some((last, before)) = parts.split_last() else { return refuse() };
    let mut key = String::new();
    for part in before {
        match (part.word(), variable(definition, part).as_deref()) {
            (Some(word), _) => key += &word,
            (None, Some("$flagd.flagKey")) => key += flag,
            _ => return refuse(),
        }
    }
    match variable(definition, last) {
        Some(attribute) if !attribute.starts_with("$flagd") => Ok((key, attribute)),
        _ => refuse(),
    }
}

/// `["red", 50]`; a missing weight is 1, one below 0 is 0.
fn part(node: &Node) -> Result<(String, u32), String> {
    let [name, rest @ ..] = node.items() else {
        return Err("a part of a draw is not a list of variant and weight".into());
    };
    let Some(name) = name.word() else {
        return Err("a draw gives something that is worked out, not a variant".into());
    };
    let weight = match rest.first() {
        None => 1,
        Some(weight) => match weight.whole() {
            Some(weight) => u32::try_from(weight.max(0)).unwrap_or(u32::MAX),
            None => return Err(format!("the weight of `{name}` is no whole number")),
        },
    };
    Ok((name, weight))
}
