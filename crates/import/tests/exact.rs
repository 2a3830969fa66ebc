//! What a system compares exactly is compared exactly here. A flag file takes a language with its regions, and a browser's name in any case: the
//! import must not write such words, or the report would be wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod made;

use std::borrow::Cow;
use std::sync::Arc;

use flagstaff_flags::{Attributes, Snapshot, Subject, User};
use flagstaff_import::System;
use flagstaff_source::{ParseOptions, Text, parse};
use made::made;

/// Systems that are asked about people by attributes, each with a flag `f` that is on for those whose attribute is `WORD`.
const EXPORTS: [(&str, &str); 13] = [
    (
        "unleash",
        r#"{"features": [{"name": "f", "enabled": true, "strategies": [{"name": "default",
            "constraints": [{"contextName": "ATTRIBUTE", "operator": "IN", "values": ["WORD"]}]}]}]}"#,
    ),
    (
        "growthbook",
        r#"{"features": {"f": {"defaultValue": false, "rules": [{"condition": {"ATTRIBUTE": "WORD"}, "force": true}]}}}"#,
    ),
    (
        "growthbook",
        r#"{"features": {"f": {"defaultValue": false, "rules": [{"condition": {"ATTRIBUTE": {"$in": ["WORD"]}}, "force": true}]}}}"#,
    ),
    (
        "launchdarkly",
        r#"{"flags": {"f": {"on": true, "variations": [true, false], "offVariation": 1, "fallthrough": {"variation": 1}, "salt": "s",
            "rules": [{"clauses": [{"attribute": "ATTRIBUTE", "op": "in", "values": ["WORD"]}], "variation": 0}]}}}"#,
    ),
    (
        "flagd",
        r#"{"flags": {"f": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
            "targeting": {"if": [{"==": [{"var": "ATTRIBUTE"}, "WORD"]}, "on", "off"]}}}}"#,
    ),
    (
        "flagsmith",
        r#"{"id": 1, "api_key": "k", "project": {"id": 1, "segments": [{"id": 4, "name": "s", "rules": [{"type": "ALL", "rules": [],
            "conditions": [{"operator": "EQUAL", "property_": "ATTRIBUTE", "value": "WORD"}]}], "feature_states": [{"django_id": 2,
            "feature": {"id": 1, "name": "f", "type": "STANDARD"}, "enabled": true, "feature_state_value": null,
            "featurestate_uuid": "u", "multivariate_feature_state_values": []}]}]},
            "feature_states": [{"django_id": 1, "feature": {"id": 1, "name": "f", "type": "STANDARD"}, "enabled": false,
            "feature_state_value": null, "featurestate_uuid": "v", "multivariate_feature_state_values": []}]}"#,
    ),
    (
        "flipper",
        r#"{"version": 1, "features": {"f": {"boolean": null, "groups": [], "actors": [], "percentage_of_actors": null,
            "percentage_of_time": null, "expression": {"Equal": [{"Property": ["ATTRIBUTE"]}, "WORD"]}}}}"#,
    ),
    (
        "flipt",
        r#"{"namespace": "default", "flags": [{"key": "f", "type": "BOOLEAN_FLAG_TYPE", "enabled": false,
            "rollouts": [{"segment": {"key": "s", "value": true}}]}], "segments": [{"key": "s", "match_type": "ALL_MATCH_TYPE",
            "constraints": [{"type": "STRING_COMPARISON_TYPE", "property": "ATTRIBUTE", "operator": "eq", "value": "WORD"}]}]}"#,
    ),
    (
        "goff",
        r#"{"f": {"variations": {"on": true, "off": false}, "targeting": [{"query": "ATTRIBUTE in [\"WORD\"]", "variation": "on"}],
            "defaultRule": {"variation": "off"}}}"#,
    ),
    (
        "configcat",
        r#"{"f": {"f": {"t": 0, "r": [{"c": [{"u": {"a": "ATTRIBUTE", "c": 28, "s": "WORD"}}], "s": {"v": {"b": true}}}],
            "v": {"b": false}}}}"#,
    ),
    (
        "statsig",
        r#"{"feature_gates": [{"name": "f", "salt": "s", "enabled": true, "defaultValue": false, "rules": [{"id": "r", "name": "r",
            "passPercentage": 100, "returnValue": true, "idType": "userID", "conditions": [{"type": "user_field",
            "operator": "any_case_sensitive", "field": "ATTRIBUTE", "targetValue": ["WORD"]}]}]}], "dynamic_configs": []}"#,
    ),
    (
        "vercel",
        r#"{"environment": "production", "definitions": {"f": {"variants": [false, true], "seed": 1, "environments": {"production":
            {"rules": [{"conditions": [[["ATTRIBUTE"], "eq", "WORD"]], "outcome": 1}], "fallthrough": 0}}}}}"#,
    ),
    (
        "posthog",
        r#"{"flags": [{"key": "f", "active": true, "filters": {"groups": [{"rollout_percentage": 100,
            "properties": [{"key": "ATTRIBUTE", "value": ["WORD"], "operator": "exact"}]}]}}]}"#,
    ),
];

