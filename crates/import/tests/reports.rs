//! What is not carried is said, and what can be carried reads well.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may fail loudly")]

mod made;

use flagstaff_import::{Carried, Import};
use made::{error, made};

/// What a flag became, and what is said of it.
#[track_caller]
fn said(made: &Import, origin: &str) -> (Carried, String) {
    let flag = made.report.flags.iter().find(|flag| flag.origin == origin).unwrap();
    (flag.carried, [flag.lost.clone(), flag.remarks.clone()].concat().join("\n"))
}

#[track_caller]
fn assert_in_part(made: &Import, origin: &str, wanted: &str) {
    let (carried, notes) = said(made, origin);
    assert_eq!(carried, Carried::InPart, "{notes}");
    assert!(notes.contains(wanted), "{notes}\n{}", made.toml);
}

#[test]
fn posthog_groups_of_conditions_become_rules() {
    let export = r#"{"flags": [{"key": "New-Form", "active": true, "filters": {"groups": [
        {"properties": [{"key": "$geoip_country_code", "value": ["DE"], "operator": "exact"}], "rollout_percentage": 50},
        {"properties": [], "rollout_percentage": 10}]}}]}"#;
    let made = made("posthog", export, &[]);
    assert_eq!(
        said(&made, "New-Form"),
        (Carried::Exactly, "Was `New-Form` in PostHog. Code must ask for `new_form`.".into())
    );
    let flag =
        "[flags.new_form]\npercent = 10\nhash = { as = \"posthog\", key = \"New-Form\" }\nbucket_by = \"user\"\n";
    assert!(made.toml.contains(flag), "{}", made.toml);
    assert!(
        made.toml
            .contains("[[flags.new_form.rules]]\nif = { country = { matches = \"(?i)^(?:DE)$\" } }\npercent = 50\n"),
        "{}",
        made.toml
    );
}

