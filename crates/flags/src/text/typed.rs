//! Values of settings as people type them, for the types that are read from a settings file.
//!
//! Each crate has the types of its own settings. What they share is here: lists, durations, and mistakes with what to write instead.

use std::fmt;

use serde::de::{Deserializer, Error, SeqAccess, Visitor};

/// Between what is wrong and what to write instead, in an error of serde, which has one text.
pub const HELP_BELOW: char = '\n';

/// A mistake with what to write instead, for types that check what they read.
pub fn mistake<E: Error>(message: impl fmt::Display, help: &str) -> E {
    E::custom(format!("{message}{HELP_BELOW}{help}"))
}

/// Reads `["a", "b"]`, or one text: `"a"` or `"a, b"`.
///
/// # Errors
/// When it is neither, or an empty text: a variable that was not filled in, as likely as not.
pub fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    deserializer.deserialize_any(OneOrMany)
}

struct OneOrMany;

impl<'de> Visitor<'de> for OneOrMany {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, or a list of texts such as [\"127.0.0.1:8080\"]")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<String>, E> {
        let all: Vec<_> = text.split(',').map(|part| part.trim().to_owned()).filter(|p| !p.is_empty()).collect();
        if all.is_empty() {
            return Err(mistake("it is empty", "write a value, or leave it out altogether"));
        }
        Ok(all)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<String>, A::Error> {
        let mut all = Vec::new();
        while let Some(one) = list.next_element()? {
            all.push(one);
        }
        Ok(all)
    }
}

/// Durations such as `30s`, `5m` or `1h 30m`, for `#[serde(with = "…")]`.
pub mod duration {
    use std::fmt;
    use std::time::Duration;

    use serde::de::{Deserializer, Error, Visitor};
    use serde::ser::Serializer;

    use super::mistake;

    /// What to write instead of what cannot be read.
    const EXAMPLE: &str = "write a number with its unit, such as \"500ms\", \"30s\", \"5m\", \"1h 30m\" or \"400d\"";

    struct Reading;

    impl Visitor<'_> for Reading {
        type Value = Duration;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a duration, such as \"30s\"")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
            humantime::parse_duration(text).map_err(|_| mistake(format_args!("`{text}` is not a duration"), EXAMPLE))
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<Duration, E> {
            Err(mistake(format_args!("{number} has no unit"), EXAMPLE))
        }
    }

    /// Reads a duration.
    ///
    /// # Errors
    /// When it is none, with an example.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        deserializer.deserialize_any(Reading)
    }

    /// Writes it as [`deserialize`] reads it.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_duration(*duration))
    }
}

/// The same for a key that may be left out.
pub mod optional_duration {
    use std::time::Duration;

    use serde::Deserialize;
    use serde::de::Deserializer;
    use serde::ser::Serializer;

    use super::duration;

    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Read(#[serde(with = "duration")] Duration);

    /// Reads a duration, or nothing.
    ///
    /// # Errors
    /// When it is not a duration, with an example.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<Read>::deserialize(deserializer)?.map(|read| read.0))
    }

    /// Writes it as [`deserialize`] reads it.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => duration::serialize(duration, serializer),
            None => serializer.serialize_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    struct Read {
        #[serde(default, deserialize_with = "super::list")]
        list: Vec<String>,
        #[serde(with = "super::duration")]
        time: Duration,
    }

    #[test]
    fn lists_and_durations_are_read_as_people_type_them() {
        let read = |text: &str| serde_json::from_str::<Read>(text).map_err(|error| error.to_string());
        let fine = read(r#"{ "list": "a, b", "time": "1h 30m" }"#).unwrap();
        assert_eq!((fine.list.as_slice(), fine.time.as_secs()), (&["a".to_owned(), "b".to_owned()][..], 5400));
        assert!(read(r#"{ "list": " ", "time": "1s" }"#).unwrap_err().contains("it is empty\nwrite a value"));
        assert!(read(r#"{ "time": "5 parsecs" }"#).unwrap_err().contains("`5 parsecs` is not a duration\nwrite"));
    }
}
