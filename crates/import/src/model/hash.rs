//! The key `hash`: by which formula a flag is drawn.

/// A formula and its keys.
#[derive(Clone, Debug, PartialEq)]
pub struct Hash {
    /// `as`.
    pub formula: &'static str,
    /// The other keys, in the order they are written.
    pub keys: Vec<(&'static str, HashValue)>,
}

/// The value of a key of a formula.
#[derive(Clone, Debug, PartialEq)]
pub enum HashValue {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// true or false.
    Truth(bool),
    /// Names of variants, in order.
    List(Vec<String>),
}

impl Hash {
    /// A formula without keys.
    #[must_use]
    pub const fn new(formula: &'static str) -> Self {
        Self { formula, keys: Vec::new() }
    }

    /// With a text.
    #[must_use]
    pub fn text(self, key: &'static str, text: impl Into<String>) -> Self {
        self.with(key, HashValue::Text(text.into()))
    }

    /// With a whole number.
    #[must_use]
    pub fn number(self, key: &'static str, number: i64) -> Self {
        self.with(key, HashValue::Number(number))
    }

    /// With a truth value.
    #[must_use]
    pub fn truth(self, key: &'static str, truth: bool) -> Self {
        self.with(key, HashValue::Truth(truth))
    }

    /// With names of variants.
    #[must_use]
    pub fn list(self, key: &'static str, names: Vec<String>) -> Self {
        self.with(key, HashValue::List(names))
    }

    fn with(mut self, key: &'static str, value: HashValue) -> Self {
        self.keys.push((key, value));
        self
    }
}
