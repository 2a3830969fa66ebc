//! Who has no id that a flag hashes gets what they get in the old system, or the report says that it is something else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod made;

use std::sync::Arc;

use flagstaff_flags::{Subject, User};
use flagstaff_source::{ParseOptions, Text, parse};
use made::made;

/// An export with a flag `f`, and what a visitor gets who is not logged in. `None`: the report says that it is something else here.
struct Case {
    system: &'static str,
    export: &'static str,
    options: &'static [&'static str],
    given: Option<&'static str>,
}

const fn case(system: &'static str, export: &'static str, given: Option<&'static str>) -> Case {
    Case { system, export, options: &[], given }
}

const UNLEASH_OF_USERS: &str = r#"{"features": [{"name": "f", "enabled": true, "strategies": [
    {"name": "flexibleRollout", "parameters": {"rollout": "100", "stickiness": "userId", "groupId": "f"}}]}]}"#;
const UNLEASH_GRADUAL: &str = r#"{"features": [{"name": "f", "enabled": true, "strategies": [
    {"name": "gradualRolloutUserId", "parameters": {"percentage": "100", "groupId": "f"}}]}]}"#;
const UNLEASH_EVERYBODY: &str = r#"{"features": [{"name": "f", "enabled": true, "strategies": [
    {"name": "flexibleRollout", "parameters": {"rollout": "100", "stickiness": "default", "groupId": "f"}}]}]}"#;
const UNLEASH_VARIANTS: &str = r#"{"features": [{"name": "f", "enabled": true, "strategies": [{"name": "default"}], "variants": [
    {"name": "red", "weight": 500, "stickiness": "userId"}, {"name": "blue", "weight": 500, "stickiness": "userId"}]}]}"#;
const UNLEASH_DEFAULT: &str = r#"{"features": [{"name": "f", "enabled": true, "strategies": [
    {"name": "flexibleRollout", "parameters": {"rollout": "50", "stickiness": "default", "groupId": "f"}}]}]}"#;
const GROWTHBOOK_TRUE: &str = r#"{"features": {"f": {"defaultValue": true, "rules": [
    {"key": "e", "variations": [false, true], "weights": [0.5, 0.5], "hashAttribute": "id"}]}}}"#;
const GROWTHBOOK_SIZES: &str = r#"{"features": {"f": {"defaultValue": 20, "rules": [
    {"condition": {"country": "AT"}, "variations": [50, 20], "key": "a", "hashAttribute": "id"},
    {"key": "e", "variations": [20, 50], "hashAttribute": "id"}]}}}"#;
const GROWTHBOOK_FORCED: &str = r#"{"features": {"f": {"defaultValue": "x", "rules": [
    {"force": "y", "coverage": 0.5, "hashAttribute": "id"}, {"condition": {"country": "AT"}, "force": "z"}]}}}"#;
const LAUNCHDARKLY_EMAIL: &str = r#"{"flags": {"f": {"on": true, "variations": ["a", "b"], "offVariation": 1, "salt": "s",
    "fallthrough": {"rollout": {"bucketBy": "email", "variations": [
        {"variation": 1, "weight": 0}, {"variation": 0, "weight": 50000}, {"variation": 1, "weight": 50000}]}}}}}"#;
const LAUNCHDARKLY_KEY: &str = r#"{"flags": {"f": {"on": true, "variations": [true, false], "offVariation": 1, "salt": "s",
    "fallthrough": {"rollout": {"variations": [{"variation": 0, "weight": 50000}, {"variation": 1, "weight": 50000}]}}}}}"#;
const FLAGD_COLOURS: &str = r#"{"flags": {"f": {"state": "ENABLED", "variants": {"red": "r", "blue": "b"}, "defaultVariant": "red",
    "targeting": {"fractional": [["blue", 50], ["red", 50]]}}}}"#;
const FLAGD_TEXT: &str = r#"{"flags": {"f": {"state": "ENABLED", "variants": {"red": "r", "blue": "b"}, "defaultVariant": "red",
    "targeting": {"fractional": [{"cat": ["x", {"var": "targetingKey"}]}, ["blue", 50], ["red", 50]]}}}}"#;