/// A browser that says its name.
struct Browser(&'static str);

impl Attributes for Browser {
    fn header(&self, name: &str) -> Option<&str> {
        (name == "user-agent").then_some(self.0)
    }

    fn cookie(&self, _: &str) -> Option<&str> {
        None
    }

    fn query(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }

    fn attribute(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}

/// The flags of a file that was carried exactly.
#[track_caller]
fn carried(system: &str, export: &str, attribute: &str, word: &str, options: &[&str]) -> Arc<Snapshot> {
    let export = export.replace("ATTRIBUTE", attribute).replace("WORD", word);
    let made = made(system, &export, options);
    assert!(made.report.is_exact(), "{system}: {:?}", made.report);
    let text = Text { name: "flags.toml", bytes: made.toml.as_bytes() };
    Arc::new(parse(text, None, &ParseOptions::default()).unwrap_or_else(|e| panic!("{e:?}")).snapshot)
}

fn subject() -> Subject<'static> {
    Subject::at(jiff::Timestamp::UNIX_EPOCH).visitor("v")
}

#[test]
fn every_system_that_looks_at_attributes_is_asked() {
    let asked = |system: &System| EXPORTS.iter().any(|(name, _)| *name == system.word());
    let others: Vec<_> = System::all().filter(|system| !asked(system)).map(System::word).collect();
    assert_eq!(others, ["azure", "waffle"]);
}

#[test]
fn a_language_is_not_its_regions() {
    for (system, export) in EXPORTS {
        let flags = carried(system, export, "language", "de", &[]);
        let is_on = |language| flags.decide(&Subject { language: Some(language), ..subject() }).is_on("f");
        assert_eq!(["de", "de-AT", "d"].map(is_on), [true, false, false], "{system}");
    }
}

#[test]
fn an_address_is_not_a_range() {
    for (system, export) in EXPORTS {
        let flags = carried(system, export, "ip", "10.0.0.0/8", &[]);
        let is_on = |ip: &str| flags.decide(&Subject { ip: ip.parse().ok(), ..subject() }).is_on("f");
        assert!(!is_on("10.0.0.0") && !is_on("10.1.2.3"), "{system}");
        let flags = carried(system, export, "ip", "192.0.2.1", &[]);
        let is_on = |ip: &str| flags.decide(&Subject { ip: ip.parse().ok(), ..subject() }).is_on("f");
        assert!(is_on("192.0.2.1") && !is_on("192.0.2.10"), "{system}");
    }
}

#[test]
fn a_browser_is_not_one_in_another_case() {
    // PostHog itself compares in any case.
    for (system, export) in EXPORTS.into_iter().filter(|(system, _)| *system != "posthog") {
        let flags = carried(system, export, "userAgent", "Shop/2", &[]);
        let is_on = |name| flags.decide(&Subject { attributes: &Browser(name), ..subject() }).is_on("f");
        assert_eq!(["Shop/2", "shop/2", "Shop/2.1"].map(is_on), [true, false, false], "{system}");
    }
}

#[test]
fn a_role_is_not_a_part_of_another() {
    let holds = r#"{"flags": {"f": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
        "targeting": {"if": [{"in": ["WORD", {"var": "ATTRIBUTE"}]}, "on", "off"]}}}}"#;
    for key in ["role", "roles", "group", "groups"] {
        let flags = carried("flagd", holds, "teams", "admin", &["--attribute", &format!("teams={key}")]);
        let is_on = |name: &str| {
            let names = vec!["staff".to_owned(), name.to_owned()];
            let user = User { id: "u".into(), groups: names.clone(), roles: names };
            flags.decide(&Subject { user: Some(&user), ..subject() }).is_on("f")
        };
        assert_eq!(["admin", "administrator", "subadmin"].map(is_on), [true, false, false], "{key}");
    }
    let flags = carried("flagd", holds, "userAgent", "Shop", &[]);
    let is_on = |name| flags.decide(&Subject { attributes: &Browser(name), ..subject() }).is_on("f");
    assert!(is_on("Shop/2") && !is_on("shop/2"), "a text has parts");
}