#[test]
fn what_posthog_keeps_to_itself_is_said() {
    let flag = |key: &str, more: &str, group: &str| {
        format!(r#"{{"key": "{key}", "active": true {more}, "filters": {{"groups": [{group}]}}}}"#)
    };
    let cohort = r#"{"properties": [{"type": "cohort", "value": 3}], "rollout_percentage": 20}"#;
    let flags = [
        flag("cohort", "", cohort),
        flag("kept", r#", "ensure_experience_continuity": true"#, "{}"),
        flag("company", "", r#"{"properties": [], "rollout_percentage": 20, "aggregation_group_type_index": 0}"#),
        flag("dates", "", r#"{"properties": [{"key": "joined", "operator": "is_date_after", "value": "-7d"}]}"#),
        flag("fine", "", r#"{"rollout_percentage": 33.33333}"#),
    ];
    let made = made("posthog", &format!(r#"{{"flags": [{}], "cohorts": {{}}}}"#, flags.join(",")), &[]);
    assert_in_part(&made, "cohort", "cohort 3 are not in the export");
    assert_in_part(&made, "kept", "before they logged in");
    assert_in_part(&made, "company", "another kind of group");
    assert_in_part(&made, "dates", "`is_date_after`");
    assert_in_part(&made, "fine", "33.33333 percent is 33.333 here");
    assert!(error("posthog", r#"{"count": 3}"#).contains("no list `flags`"));
}

#[test]
fn what_configcat_hashes_cannot_be_read_back() {
    let export = r#"{"f": {"a": {"t": 0, "r": [
        {"c": [{"u": {"a": "Identifier", "c": 16, "l": ["ab12"]}}], "s": {"v": {"b": true}}},
        {"c": [{"p": {"f": "other", "c": 0, "v": {"b": true}}}], "s": {"v": {"b": true}}},
        {"c": [{"u": {"a": "Custom", "c": 28, "s": "x*y"}}], "s": {"v": {"b": true}}}], "v": {"b": false}}}}"#;
    let made = made("configcat", export, &["--attribute", "Custom=header.x-custom"]);
    assert_in_part(&made, "a", "confidential");
    assert_in_part(&made, "a", "value of `other`");
    assert!(made.toml.contains(r#""header.x-custom" = { matches = "#), "{}", made.toml);
}

#[test]
fn flagsmith_splits_by_the_key_of_the_segment() {
    let made = made(
        "flagsmith",
        include_str!("../../../tests/apps/import/flagsmith.json"),
        &["--attribute", "plan=plan", "--attribute", "age=age", "--attribute", "email=email"],
    );
    assert_eq!(said(&made, "new_checkout"), (Carried::Exactly, String::new()));
    let toml = &made.toml;
    assert!(toml.contains(r#"key = "5", prefix = "B62qaMZNwfiqT76p38ggrQ_""#), "{toml}");
    assert!(toml.contains("percent = 33.306\n"), "{toml}");
    assert!(toml.contains("[segments.pro_in_germany]"), "{toml}");
}

#[test]
fn layers_of_statsig_are_said_and_a_second_draw_is_a_rule_of_its_own() {
    let bucket = |salt: &str, bound: u32| {
        format!(
            r#"{{"type": "user_bucket", "operator": "lt", "targetValue": {bound}, "additionalValues": {{"salt": "{salt}"}}, "idType": "userID"}}"#
        )
    };
    let rule = |conditions: &str, value: u32| {
        format!(
            r#"{{"id": "r", "name": "r{value}", "passPercentage": 100, "returnValue": {{"x": {value}}}, "conditions": [{conditions}], "idType": "userID"}}"#
        )
    };
    let rules = [rule(&bucket("size", 100), 1), rule(&bucket("groups", 500), 2)].join(",");
    let export = format!(
        r#"{{"feature_gates": [], "dynamic_configs": [{{"name": "e", "salt": "s", "enabled": true, "defaultValue": {{}}, "rules": [{rules}]}}],
            "layer_configs": [{{"name": "l"}}]}}"#
    );
    let made = made("statsig", &export, &["--unit", "userID=visitor"]);
    assert_eq!(said(&made, "e").0, Carried::Exactly, "{}", made.toml);
    assert!(made.toml.contains("otherwise = \"next\"\n"), "{}", made.toml);
    assert_eq!(said(&made, "l").0, Carried::Not);
}

#[test]
fn flipper_actors_have_a_class() {
    let made = made(
        "flipper",
        include_str!("../../../tests/apps/import/flipper.json"),
        &["--attribute", "plan=plan", "--attribute", "age=age"],
    );
    let toml = &made.toml;
    assert!(toml.contains(r#"hash = { as = "flipper", key = "search", prefix = "User;" }"#), "{toml}");
    assert!(toml.contains(r#"if = { user = ["user-1", "user-2"] }"#), "{toml}");
    assert_in_part(&made, "search", "`Team;9`");
    assert_in_part(&made, "for_admins", "group admins");
    assert!(toml.contains("[flags.sampled]\npercent = 10\nbucket_by = \"request\"\n"), "{toml}");
}

#[test]
fn goff_reads_toml_and_says_what_moves() {
    let toml = made("goff", include_str!("../../../tests/apps/import/goff.toml"), &[]);
    assert!(toml.toml.contains("[flags.plain_share]\npercent = 30\n"), "{}", toml.toml);
    let yaml = "a:\n  variations: { on: true, off: false }\n  defaultRule:\n    progressiveRollout:\n      initial: { variation: off, date: 2020-01-01T00:00:00Z }\n      end: { variation: on, date: 2990-01-01T00:00:00Z }\nb:\n  variations: { on: true, off: false }\n  targeting: [{ query: 'a ??? b', variation: on }]\n  defaultRule: { variation: off }\n";
    let made = made("goff", yaml, &[]);
    assert_in_part(&made, "a", "rises from 0 to 100");
    assert_in_part(&made, "b", "is not understood");
    assert!(error("goff", "a: 1").contains("`variations`"));
}

#[test]
fn azure_in_the_schema_of_dotnet_and_as_key_values() {
    let dotnet = r#"{"FeatureManagement": {"A": true, "B": false, "C": {"RequirementType": "Any", "EnabledFor": [
        {"Name": "Percentage", "Parameters": {"Value": 25}}]}, "D": {"EnabledFor": [{"Name": "MyOwn"}]}}}"#;
    let made_of = made("azure", dotnet, &[]);
    assert!(made_of.toml.contains("percent = 25\nbucket_by = \"request\"\n"), "{}", made_of.toml);
    assert_in_part(&made_of, "D", "`MyOwn`");
    let value = r#"{\"id\": \"X\", \"enabled\": true, \"conditions\": {\"client_filters\": []}}"#;
    let items = format!(
        r#"{{"items": [{{"key": ".appconfig.featureflag/X", "label": "prod", "value": "{value}"}}, {{"key": "other", "value": "1"}}]}}"#
    );
    let made_of = made("azure", &items, &["--environment", "prod"]);
    assert_eq!(said(&made_of, "X").0, Carried::Exactly);
}

#[test]
fn vercel_needs_an_environment_that_is_there() {
    let made = made("vercel", include_str!("../../../tests/apps/import/vercel.json"), &["--environment", "preview"]);
    assert_eq!(said(&made, "plain-share").0, Carried::Exactly);
    assert_eq!(said(&made, "colour").0, Carried::Not);
    assert!(said(&made, "colour").1.contains("no environment `preview`"));
}

#[test]
fn what_has_no_name_is_known_by_its_place() {
    let made_of = |system, export| made(system, export, &[]).report;
    let flags =
        r#"{"flags": [{"key": "a", "variants": {"on": true}, "defaultVariant": "on"}, {}, {"variants": {"": 1}}]}"#;
    let report = made_of("flagd", flags);
    let origins: Vec<_> = report.flags.iter().map(|flag| flag.origin.as_str()).collect();
    assert_eq!(origins, ["a", "flag 2 of the export", "flag 3 of the export"]);
    assert_eq!(report.flags[1].lost, ["it has no variants"]);
    let said = |report: &flagstaff_import::Report| format!("{:?}", report.flags);
    assert!(said(&report).contains("It has no name in the export.") && !said(&report).contains("``"), "{report:?}");
    let unleash = r#"{"features": [{"enabled": true, "strategies": [
        {"name": "flexibleRollout", "parameters": {"rollout": "5"}, "constraints": [{"operator": "IN", "values": ["x"]}]}]}]}"#;
    let report = made_of("unleash", unleash);
    assert!(said(&report).contains("which attribute it looks at") && !said(&report).contains("``"), "{report:?}");
}
