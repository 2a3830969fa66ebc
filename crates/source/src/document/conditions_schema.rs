//! What an editor may offer and check in conditions.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::conditions::{FAMILIES, When};
use super::scalars::PointInTime;
use flagstaff_flags::Key;

/// What a condition looks at.
fn description(word: &str) -> &'static str {
    match word {
        "user" => "The user's id.",
        "group" => "The user's groups; one that fits is enough.",
        "role" => "The user's roles; one that fits is enough.",
        "language" => "The language the visitor prefers; \"de\" takes \"de-AT\" too.",
        "country" => "The visitor's country, as a trusted proxy told.",
        "ip" => "The visitor's address: addresses or ranges such as \"10.0.0.0/8\".",
        "path" => "The path of the request, such as \"/app/*\".",
        "host" => "The host that was asked.",
        "method" => "The method of the request.",
        "user_agent" => "The browser's name for itself, such as \"*Firefox*\".",
        "authenticated" => "true: the user is known. false: nobody is logged in.",
        "segment" => "Segments of this file; one that fits is enough.",
        "after" => "From this time on, such as 2026-11-20T09:00:00Z.",
        "before" => "Until this time, such as 2026-11-20T09:00:00Z.",
        "header" => "A header of the request: header.x-plan = \"pro\".",
        "cookie" => "A cookie of the request: cookie.plan = \"pro\".",
        _ => "A parameter of the query: query.plan = \"pro\".",
    }
}

fn word() -> Value {
    json!({ "type": ["string", "number", "boolean"] })
}

/// What a value must look like.
struct Test;

impl JsonSchema for Test {
    fn schema_name() -> Cow<'static, str> {
        "Test".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words = json!({ "anyOf": [word(), { "type": "array", "items": word() }] });
        let described = |mut schema: Value, description: &str| {
            schema["description"] = description.into();
            schema
        };
        json_schema!({ "anyOf": [
            word(),
            { "type": "array", "items": word() },
            { "type": "object", "minProperties": 1, "additionalProperties": false, "properties": {
                "not": described(words, "None of these."),
                "at_least": described(word(), "This version, or a later one."),
                "below": described(word(), "A version before this one."),
                "matches": described(json!({ "type": "string" }), "A regular expression that is found in it."),
            } },
        ] })
    }
}

impl JsonSchema for When {
    fn schema_name() -> Cow<'static, str> {
        "Conditions".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let test = generator.subschema_for::<Test>();
        let time = generator.subschema_for::<PointInTime>();
        let mut properties = Map::new();
        for word in Key::words().chain(FAMILIES) {
            let mut schema = match word {
                "authenticated" => json!({ "type": "boolean" }),
                "after" | "before" => time.clone().to_value(),
                _ if FAMILIES.contains(&word) => json!({ "type": "object", "additionalProperties": test }),
                _ => test.clone().to_value(),
            };
            schema["description"] = description(word).into();
            properties.insert(word.into(), schema);
        }
        json_schema!({
            "title": "Conditions",
            "type": "object",
            "description": "All must hold. A value is a word, a list of words, a word with * in it, or a table of not, at_least, below, matches. A key that is none of these looks at an attribute of one's own.",
            "properties": properties,
            "additionalProperties": test,
        })
    }
}