const CONFIGCAT: &str = r#"{"f": {"f": {"t": 1, "v": {"s": "x"},
    "p": [{"p": 50, "v": {"s": "x"}}, {"p": 50, "v": {"s": "y"}}]}}}"#;
const VERCEL: &str = r#"{"environment": "production", "definitions": {"f": {"variants": [20, 50], "seed": 1, "environments": {"production":
    {"rules": [], "fallthrough": {"type": "split", "base": ["user", "id"], "weights": [50, 50], "defaultVariant": 1}}}}}}"#;
const STATSIG: &str = r#"{"feature_gates": [{"name": "f", "salt": "s", "enabled": true, "defaultValue": false, "rules": [{"id": "r",
    "name": "r", "salt": "t", "passPercentage": 50, "returnValue": true, "idType": "userID", "conditions": [{"type": "public"}]}]}],
    "dynamic_configs": []}"#;

const CASES: [Case; 17] = [
    case("unleash", UNLEASH_OF_USERS, Some("off")),
    case("unleash", UNLEASH_GRADUAL, Some("off")),
    case("unleash", UNLEASH_EVERYBODY, Some("on")),
    case("unleash", UNLEASH_VARIANTS, None),
    case("unleash", UNLEASH_DEFAULT, None),
    Case { options: &["--unit", "userId=cookie.uid"], ..case("unleash", UNLEASH_OF_USERS, Some("off")) },
    case("growthbook", GROWTHBOOK_TRUE, Some("on")),
    case("growthbook", GROWTHBOOK_SIZES, Some("20")),
    case("growthbook", GROWTHBOOK_FORCED, Some("x")),
    Case { options: &["--unit", "email=header.x-email"], ..case("launchdarkly", LAUNCHDARKLY_EMAIL, Some("a")) },
    case("launchdarkly", LAUNCHDARKLY_KEY, Some("off")),
    Case { options: &["--formula-version", "2"], ..case("flagd", FLAGD_COLOURS, Some("red")) },
    Case { options: &["--formula-version", "2"], ..case("flagd", FLAGD_TEXT, None) },
    case("configcat", CONFIGCAT, Some("x")),
    Case { options: &["--unit", "user.id=user"], ..case("vercel", VERCEL, Some("50")) },
    case("statsig", STATSIG, None),
    Case { options: &["--unit", "userID=visitor"], ..case("statsig", STATSIG, Some("drawn")) },
];

#[test]
fn those_without_an_id_get_what_they_got() {
    for Case { system, export, options, given } in CASES {
        let made = made(system, export, options);
        assert_eq!(made.report.is_exact(), given.is_some(), "{system}: {:?}\n{}", made.report, made.toml);
        let text = Text { name: "flags.toml", bytes: made.toml.as_bytes() };
        let flags = Arc::new(parse(text, None, &ParseOptions::default()).unwrap().snapshot);
        let subject = Subject::at(jiff::Timestamp::UNIX_EPOCH).visitor("v");
        let variant = flags.decide(&subject).variant("f").to_owned();
        if let Some(given) = given.filter(|given| *given != "drawn") {
            assert_eq!(variant, given, "{system}\n{}", made.toml);
        }
    }
}

#[test]
fn those_with_an_id_are_drawn_as_before() {
    for (system, export) in [
        ("unleash", UNLEASH_OF_USERS),
        ("growthbook", GROWTHBOOK_TRUE),
        ("flagd", FLAGD_COLOURS),
        ("configcat", CONFIGCAT),
    ] {
        let made = made(system, export, &[]);
        let text = Text { name: "flags.toml", bytes: made.toml.as_bytes() };
        let flags = Arc::new(parse(text, None, &ParseOptions::default()).unwrap().snapshot);
        let variant = |id: usize| {
            let user = User { id: format!("u{id}"), groups: Vec::new(), roles: Vec::new() };
            let subject = Subject { user: Some(&user), ..Subject::at(jiff::Timestamp::UNIX_EPOCH) };
            flags.decide(&subject).variant("f").to_owned()
        };
        let seen: std::collections::BTreeSet<_> = (0..50).map(variant).collect();
        let wanted = if export == UNLEASH_OF_USERS { 1 } else { 2 };
        assert_eq!(seen.len(), wanted, "{system}: {seen:?}");
        assert!(export != UNLEASH_OF_USERS || seen.contains("on"), "{seen:?}");
    }
}
