//! The table `hash`: by which formula visitors are drawn.

use std::borrow::Cow;
use std::fmt;

use flagstaff_flags::{Formula, HashSeed, HashSettings, nearest};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use crate::decode::serde_messages::mistake;

/// The formula of another system, so that everybody keeps the variant they had there. Which keys it reads hangs on `as`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Hash", extend("required" = ["as"]))]
pub(crate) struct HashTable {
    /// The system whose formula it is.
    pub(crate) r#as: Option<FormulaWord>,
    /// Text put before the unit, such as "User;".
    pub(crate) prefix: Option<String>,
    /// The order in which the variants lie along the number, each once. Default: that of the file; for off and on, on first.
    pub(crate) order: Option<Vec<String>>,
    /// unleash: the group of the rollout. azure: the group of users. Default: for unleash the flag's name, for azure none.
    pub(crate) group: Option<String>,
    /// unleash: the group of the variants. Default: `group`.
    pub(crate) variant_group: Option<String>,
    /// The flag's key in that system. Default: the flag's name.
    pub(crate) key: Option<String>,
    /// launchdarkly: the flag's salt. statsig: the spec's salt, a dot and the rule's.
    pub(crate) salt: Option<String>,
    /// growthbook: a text; default: the flag's name. launchdarkly, vercel: a whole number.
    pub(crate) seed: Option<SeedWord>,
    /// The version of the formula. growthbook: 1 or 2; default: 1. flagd: 1, 2 or 3; default: 2.
    pub(crate) version: Option<u32>,
    /// statsig: 10000, or 1000 for a `user_bucket`. Default: 10000.
    pub(crate) buckets: Option<u32>,
    /// The sum of that system's weights. Default: 1000 for unleash, 100 for flagd, 100000 for goff.
    pub(crate) total: Option<u32>,
    /// azure: ids count in small letters. Default: false.
    pub(crate) ignore_case: Option<bool>,
}

impl HashTable {
    /// The settings, without the order. None where no formula is named.
    pub(crate) fn settings(&self) -> Option<HashSettings> {
        let FormulaWord(formula) = self.r#as.clone()?;
        Some(HashSettings {
            formula,
            prefix: self.prefix.clone(),
            group: self.group.clone(),
            variant_group: self.variant_group.clone(),
            key: self.key.clone(),
            salt: self.salt.clone(),
            seed: self.seed.clone().map(|SeedWord(seed)| seed),
            version: self.version,
            buckets: self.buckets,
            total: self.total,
            ignore_case: self.ignore_case,
        })
    }
}

/// The name of a formula.
#[derive(Clone, Debug)]
pub(crate) struct FormulaWord(pub(crate) Formula);

impl<'de> Deserialize<'de> for FormulaWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Formula::new(&word).map(Self).ok_or_else(|| {
            let known = Formula::ALL.map(Formula::as_str);
            let help = match nearest(&word, known) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("there are: {}", known.join(", ")),
            };
            mistake(format!("`{word}` is not a formula"), &help)
        })
    }
}

impl JsonSchema for FormulaWord {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Formula".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": Formula::ALL.map(Formula::as_str) })
    }
}

/// A text or a whole number.
#[derive(Clone, Debug)]
pub(crate) struct SeedWord(HashSeed);

impl<'de> Deserialize<'de> for SeedWord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SeedReading).map(Self)
    }
}

struct SeedReading;

impl Visitor<'_> for SeedReading {
    type Value = HashSeed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a whole number")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<HashSeed, E> {
        Ok(HashSeed::Text(text.into()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<HashSeed, E> {
        Ok(HashSeed::Number(number))
    }
}

impl JsonSchema for SeedWord {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Seed".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"] })
    }
}
