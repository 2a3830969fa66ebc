//! The schema takes what the types take, and refuses what they refuse.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

use flagstaff_source::{ParseOptions, Text, parse, schema};
use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/");

fn shipped(name: &str) -> String {
    std::fs::read_to_string(format!("{SHIPPED}{name}")).unwrap()
}

/// What editors hand to a schema: dates as text.
fn to_json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => Value::from(number.as_str().parse::<i64>().unwrap()),
        DeValue::Float(number) => Value::from(number.as_str().parse::<f64>().unwrap()),
        DeValue::Boolean(yes) => Value::Bool(*yes),
        DeValue::Datetime(time) => Value::String(time.to_string()),
        DeValue::Array(list) => list.iter().map(|value| to_json(value.get_ref())).collect(),
        DeValue::Table(table) => table_to_json(table),
    }
}

fn table_to_json(table: &DeTable<'_>) -> Value {
    let entries = table.iter().map(|(key, value)| (key.get_ref().to_string(), to_json(value.get_ref())));
    Value::Object(entries.collect::<Map<_, _>>())
}

fn json(text: &str) -> Value {
    table_to_json(DeTable::parse(text).unwrap().get_ref())
}

fn is_read(text: &str) -> bool {
    let bytes = text.as_bytes();
    parse(Text { name: "flags.toml", bytes }, None, &ParseOptions::default()).is_ok()
}

#[test]
fn the_shipped_schema_is_that_of_the_types() {
    let shipped: Value = serde_json::from_str(&shipped("flags.schema.json")).unwrap();
    // Not `assert_eq!`: it would print both.
    assert!(shipped == schema(), "write it anew: flagstaff schema > config/flags.schema.json");
}

#[test]
fn the_shipped_example_fits_and_needs_no_mending() {
    let text = shipped("flags.toml");
    assert!(text.starts_with("#:schema ./flags.schema.json\n"));
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let errors: Vec<_> = validator.iter_errors(&json(&text)).map(|e| e.to_string()).collect();
    assert_eq!(errors, [""; 0]);
    let today = Some(jiff::civil::date(2026, 11, 20));
    let options = ParseOptions { today, ..ParseOptions::default() };
    let name = "flags.toml";
    let loaded =
        parse(Text { name, bytes: text.as_bytes() }, None, &options).unwrap_or_else(|report| panic!("{report}"));
    assert!(loaded.report.problems().is_empty(), "{}", loaded.report);
    assert!(loaded.snapshot.flags().len() > 5);
}

