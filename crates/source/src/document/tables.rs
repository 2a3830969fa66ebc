//! Tables that may be written in more than one way, or whose order counts.

use std::borrow::Cow;
use std::fmt;

use flagstaff_flags::{Percent, Requirement, Variants, VariantsError};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::scalars::{Named, Share, Weight};
use crate::decode::serde_messages::mistake;

/// Weights of variants, in written order.
#[derive(Clone, Debug)]
pub(crate) struct Weights(pub(crate) Variants);

impl<'de> Deserialize<'de> for Weights {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(WeightsReading)
    }
}

struct WeightsReading;

impl<'de> Visitor<'de> for WeightsReading {
    type Value = Weights;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of variants and weights, such as { classic = 50, simple = 50 }")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Weights, A::Error> {
        let mut weights: Vec<(String, f64)> = Vec::new();
        while let Some(VariantName(name)) = map.next_key()? {
            weights.push((name, map.next_value::<Weight>()?.0));
        }
        let pairs = weights.iter().map(|(name, weight)| (name.as_str(), *weight));
        Variants::weighted(pairs).map(Weights).map_err(|e| {
            let help = total_help(&e, &weights);
            mistake(e, &help)
        })
    }
}

/// Which weight would make the sum right.
fn total_help(error: &VariantsError, weights: &[(String, f64)]) -> String {
    let (VariantsError::Total(total), Some((name, last))) = (error, weights.last()) else {
        return String::new();
    };
    let fitting = ((100.0 - total + last) * 1000.0).round() / 1000.0;
    if (0.0..=100.0).contains(&fitting) {
        format!("with {name} = {fitting} they make 100")
    } else {
        "lower them until they make 100".into()
    }
}

/// The name of a variant, checked where it stands.
struct VariantName(String);

impl<'de> Deserialize<'de> for VariantName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        match Variants::weighted([(name.as_str(), 100.0)]) {
            Ok(_) => Ok(Self(name)),
            Err(e) => Err(mistake(e, "names of variants travel in headers, so they are plain")),
        }
    }
}

impl JsonSchema for Weights {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Weights".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let weight = generator.subschema_for::<Weight>();
        json_schema!({
            "type": "object",
            "propertyNames": { "pattern": "^[A-Za-z0-9_.-]{1,64}$" },
            "additionalProperties": weight,
            "minProperties": 1,
            "maxProperties": 63,
        })
    }
}

/// `requires = ["a"]` or `{ a = "variant" }`.
#[derive(Clone, Debug)]
pub(crate) struct Needs(pub(crate) Vec<Requirement>);

impl<'de> Deserialize<'de> for Needs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NeedsReading)
    }
}

struct NeedsReading;

impl<'de> Visitor<'de> for NeedsReading {
    type Value = Needs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of flags, such as [\"new_cart\"], or a table of flag and variant")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Needs, A::Error> {
        let mut needs = Vec::new();
        while let Some(Named(flag)) = list.next_element()? {
            needs.push(Requirement { flag, variant: None });
        }
        Ok(Needs(needs))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Needs, A::Error> {
        let mut needs = Vec::new();
        while let Some(Named(flag)) = map.next_key()? {
            let variant = Some(map.next_value()?);
            needs.push(Requirement { flag, variant });
        }
        Ok(Needs(needs))
    }
}

impl JsonSchema for Needs {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Needs".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let name = generator.subschema_for::<Named>();
        json_schema!({ "anyOf": [
            { "type": "array", "items": name },
            { "type": "object", "propertyNames": name, "additionalProperties": { "type": "string" } },
        ] })
    }
}

/// Parts of a layer: `[0, 50]`, or several as `[[0, 10], [50, 60]]`.
#[derive(Clone, Debug)]
pub(crate) struct Bounds(pub(crate) Vec<(Percent, Percent)>);

impl<'de> Deserialize<'de> for Bounds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BoundsReading)
    }
}

/// One end of a part, or a part.
enum End {
    At(Percent),
    Part(Percent, Percent),
}

impl<'de> Deserialize<'de> for End {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EndReading)
    }
}

struct EndReading;

impl<'de> Visitor<'de> for EndReading {
    type Value = End;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of percent, or [from, to]")
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<End, E> {
        Share::deserialize(serde::de::value::F64Deserializer::new(number)).map(|share| End::At(share.0))
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<End, E> {
        // Whole percents are few; what is beyond is out of range as a float too.
        #[allow(clippy::cast_precision_loss, reason = "only 0 to 100 is kept")]
        self.visit_f64(number as f64)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<End, A::Error> {
        let ends = (list.next_element::<Share>()?, list.next_element::<Share>()?, list.next_element::<Share>()?);
        match ends {
            (Some(from), Some(to), None) => Ok(End::Part(from.0, to.0)),
            _ => Err(not_two()),
        }
    }
}

fn not_two<E: serde::de::Error>() -> E {
    mistake("a slice is two numbers", "write [0, 50]: from and to, in percent")
}

struct BoundsReading;

impl<'de> Visitor<'de> for BoundsReading {
    type Value = Bounds;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a slice, such as [0, 50]")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Bounds, A::Error> {
        let mut ends = Vec::new();
        while let Some(end) = list.next_element::<End>()? {
            ends.push(end);
        }
        if let [End::At(from), End::At(to)] = ends.as_slice() {
            return Ok(Bounds(vec![(*from, *to)]));
        }
        let part = |end| match end {
            End::Part(from, to) => Some((from, to)),
            End::At(_) => None,
        };
        let parts: Option<Vec<_>> = ends.into_iter().map(part).collect();
        parts.filter(|p| !p.is_empty()).map(Bounds).ok_or_else(not_two)
    }
}

impl JsonSchema for Bounds {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Bounds".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let share = generator.subschema_for::<Share>();
        let part = serde_json::json!({ "type": "array", "items": share, "minItems": 2, "maxItems": 2 });
        json_schema!({ "anyOf": [part, { "type": "array", "items": part, "minItems": 1 }] })
    }
}
