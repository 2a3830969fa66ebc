//! What is written under `hash`.

use std::fmt;

use super::formula::Formula;

/// The longest text, in bytes.
const LONGEST_TEXT: usize = 512;

/// A seed: a text, or a whole number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HashSeed {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
}

impl fmt::Display for HashSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

/// The keys of `hash` beside `order`. Which of them count says [`Formula::keys`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HashSettings {
    /// How a place is computed.
    pub formula: Formula,
    /// Text before the unit.
    pub prefix: Option<String>,
    /// Unleash: the rollout's group. Azure: the group of users.
    pub group: Option<String>,
    /// Unleash: the group of variants.
    pub variant_group: Option<String>,
    /// The flag's key in the other system.
    pub key: Option<String>,
    /// The salt in the other system.
    pub salt: Option<String>,
    /// The seed in the other system.
    pub seed: Option<HashSeed>,
    /// GrowthBook, flagd: the version of its hash.
    pub version: Option<u32>,
    /// Statsig: how many buckets.
    pub buckets: Option<u32>,
    /// The sum of the other system's weights.
    pub total: Option<u32>,
    /// Azure: ids count in small letters.
    pub ignore_case: Option<bool>,
}

impl HashSettings {
    /// The settings of a formula with nothing else written.
    #[must_use]
    pub fn new(formula: Formula) -> Self {
        Self { formula, ..Self::default() }
    }

    /// The keys that are written and that the formula does not read, and texts that are too long.
    pub(super) fn check(&self) -> Result<(), HashError> {
        let formula = self.formula;
        let texts = [
            ("prefix", &self.prefix),
            ("group", &self.group),
            ("variant_group", &self.variant_group),
            ("key", &self.key),
            ("salt", &self.salt),
        ];
        let long = |text: &String| text.len() > LONGEST_TEXT;
        let long_seed = self.seed.as_ref().is_some_and(|seed| long(&seed.to_string()));
        let long = texts.iter().find(|(_, text)| text.as_ref().is_some_and(long)).map(|(key, _)| *key);
        if let Some(key) = long.or(long_seed.then_some("seed")) {
            let message = format!("`{key}` is too long");
            return Err(HashError::new(key, message, format!("at most {LONGEST_TEXT} bytes")));
        }
        let written = texts.iter().skip(1).filter(|(_, text)| text.is_some()).map(|(key, _)| *key);
        let others = [
            ("seed", self.seed.is_some()),
            ("version", self.version.is_some()),
            ("buckets", self.buckets.is_some()),
            ("total", self.total.is_some()),
            ("ignore_case", self.ignore_case.is_some()),
        ];
        let others = others.into_iter().filter(|(_, there)| *there).map(|(key, _)| key);
        match written.chain(others).find(|key| !formula.keys().contains(key)) {
            None => Ok(()),
            Some(key) => Err(HashError::new(key, format!("the formula {formula} has no `{key}`"), reads(formula))),
        }
    }
}

/// The keys that a formula reads, in words.
fn reads(formula: Formula) -> String {
    let keys: Vec<_> = formula.keys().iter().chain(&["prefix", "order"]).map(|key| format!("`{key}`")).collect();
    let (last, before) = keys.split_last().map_or(("", &[][..]), |(last, before)| (last.as_str(), before));
    format!("it reads {} and {last}", before.join(", "))
}

/// Why `hash` is not valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashError {
    /// The key that is wrong, or missing.
    pub key: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
    /// The key is not there.
    pub missing: bool,
}

impl HashError {
    pub(super) fn new(key: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { key, message: message.into(), help: help.into(), missing: false }
    }

    pub(super) fn missing(key: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { missing: true, ..Self::new(key, message, help) }
    }
}

impl fmt::Display for HashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.message, self.help)
    }
}

impl std::error::Error for HashError {}
