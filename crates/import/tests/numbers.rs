//! Numbers compare here as they compare in the old system, whatever is a version here and whatever is none.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may fail loudly")]

mod made;

use std::borrow::Cow;
use std::sync::Arc;

use flagstaff_flags::{Attributes, Snapshot, Subject};
use flagstaff_source::{ParseOptions, Text, parse};
use made::made;

const VALUES: [&str; 17] =
    ["-7", "-0.5", "-.5", "-0", "-0.0", "0", ".0", ".5", "0.5", "1", "1.0", "1.5", "99", "100", "100.5", "abc", "-"];
const BOUNDS: [u8; 3] = [0, 1, 100];
/// Whether a value compares so with a bound.
type Compares = fn(f64, f64) -> bool;

/// An operator of Unleash, and what it means.
const OPERATORS: [(&str, Compares); 5] = [
    ("NUM_EQ", |value, bound| value == bound),
    ("NUM_LT", |value, bound| value < bound),
    ("NUM_LTE", |value, bound| value <= bound),
    ("NUM_GT", |value, bound| value > bound),
    ("NUM_GTE", |value, bound| value >= bound),
];

/// Somebody of an age.
struct Aged(Option<&'static str>);

impl Attributes for Aged {
    fn header(&self, _: &str) -> Option<&str> {
        None
    }

    fn cookie(&self, _: &str) -> Option<&str> {
        None
    }

    fn query(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }

    fn attribute(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0.filter(|_| name == "age").map(Into::into)
    }
}

#[track_caller]
fn flags(system: &str, export: &str) -> Arc<Snapshot> {
    let made = made(system, export, &["--attribute", "age=age"]);
    assert!(made.report.is_exact(), "{:?}", made.report);
    let text = Text { name: "flags.toml", bytes: made.toml.as_bytes() };
    Arc::new(parse(text, None, &ParseOptions::default()).unwrap().snapshot)
}

fn is_on(flags: &Arc<Snapshot>, flag: &str, age: Option<&'static str>) -> bool {
    let attributes = Aged(age);
    flags.decide(&Subject { attributes: &attributes, ..Subject::at(jiff::Timestamp::UNIX_EPOCH) }).is_on(flag)
}

#[test]
fn numbers_compare_as_numbers() {
    for (operator, compares) in OPERATORS {
        for bound in BOUNDS {
            let export = format!(
                r#"{{"features": [{{"name": "f", "enabled": true, "strategies": [{{"name": "default",
                    "constraints": [{{"contextName": "age", "operator": "{operator}", "value": "{bound}"}}]}}]}}]}}"#
            );
            let flags = flags("unleash", &export);
            for value in VALUES {
                let wanted = value.parse().is_ok_and(|value: f64| compares(value, f64::from(bound)));
                assert_eq!(is_on(&flags, "f", Some(value)), wanted, "{value} {operator} {bound}");
            }
            assert!(!is_on(&flags, "f", None), "{operator} {bound}");
        }
    }
}

#[test]
fn a_number_that_is_missing_is_0_in_growthbook() {
    for (operator, bound, wanted) in [
        ("$lt", 18, true),
        ("$lt", 0, false),
        ("$lte", 0, true),
        ("$gt", 0, false),
        ("$gte", 0, true),
        ("$gte", 18, false),
    ] {
        let export = format!(
            r#"{{"features": {{"f": {{"defaultValue": false, "rules": [{{"condition": {{"age": {{"{operator}": {bound}}}}}, "force": true}}]}}}}}}"#
        );
        let flags = flags("growthbook", &export);
        assert_eq!(is_on(&flags, "f", None), wanted, "{operator} {bound}");
        assert_eq!(is_on(&flags, "f", Some("-1")), operator.starts_with("$lt"), "{operator} {bound}");
    }
}

#[test]
fn a_list_with_null_has_those_without_a_value() {
    let of = |operator: &str| {
        let export = format!(
            r#"{{"features": {{"f": {{"defaultValue": false, "rules": [{{"condition": {{"age": {{"{operator}": [null, "7"]}}}}, "force": true}}]}}}}}}"#
        );
        let flags = flags("growthbook", &export);
        [None, Some("7"), Some("8")].map(|age| is_on(&flags, "f", age))
    };
    assert_eq!(of("$in"), [true, true, false]);
    assert_eq!(of("$nin"), [false, false, true]);
}
