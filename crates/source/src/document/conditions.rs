//! Conditions: `if = { country = ["DE", "AT"], app_version = { at_least = "2.4.0" } }`.

use std::fmt;

use flagstaff_flags::{Condition, Conditions, Glob, Key, Matcher};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::words::{Moment, Named};
use crate::wording::mistake;

/// Conditions that must all hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct When(pub(crate) Conditions);

/// A key of a condition.
enum Word {
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

impl Word {
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
            && let Some(near) = Key::words().find(|known| is_slip(text, known))
        {
            return Err(format!(
                "did you mean `{near}`? An attribute of one's own needs a name less like it"
            ));
        }
        Ok(word)
    }
}

/// Whether a word is a known one with a slip of the finger or two. Attributes have names of their own, so likeness as for keys
/// (`user_plan` and `user`) is not enough.
fn is_slip(text: &str, known: &str) -> bool {
    let slips = if known.len() < 6 { 1 } else { 2 };
    strsim::damerau_levenshtein(text, known) <= slips
}

impl<'de> Deserialize<'de> for Word {
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
        while let Some(word) = map.next_key::<Word>()? {
            match word {
                Word::Authenticated => all.push(Condition::Authenticated(map.next_value()?)),
                Word::Segment => all.push(map.next_value::<Segments>()?.0),
                Word::After => all.push(Condition::After(map.next_value::<Moment>()?.0)),
                Word::Before => all.push(Condition::Before(map.next_value::<Moment>()?.0)),
                Word::Value(key) => all.push(map.next_value_seed(Test(key))?),
                Word::Family(family) => all.extend(map.next_value_seed(Family(family))?),
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
            let name =
                |word: String| Named::deserialize(serde::de::value::StrDeserializer::new(&word)).map(|n| n.0);
            words
                .into_iter()
                .map(name)
                .collect::<Result<_, D::Error>>()
                .map(Condition::Segment)
        };
        let wanted = deserializer.deserialize_any(WantedReading)?;
        let refuse = || {
            mistake(
                "a segment is named, or left out with `not`",
                "write segment = \"beta_testers\"",
            )
        };
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

/// What a value must look like, for one key.
struct Test(Key);

impl<'de> DeserializeSeed<'de> for Test {
    type Value = Condition;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Condition, D::Error> {
        let wanted = deserializer.deserialize_any(WantedReading)?;
        wanted
            .condition(self.0)
            .map_err(|(message, help)| mistake(message, help))
    }
}

/// What is wanted of a value, as written.
#[derive(Default)]
struct Wanted {
    any: Option<Vec<String>>,
    not: Option<Vec<String>>,
    at_least: Option<String>,
    below: Option<String>,
    matches: Option<String>,
}

type Wrong = (String, &'static str);

impl Wanted {
    fn condition(self, key: Key) -> Result<Condition, Wrong> {
        let bounded = self.at_least.is_some() || self.below.is_some() || self.matches.is_some();
        if key == Key::Language && !bounded {
            let not = self
                .not
                .map(|words| Condition::Not(Box::new(Condition::Language(words))));
            return not.or(self.any.map(Condition::Language)).ok_or_else(nothing);
        }
        let mut all = Vec::new();
        if let Some(words) = &self.any {
            all.push(any_of(&key, words)?);
        }
        if let Some(words) = &self.not {
            all.push(Matcher::Not(Box::new(any_of(&key, words)?)));
        }
        let wrong = |e: flagstaff_flags::MatcherError| (e.to_string(), "");
        if let Some(version) = &self.at_least {
            all.push(Matcher::at_least(version).map_err(wrong)?);
        }
        if let Some(version) = &self.below {
            all.push(Matcher::below(version).map_err(wrong)?);
        }
        if let Some(expression) = &self.matches {
            all.push(Matcher::matches(expression).map_err(wrong)?);
        }
        let matcher = match all.len() {
            0 => return Err(nothing()),
            1 => all.swap_remove(0),
            _ => Matcher::All(all),
        };
        Ok(Condition::Value(key, matcher))
    }
}

fn nothing() -> Wrong {
    (
        "this asks for nothing".into(),
        "write a word, a list of words, or a table of not, at_least, below, matches",
    )
}

fn any_of(key: &Key, words: &[String]) -> Result<Matcher, Wrong> {
    let one = |word: &String| match key {
        Key::Ip => Matcher::within(word).map_err(|e| {
            (
                format!("`{word}`: {e}"),
                "write a range such as \"10.0.0.0/8\" or an address such as \"192.0.2.1\"",
            )
        }),
        _ if key.is_any_case() => Ok(Matcher::Word(Glob::any_case(word))),
        _ => Ok(Matcher::Word(Glob::new(word))),
    };
    let mut all: Vec<_> = words.iter().map(one).collect::<Result<_, _>>()?;
    Ok(if all.len() == 1 {
        all.swap_remove(0)
    } else {
        Matcher::Any(all)
    })
}

struct WantedReading;

impl<'de> Visitor<'de> for WantedReading {
    type Value = Wanted;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a word, a list of words, or a table of not, at_least, below, matches")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Wanted, E> {
        Ok(Wanted {
            any: Some(vec![word.into()]),
            ..Wanted::default()
        })
    }

    fn visit_bool<E: Error>(self, word: bool) -> Result<Wanted, E> {
        self.visit_str(&word.to_string())
    }

    fn visit_i64<E: Error>(self, word: i64) -> Result<Wanted, E> {
        self.visit_str(&word.to_string())
    }

    fn visit_f64<E: Error>(self, word: f64) -> Result<Wanted, E> {
        self.visit_str(&word.to_string())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Wanted, A::Error> {
        let mut any = Vec::new();
        while let Some(Plain(word)) = list.next_element()? {
            any.push(word);
        }
        Ok(Wanted {
            any: Some(any),
            ..Wanted::default()
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Wanted, A::Error> {
        let mut wanted = Wanted::default();
        while let Some(bound) = map.next_key::<Bound>()? {
            match bound {
                Bound::Not => wanted.not = Some(map.next_value::<Words>()?.0),
                Bound::AtLeast => wanted.at_least = Some(map.next_value_seed(Checked(Matcher::at_least))?),
                Bound::Below => wanted.below = Some(map.next_value_seed(Checked(Matcher::below))?),
                Bound::Matches => wanted.matches = Some(map.next_value_seed(Checked(Matcher::matches))?),
            }
        }
        Ok(wanted)
    }
}

#[derive(serde::Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Bound {
    Not,
    AtLeast,
    Below,
    Matches,
}

/// A word, which may be written as a number or as true or false.
struct Plain(String);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PlainReading)
    }
}

struct PlainReading;

impl Visitor<'_> for PlainReading {
    type Value = Plain;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a word")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Plain, E> {
        Ok(Plain(word.into()))
    }

    fn visit_bool<E: Error>(self, word: bool) -> Result<Plain, E> {
        Ok(Plain(word.to_string()))
    }

    fn visit_i64<E: Error>(self, word: i64) -> Result<Plain, E> {
        Ok(Plain(word.to_string()))
    }

    fn visit_f64<E: Error>(self, word: f64) -> Result<Plain, E> {
        Ok(Plain(word.to_string()))
    }
}

/// One word or several.
struct Words(Vec<String>);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wanted = deserializer.deserialize_any(WantedReading)?;
        let refuse = || {
            mistake(
                "`not` takes a word or a list of words",
                "write { not = [\"DE\", \"AT\"] }",
            )
        };
        wanted.any.map(Self).ok_or_else(refuse)
    }
}

/// A word that is checked where it stands.
struct Checked(fn(&str) -> Result<Matcher, flagstaff_flags::MatcherError>);

impl<'de> DeserializeSeed<'de> for Checked {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        let Plain(word) = Plain::deserialize(deserializer)?;
        (self.0)(&word).map_err(|e| mistake(format!("`{word}`: {e}"), ""))?;
        Ok(word)
    }
}
