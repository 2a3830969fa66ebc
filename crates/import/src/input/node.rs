//! A value of an export.

use serde_json::Number;

/// A value of an export. Tables keep their written order; of a key that is there twice, the last value counts.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Nothing.
    Null,
    /// true or false.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A table.
    Table(Vec<(String, Node)>),
}

impl Node {
    /// The value of a key, unless it is null.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        let (_, node) = self.entries().iter().find(|(name, _)| name == key)?;
        (*node != Self::Null).then_some(node)
    }

    /// The value behind several keys.
    #[must_use]
    pub fn at(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The entries of a table; none of anything else.
    #[must_use]
    pub fn entries(&self) -> &[(String, Self)] {
        match self {
            Self::Table(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none of anything else.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// Whether it is a table.
    #[must_use]
    pub const fn is_table(&self) -> bool {
        matches!(self, Self::Table(_))
    }

    /// A text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// true or false.
    #[must_use]
    pub const fn truth(&self) -> Option<bool> {
        match self {
            Self::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// A number.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => number.as_f64(),
            _ => None,
        }
    }

    /// A whole number.
    #[must_use]
    pub fn whole(&self) -> Option<i64> {
        match self {
            Self::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
            _ => None,
        }
    }

    /// A text, number or truth value, as text; none of lists, tables and null.
    #[must_use]
    pub fn word(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Bool(truth) => Some(truth.to_string()),
            Self::Number(_) if self.whole().is_some() => self.whole().map(|whole| whole.to_string()),
            Self::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// The members of a list as words; none where one of them is no word, which must not be passed over: a condition would be another.
    #[must_use]
    pub fn words(&self) -> Option<Vec<String>> {
        match self {
            Self::List(list) => list.iter().map(Self::word).collect(),
            _ => None,
        }
    }

    /// The text of a key.
    #[must_use]
    pub fn text_at(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    /// The truth value of a key.
    #[must_use]
    pub fn truth_at(&self, key: &str) -> Option<bool> {
        self.get(key)?.truth()
    }

    /// The number of a key.
    #[must_use]
    pub fn number_at(&self, key: &str) -> Option<f64> {
        self.get(key)?.number()
    }

    /// The items of a list under a key.
    #[must_use]
    pub fn items_at(&self, key: &str) -> &[Self] {
        self.get(key).map_or(&[], Self::items)
    }

    /// The entries of a table under a key.
    #[must_use]
    pub fn entries_at(&self, key: &str) -> &[(String, Self)] {
        self.get(key).map_or(&[], Self::entries)
    }
}

fn whole(number: f64) -> Option<i64> {
    #[allow(clippy::cast_possible_truncation, reason = "only what is whole and small is taken")]
    (number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0).then_some(number as i64)
}
