//! Values of a flag file that are more than text or number: each is checked while it is read, at its place.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use flagstaff_flags::{BucketBy, Glob, Hold, Name, Percent, Route, SlowerThan, StatusSet};
use jiff::Timestamp;
use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde_json::Value;

use super::readers;
use crate::decode::serde_messages::mistake;

/// The schema of a value, written where the value stands.
macro_rules! inline_schema {
    ($name:ident, $schema:tt) => {
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

/// A type that is read from one text and checked.
macro_rules! word {
    ($(#[$doc:meta])* $name:ident($inner:ty), $expected:literal, $read:path, $schema:tt) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub(crate) struct $name(pub(crate) $inner);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Reading;
                impl Visitor<'_> for Reading {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expected)
                    }
                    fn visit_str<E: Error>(self, text: &str) -> Result<$name, E> {
                        $read(text).map($name).map_err(|(message, help)| mistake(message, &help))
                    }
                }
                deserializer.deserialize_any(Reading)
            }
        }

        inline_schema!($name, $schema);
    };
}

word!(
    /// A name of a flag, goal, segment or layer.
    Named(Name), "a name, such as \"new_checkout\"", readers::name,
    { "type": "string", "pattern": "^[a-z][a-z0-9_]{0,63}$" }
);
word!(
    /// A day of the calendar.
    Day(Date), "a day, such as 2026-11-01", readers::day,
    { "type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "examples": ["2026-11-01"] }
);
word!(
    /// A point in time, with its offset from UTC.
    PointInTime(Timestamp), "a time, such as 2026-11-20T09:00:00Z", readers::moment,
    {
        "type": "string", "examples": ["2026-11-20T09:00:00Z"],
        "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.]+([Zz]|[+-][0-9]{2}:?[0-9]{2})$"
    }
);
word!(
    /// A length of time.
    Length(Duration), "a duration, such as \"30m\"", readers::length,
    { "type": "string", "pattern": "^[PT0-9]", "examples": ["30m", "2h", "800ms", "1d", "1h 30m"] }
);
word!(
    /// From when on an answer is slow.
    Slower(SlowerThan), "a duration, such as \"800ms\", or \"p95\"", readers::slower,
    { "type": "string", "pattern": "^([PT0-9]|p95$)", "examples": ["800ms", "2s", "p95"] }
);
word!(
    /// How long a step stays.
    Stay(Hold), "a duration, such as \"30m\", or \"approval\"", readers::stay,
    { "type": "string", "pattern": "^([PT0-9]|approval$)", "examples": ["30m", "2h", "1d", "approval"] }
);
word!(
    /// Status codes.
    Codes(StatusSet), "statuses, such as \"5xx\"", readers::codes,
    {
        "type": "string", "examples": ["5xx", "2xx,3xx", "500-503"],
        "pattern": "^ *([1-5]xx|[1-5][0-9]{2}( *- *[1-5][0-9]{2})?) *(, *([1-5]xx|[1-5][0-9]{2}( *- *[1-5][0-9]{2})?) *)*$"
    }
);
word!(
    /// Requests, by method and path.
    Requests(Route), "requests, such as \"GET /contact*\"", readers::requests,
    { "type": "string", "pattern": "^([A-Z]+ +)?[/*][^ ?#]*$", "examples": ["GET /contact*", "/shop/*"] }
);
word!(
    /// Paths, with `*` for any text.
    Paths(Glob), "a path, such as \"/pay/*\"", readers::paths,
    { "type": "string", "pattern": "^[/*][^?#]*$", "examples": ["/pay/*"] }
);
word!(
    /// The id that is hashed.
    Unit(BucketBy), "one of visitor, user, session, request, header.NAME, cookie.NAME", readers::unit,
    { "type": "string", "pattern": "^(visitor|user|session|request|(header|cookie)\\..+)$" }
);
word!(
    /// A host and its port.
    Address(String), "an address, such as \"127.0.0.1:8001\"", readers::address,
    { "type": "string", "pattern": "^.+:[0-9]{1,5}$", "examples": ["127.0.0.1:8001"] }
);
word!(
    /// Where a redirect leads.
    Target(String), "a path or an address, such as \"/checkout\"", readers::target,
    { "type": "string", "pattern": "^(/|https?://)", "examples": ["/checkout", "https://status.example.com/"] }
);

/// What a name looks like, where it is a key.
pub(super) fn name_schema() -> serde_json::Value {
    serde_json::json!({ "pattern": "^[a-z][a-z0-9_]{0,63}$" })
}

/// A type that is read from one number and checked.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty), $read:path, $schema:tt) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $name(pub(crate) $inner);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let number = f64::deserialize(deserializer)?;
                $read(number).map($name).map_err(|(message, help)| mistake(message, &help))
            }
        }

        inline_schema!($name, $schema);
    };
}

number!(
    /// A share in percent.
    Share(Percent), readers::share, { "type": "number", "minimum": 0, "maximum": 100 }
);
number!(
    /// A weight in percent.
    Weight(f64), readers::weight, { "type": "number", "minimum": 0, "maximum": 100 }
);
number!(
    /// Visitors in a row.
    Fuse(u32), readers::fuse, { "type": "integer", "minimum": 3, "maximum": 1000 }
);
number!(
    /// First signs of one network.
    FewSigns(u32), readers::few_signs, { "type": "integer", "minimum": 0, "maximum": 1000 }
);
number!(
    /// The chance of a false alarm.
    Chance(f64), readers::chance, { "type": "number", "exclusiveMinimum": 0, "maximum": 0.1 }
);

/// What code may be given in JSON.
#[derive(Clone, Debug)]
pub(crate) struct Meaning(pub(crate) Value);

impl<'de> Deserialize<'de> for Meaning {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if has_null(&value) {
            let help = "write a number, or a text such as \"inf\"";
            return Err(mistake("JSON has no inf and no nan, and this is given as JSON", help));
        }
        Ok(Self(value))
    }
}

/// TOML has no null: serde_json makes one of numbers that it cannot write.
fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.iter().any(has_null),
        Value::Object(map) => map.values().any(has_null),
        _ => false,
    }
}

inline_schema!(Meaning, true);
