//! What a value must look like: a word, a list, or a table of `not`, `at_least`, `below`, `matches`.

use std::fmt;

use flagstaff_flags::{BehindPath, Condition, Glob, Key, Matcher, MatcherError, WordList};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::decode::serde_messages::mistake;

/// What a value must look like, for one key.
pub(super) struct Test(pub(super) Key);

impl<'de> DeserializeSeed<'de> for Test {
    type Value = Condition;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Condition, D::Error> {
        let wanted = deserializer.deserialize_any(WantedReading)?;
        wanted.condition(self.0).map_err(|(message, help)| mistake(message, &help))
    }
}

/// What is wanted of a value, as written.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) any: Option<Vec<String>>,
    pub(super) not: Option<Vec<String>>,
    pub(super) at_least: Option<String>,
    pub(super) below: Option<String>,
    pub(super) matches: Option<String>,
}

type Wrong = (String, String);

impl Wanted {
    fn condition(self, key: Key) -> Result<Condition, Wrong> {
        let bounded = self.at_least.is_some() || self.below.is_some() || self.matches.is_some();
        if key == Key::Language && !bounded {
            let not = self.not.map(|words| Condition::Not(Box::new(Condition::Language(words))));
            return not.or(self.any.map(Condition::Language)).ok_or_else(nothing);
        }
        let mut all = Vec::new();
        if let Some(words) = &self.any {
            all.push(any_of(&key, words)?);
        }
        if let Some(words) = &self.not {
            all.push(Matcher::Not(Box::new(any_of(&key, words)?)));
        }
        let wrong = |e: flagstaff_flags::MatcherError| (e.to_string(), String::new());
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
    let help = "write a word, a list of words, or a table of not, at_least, below, matches";
    ("this asks for nothing".into(), help.into())
}

/// What is wrong with a pattern that goes on behind the end of a path.
fn goes_on(pattern: &str) -> Option<Wrong> {
    let behind = BehindPath::find(pattern)?;
    Some((format!("`{pattern}` fits no path"), behind.to_string()))
}

fn any_of(key: &Key, words: &[String]) -> Result<Matcher, Wrong> {
    let behind = words.iter().filter(|_| *key == Key::Path).find_map(|word| goes_on(word));
    behind.map_or(Ok(()), Err)?;
    Ok(match (key, words) {
        (Key::Ip, words) => Matcher::within_one_of(words).map_err(|word| {
            let help = "write a range such as \"10.0.0.0/8\" or an address such as \"192.0.2.1\"";
            (format!("`{word}`: {}", MatcherError::Address), help.into())
        })?,
        (_, [word]) if key.is_any_case() => Matcher::Pattern(Glob::any_case(word)),
        (_, [word]) => Matcher::Pattern(Glob::new(word)),
        _ if key.is_any_case() => Matcher::OneOf(WordList::any_case(words.iter().map(String::as_str))),
        _ => Matcher::OneOf(WordList::new(words.iter().map(String::as_str))),
    })
}

pub(super) struct WantedReading;

impl<'de> Visitor<'de> for WantedReading {
    type Value = Wanted;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a word, a list of words, or a table of not, at_least, below, matches")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Wanted, E> {
        Ok(Wanted { any: Some(vec![word.into()]), ..Wanted::default() })
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
        Ok(Wanted { any: Some(any), ..Wanted::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Wanted, A::Error> {
        let mut wanted = Wanted::default();
        while let Some(bound) = map.next_key::<Bound>()? {
            match bound {
                Bound::Not => wanted.not = Some(map.next_value::<Texts>()?.0),
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
struct Texts(Vec<String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wanted = deserializer.deserialize_any(WantedReading)?;
        let refuse = || mistake("`not` takes a word or a list of words", "write { not = [\"DE\", \"AT\"] }");
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
