//! Durations of the settings file, as people write them: `30s`, `5m`, `1h 30m`.

use std::fmt;
use std::time::Duration;

use flagstaff_source::mistake;
use serde::de::{Deserializer, Error, Visitor};
use serde::ser::Serializer;

/// What is written instead of what is none.
const EXAMPLE: &str = "write a number with its unit, such as \"500ms\", \"30s\", \"5m\", \"1h 30m\" or \"400d\"";

struct Reading;

impl Visitor<'_> for Reading {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration, such as \"30s\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
        humantime::parse_duration(text).map_err(|_| mistake(format_args!("`{text}` is no duration"), EXAMPLE))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Duration, E> {
        Err(mistake(format_args!("{number} has no unit"), EXAMPLE))
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    deserializer.deserialize_any(Reading)
}

pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_duration(*duration))
}

/// The same for a key that may be left out.
pub(crate) mod option {
    use serde::Deserialize;

    use super::{Deserializer, Duration, Serializer};

    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Read(#[serde(with = "super")] Duration);

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<Read>::deserialize(deserializer)?.map(|read| read.0))
    }

    pub(crate) fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => super::serialize(duration, serializer),
            None => serializer.serialize_none(),
        }
    }
}