#[test]
fn schema_and_types_take_the_same() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let good = [
        "",
        "percent = 12.345",
        "variants = { a = 50, b = 50 }\nvalues = { a = 1, b = { x = [1, 2] } }",
        "requires = []",
        "created = 2026-11-01\nexpires = \"2027-01-01\"",
        "rollout = { start = 2026-11-20T09:00:00+01:00, steps = [{ percent = 1, hold = \"approval\" }, { percent = 100 }] }",
        "guard = { errors = \"5xx, 404,500-503\", slower_than = \"1h 30m\", false_alarm = 0.1, on_trip = \"hold\", observe = true }",
        "guard = { errors = \"5xx\", slower_than = \"p95\", fuse = 1000 }",
        "gate = { paths = [\"/x\", \"*\"], when_off = { redirect = \"https://example.com/\" } }",
        "upstream = { on = \"[::1]:80\" }\nbucket_by = \"cookie.cart\"\nsalt = \"x\"\nsticky = \"none\"",
        "rules = [{ if = { country = \"DE\", segments = [], app = { at_least = 2, not = [\"3\"] }, header.x-plan = \"pro\" }, percent = 3 }]",
        "rules = [{ if = { after = 2026-11-20T09:00:00Z, authenticated = false, ip = \"::1\" }, serve = \"on\" }]",
        "allow = { users = [\"1\"], authenticated = true, languages = [\"de\"] }\nmetadata = { anything = [1] }",
        "hash = { as = \"unleash\", group = \"g\", total = 100 }",
        "variants = { a = 50, b = 50 }\nhash = { as = \"goff\", order = [\"b\", \"a\"] }\nrules = [{ variants = { a = 1, b = 99 }, percent = 3 }]",
        "hash = { as = \"vercel\", seed = 7 }\nrules = [{ percent = 3, hash = { as = \"growthbook\", seed = \"s\", version = 2 } }]",
        "exposed_on = [\"GET /a*\", \"/b\", \"*\"]\nclient = true\ntesting = false\nticket = \"T\"",
    ];
    for keys in good {
        let text = format!("[flags.a]\n{keys}\n");
        assert!(is_read(&text), "the types refuse {keys}");
        let errors: Vec<_> = validator.iter_errors(&json(&text)).map(|e| e.to_string()).collect();
        assert_eq!(errors, [""; 0], "{keys}");
    }
    let bad = [
        "precent = 1",
        "percent = 101",
        "percent = \"50\"",
        "enabled = \"yes\"",
        "owner = 3",
        "variants = {}",
        "variants = { a = \"x\" }",
        "variants = { \"a b\" = 100 }",
        "requires = [\"A\"]",
        "requires = { a = 1 }",
        "created = \"1.11.2026\"",
        "sticky = \"ever\"",
        "bucket_by = \"visiter\"",
        "goals = \"a\"",
        "goals = [\"A b\"]",
        "rollout = { start = 2026-11-20, steps = [{ percent = 100 }] }",
        "rollout = { steps = [{ percent = 1, holt = \"1h\" }, { percent = 100 }] }",
        "rollout = { steps = [{ percent = 1, hold = \"soon\" }, { percent = 100 }] }",
        "guard = { errors = \"9xx\" }",
        "guard = { errors = \"5xx\", false_alarm = 0 }",
        "guard = { errors = \"5xx\", fuse = 2 }",
        "guard = { errors = \"5xx\", fuse = 10.5 }",
        "guard = { errors = \"5xx\", slower_than = \"p99\" }",
        "gate = { paths = [\"pay\"], when_off = {} }",
        "gate = { paths = [\"/pay\"], when_off = { redirect = \"x\" } }",
        "upstream = { on = \"8001\" }",
        "exposed_on = [\"get /x\"]",
        "exposed_on = [\"/x?y=1\"]",
        "gate = { paths = [\"/pay#x\"], when_off = { redirect = \"/\" } }",
        "rules = [{ if = { country = { nott = \"DE\" } }, serve = \"on\" }]",
        "rules = [{ if = 3, serve = \"on\" }]",
        "allow = { user = [] }",
        "allow = [\"a\"]",
        "metadata = 3",
        "hash = {}",
        "hash = \"unleash\"",
        "hash = { as = \"unlaesh\" }",
        "hash = { as = \"unleash\", grup = \"g\" }",
        "hash = { as = \"growthbook\", seed = true }",
        "hash = { as = \"flagd\", total = \"x\" }",
    ];
    for keys in bad {
        let text = format!("[flags.a]\n{keys}\n");
        assert!(!is_read(&text), "the types take {keys}");
        assert!(!validator.is_valid(&json(&text)), "the schema takes {keys}");
    }
    for text in [
        "[flags.Bad-Name]",
        "[flag.a]",
        "flags = 3",
        "[goals.g]\nonn = \"/x\"",
        "[segments.s]\nany = 3",
        "[layers.l]\nslices = { a = [1] }",
    ] {
        assert!(!is_read(text) && !validator.is_valid(&json(text)), "{text}");
    }
}

#[test]
fn every_key_is_described() {
    fn look(schema: &Value, path: &str, missing: &mut Vec<String>) {
        if let Some(Value::Object(properties)) = schema.get("properties") {
            for (key, property) in properties {
                if property.get("description").is_none() {
                    missing.push(format!("{path}.{key}"));
                }
            }
        }
    }
    let schema = schema();
    let mut missing = Vec::new();
    look(&schema, "", &mut missing);
    for (name, part) in schema["$defs"].as_object().unwrap() {
        look(part, name, &mut missing);
    }
    assert_eq!(missing, [""; 0]);
}

#[test]
fn every_key_is_in_the_reference() {
    let reference = std::fs::read_to_string(format!("{SHIPPED}../docs/flags.md")).unwrap();
    let schema = schema();
    for (name, part) in schema["$defs"].as_object().unwrap() {
        for key in part["properties"].as_object().into_iter().flatten().map(|(key, _)| key) {
            assert!(reference.contains(&format!("`{key}`")), "docs/flags.md says nothing of `{key}` ({name})");
        }
    }
}
