//! Conditions: `if = { country = ["DE", "AT"], app_version = { at_least = "2.4.0" } }`.

use std::fmt;

use flagstaff_flags::{Condition, Conditions, Key};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use super::scalars::{Named, PointInTime};
use super::value_tests::{Test, WantedReading};
use crate::decode::serde_messages::mistake;

/// Conditions that must all hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct When(pub(crate) Conditions);

/// A key of a condition.
enum ConditionKey {
    Authenticated,
    Segment,
    After,
    Before,
    /// `header`, `cookie` or `query` without quotes around the whole key, so that a table hangs on it.
    Family(&'static str),
    Value(Key),
}

/// Keys with a name of one's own behind a dot.
pub(super) const FAMILIES: [&str; 3] = ["header", "cookie", "query"];

impl ConditionKey {
    fn new(text: &str) -> Result<Self, String> {
        if let Some(family) = FAMILIES.into_iter().find(|family| *family == text) {
            return Ok(Self::Family(family));
        }
        let word = match text {
            "authenticated" => Self::Authenticated,
            "segment" | "segments" => Self::Segment,
            "after" => Self::After,
            "before" => Self::Before,
            _ => Self::Value(Key::new(text).map_err(|e| e.to_string())?),
        };
        if let Self::Value(Key::Attribute(_)) = word
            && let Some(near) = Key::slip(text)
        {
            return Err(format!("did you mean `{near}`? An attribute of one's own needs a name less like it"));
        }
        Ok(word)
    }
}

impl<'de> Deserialize<'de> for ConditionKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text).map_err(|help| mistake(format!("there is no condition `{text}`"), &help))
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reading)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = When;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of conditions, such as { country = [\"DE\", \"AT\"] }")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<When, A::Error> {
        let mut all = Vec::new();
        while let Some(word) = map.next_key::<ConditionKey>()? {
            match word {
                ConditionKey::Authenticated => all.push(Condition::Authenticated(map.next_value()?)),
                ConditionKey::Segment => all.push(map.next_value::<Segments>()?.0),
                ConditionKey::After => all.push(Condition::After(map.next_value::<PointInTime>()?.0)),
                ConditionKey::Before => all.push(Condition::Before(map.next_value::<PointInTime>()?.0)),
                ConditionKey::Value(key) => all.push(map.next_value_seed(Test(key))?),
                ConditionKey::Family(family) => all.extend(map.next_value_seed(Family(family))?),
            }
        }
        Ok(When(Conditions(all)))
    }
}

/// What hangs on `header.`, `cookie.` and `query.` when the key is not in quotes.
struct Family(&'static str);

impl<'de> DeserializeSeed<'de> for Family {
    type Value = Vec<Condition>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Condition>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Family {
    type Value = Vec<Condition>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a name behind it, as in \"{}.NAME\" = \"…\"", self.0)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<Condition>, A::Error> {
        let mut all = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let key = Key::new(&format!("{}.{name}", self.0)).map_err(A::Error::custom)?;
            all.push(map.next_value_seed(Test(key))?);
        }
        Ok(all)
    }
}

/// `segment = "beta_testers"`, `["a", "b"]` or `{ not = … }`.
struct Segments(Condition);

impl<'de> Deserialize<'de> for Segments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = |words: Vec<String>| {
            let name = |word: String| Named::deserialize(serde::de::value::StrDeserializer::new(&word)).map(|n| n.0);
            words.into_iter().map(name).collect::<Result<_, D::Error>>().map(Condition::Segment)
        };
        let wanted = deserializer.deserialize_any(WantedReading)?;
        let refuse = || mistake("a segment is named, or left out with `not`", "write segment = \"beta_testers\"");
        if wanted.at_least.is_some() || wanted.below.is_some() || wanted.matches.is_some() {
            return Err(refuse());
        }
        let mut all = Vec::new();
        if let Some(not) = wanted.not {
            all.push(Condition::Not(Box::new(names(not)?)));
        }
        if let Some(any) = wanted.any {
            all.push(names(any)?);
        }
        all.pop().map(Segments).ok_or_else(refuse)
    }
}
