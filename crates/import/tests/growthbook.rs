//! Rules of GrowthBook that hash more than one thing, or do not decide for whom they draw.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may fail loudly")]

mod made;

use flagstaff_import::{Carried, Import};
use made::made;

/// A feature that has this rule alone.
fn feature(rule: &str) -> Import {
    let export = format!(r#"{{"features": {{"f": {{"defaultValue": false, "rules": [{rule}]}}}}}}"#);
    made("growthbook", &export, &[])
}

#[track_caller]
fn lost(made: &Import) -> String {
    assert_eq!(made.report.flags[0].carried, Carried::InPart, "{}", made.toml);
    made.report.flags[0].lost.join(" ")
}

#[test]
fn who_passes_through_a_variation_is_not_given_it() {
    let rule = |passthrough: &str| {
        feature(&format!(
            r#"{{"key": "holdout", "variations": [false, true], "weights": [0.1, 0.9], "hashAttribute": "id",
                "meta": [{{"key": "0"}}, {{"key": "1" {passthrough}}}]}}"#
        ))
    };
    for kept in ["", r#", "passthrough": false"#] {
        assert!(rule(kept).report.is_exact(), "{:?}", rule(kept).report);
    }
    let made = rule(r#", "passthrough": true"#);
    assert!(
        lost(&made).contains("A rule is not carried: ") && lost(&made).contains("`passthrough`"),
        "{:?}",
        lost(&made)
    );
    assert!(!made.toml.contains("hash = "), "{}", made.toml);
}

/// A filter that hashes an attribute.
fn filter(attribute: &str) -> String {
    format!(r#""filters": [{{"seed": "s" {attribute}, "hashVersion": 2, "ranges": [[0, 0.5]]}}]"#)
}

#[test]
fn a_filter_hashes_its_own_attribute() {
    let units = [("", "user"), (r#", "attribute": "id""#, "user"), (r#", "attribute": "sessionId""#, "session")];
    for (attribute, unit) in units {
        let made = feature(&format!(r#"{{"force": true, {}}}"#, filter(attribute)));
        assert!(made.toml.contains(&format!("bucket_by = \"{unit}\"\n")), "{attribute}: {}", made.toml);
        assert!(made.toml.contains("slices = { f = [0, 50] }"), "{}", made.toml);
        assert!(made.report.is_exact(), "{attribute}: {:?}", made.report);
    }
}

#[test]
fn a_filter_and_a_draw_that_hash_different_attributes_are_said() {
    let rule = |draws: &str, filters: &str| {
        feature(&format!(r#"{{"key": "e", "variations": [false, true], {draws} {}}}"#, filter(filters)))
    };
    let (user, session) = (r#""hashAttribute": "id","#, r#", "attribute": "sessionId""#);
    assert!(rule(user, "").report.is_exact() && rule("", "").report.is_exact());
    assert!(rule(r#""hashAttribute": "sessionId","#, session).report.is_exact());
    for made in [rule(user, session), rule("", session), rule(r#""hashAttribute": "sessionId","#, "")] {
        assert!(
            lost(&made).contains("hashes `id`") || lost(&made).contains("`id`. A flag hashes one id"),
            "{}",
            lost(&made)
        );
    }
}

#[test]
fn where_there_is_a_filter_the_older_namespace_is_passed_over() {
    let rule = format!(r#"{{"key": "e", "variations": [false, true], "namespace": ["n", 0.5, 1], {}}}"#, filter(""));
    let made = feature(&rule);
    assert!(made.toml.contains("slices = { f = [0, 50] }") && made.toml.contains(r#"seed = "s""#), "{}", made.toml);
}

#[test]
fn a_namespace_is_for_experiments() {
    let made = feature(r#"{"force": true, "namespace": ["n", 0.5, 1]}"#);
    assert!(!made.toml.contains("[layers") && made.toml.contains("percent = 100\n"), "{}", made.toml);
    assert!(made.report.is_exact(), "{:?}", made.report);
}

#[test]
fn a_gate_behind_other_rules_is_said() {
    let gate = r#"{"parentConditions": [{"id": "base", "condition": {"value": true}, "gate": true}]}"#;
    let features = |rules: &str| {
        let export = format!(
            r#"{{"features": {{"f": {{"defaultValue": false, "rules": [{rules}, {{"force": true}}]}}, "base": {{"defaultValue": true}}}}}}"#
        );
        made("growthbook", &export, &[])
    };
    let first = features(gate);
    assert!(first.report.is_exact() && first.toml.contains("requires = [\"base\"]"), "{}", first.toml);
    let made = features(&format!(r#"{{"condition": {{"country": "AT"}}, "force": true}}, {gate}"#));
    assert!(lost(&made).contains("asks for `base` behind other rules"), "{}", lost(&made));
    assert!(made.toml.contains("requires = [\"base\"]"), "{}", made.toml);
}
