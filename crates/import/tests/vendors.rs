//! What flags of Unleash, GrowthBook and LaunchDarkly become.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may fail loudly")]

mod made;

use made::made;

#[track_caller]
fn says(toml: &str, parts: &[&str]) {
    for part in parts {
        assert!(toml.contains(part), "no {part}\n{toml}");
    }
}

const UNLEASH: &str = r#"{"features": [
    {"name": "a.b", "enabled": true, "strategies": [
        {"name": "flexibleRollout", "parameters": {"rollout": "12.5", "stickiness": "default", "groupId": "g"}}]},
    {"name": "a-b", "enabled": true, "strategies": [{"name": "default", "constraints": [
        {"contextName": "region", "operator": "IN", "values": ["x\"y\n", "*"], "inverted": true},
        {"contextName": "currentTime", "operator": "DATE_AFTER", "value": "2026-01-01T00:00:00.000Z"}]}]},
    {"name": "own", "enabled": true, "strategies": [{"name": "mine"}]}
]}"#;

#[test]
fn unleash_rounds_down_and_tells_names_apart() {
    let made = made("unleash", UNLEASH, &["--unit", "default=visitor"]);
    says(
        &made.toml,
        &[
            "[flags.a_b]\n",
            "percent = 12\n",
            r#"hash = { as = "unleash", group = "g" }"#,
            "bucket_by = \"visitor\"",
            "[flags.a_b_2]\n",
            "after = 2026-01-01T00:00:00Z",
        ],
    );
    let lost: Vec<_> = made.report.flags.iter().map(|flag| flag.lost.join(" ")).collect();
    assert!(lost[0].is_empty() && lost[1].contains("`region`") && lost[2].contains("strategy `mine`"), "{lost:?}");
}

#[test]
fn an_export_of_unleash_has_one_environment() {
    let export = r#"{"features": [{"name": "a"}], "featureStrategies": [
        {"featureName": "a", "environment": "dev", "name": "default"},
        {"featureName": "a", "environment": "production", "name": "flexibleRollout", "parameters": {"rollout": "5", "stickiness": "userId"}}],
        "featureEnvironments": [{"featureName": "a", "environment": "dev", "enabled": false},
        {"featureName": "a", "environment": "production", "enabled": true}]}"#;
    assert!(made::error("unleash", export).contains("--environment: `dev`, `production`"));
    says(&made("unleash", export, &["--environment", "production"]).toml, &["percent = 5\n", r#"group = "a""#]);
    says(&made("unleash", export, &["--environment", "dev"]).toml, &["enabled = false\n"]);
}

#[test]
fn a_namespace_of_growthbook_is_a_layer() {
    let features = r#"{"features": {
        "one": {"defaultValue": "x", "rules": [{"key": "e", "variations": ["x", "y"], "namespace": ["n", 0, 0.5], "hashAttribute": "id"}]},
        "two": {"defaultValue": "x", "rules": [{"key": "f", "variations": ["x", "y"], "namespace": ["n", 0.25, 1], "hashAttribute": "id"}]},
        "three": {"defaultValue": false, "rules": [{"force": true, "coverage": 0.25, "hashAttribute": "id"}, {"condition": {"id": "7"}, "force": true}]}}}"#;
    let made = made("growthbook", features, &[]);
    says(
        &made.toml,
        &[
            "[layers.n]\n",
            "[layers.n_2]\n",
            r#"hash = { as = "growthbook", seed = "__n" }"#,
            "slices = { one = [0, 50] }",
            "slices = { two = [25, 100] }",
            "percent = 25.1\n",
        ],
    );
    assert!(made.report.is_exact(), "{:?}", made.report);
}

#[test]
fn launchdarkly_keeps_parts_and_people_apart() {
    let data = r#"{"flags": {"f": {"on": true, "variations": ["a", "b"], "offVariation": 0, "salt": "s",
        "contextTargets": [{"contextKind": "org", "variation": 1, "values": ["o1"]}],
        "rules": [{"clauses": [{"attribute": "/address/city", "op": "in", "values": ["Graz"], "negate": true}], "variation": 1}],
        "fallthrough": {"rollout": {"variations": [{"variation": 0, "weight": 10000}, {"variation": 1, "weight": 10000}, {"variation": 0, "weight": 80000}]}}}},
        "flagValues": {"v": {"x": null}}}"#;
    let mapped = ["--attribute", "org.key=header.x-org", "--attribute", "address.city=city"];
    let made = made("launchdarkly", data, &mapped);
    says(
        &made.toml,
        &[
            r#""header.x-org" = "o1""#,
            r#"city = { not = "Graz", matches = "" }"#,
            r#"variants = { a = 10, off = 0, b = 10, a_2 = 80 }"#,
            r#"key = "f", salt = "s""#,
        ],
    );
    assert!(made.report.flags[1].lost.join(" ").contains("no null in TOML"));
}

#[test]
fn features_of_one_namespace_that_go_by_different_attributes_are_in_layers_of_their_own() {
    let rule = |key: &str, attribute: &str, from: &str, to: &str| {
        format!(
            r#"{{"defaultValue": "a", "rules": [{{"key": "{key}", "variations": ["a", "b"], "weights": [0.5, 0.5],
                "hashAttribute": "{attribute}", "namespace": ["page", {from}, {to}]}}]}}"#
        )
    };
    let export = format!(
        r#"{{"features": {{"one": {}, "two": {}, "three": {}}}}}"#,
        rule("k1", "id", "0", "0.3"),
        rule("k2", "sessionId", "0.3", "0.6"),
        rule("k3", "id", "0.6", "1")
    );
    let toml = made("growthbook", &export, &[]).toml;
    says(&toml, &["[layers.page]", "one = [0, 30]", "three = [60, 100]", "two = [30, 60]"]);
    assert_eq!(toml.matches("[layers.").count(), 2, "{toml}");
}

#[test]
fn a_requirement_names_the_variant_as_it_is_called_here() {
    let made = |wanted: usize| {
        let export = format!(
            r#"{{"flags": {{
                "menu": {{"on": true, "variations": ["Ganz neu", "alt"], "offVariation": 1, "salt": "s", "fallthrough": {{"variation": 0}}}},
                "needs": {{"on": true, "variations": [true, false], "offVariation": 1, "salt": "s",
                    "prerequisites": [{{"key": "menu", "variation": {wanted}}}], "fallthrough": {{"variation": 0}}}}}}}}"#
        );
        made("launchdarkly", &export, &[]).toml
    };
    assert!(made(0).contains("requires = { menu = \"Ganz_neu\" }"), "{}", made(0));
    assert!(made(1).contains("requires = { menu = \"alt\" }"), "{}", made(1));
    assert!(!made(7).contains("requires"), "{}", made(7));
}

#[test]
fn whom_a_strategy_of_unleash_leaves_out_goes_on_to_the_next() {
    let strategy = |group: &str, rollout: u32| {
        format!(
            r#"{{"name": "flexibleRollout", "parameters": {{"rollout": "{rollout}", "stickiness": "userId", "groupId": "{group}"}}}}"#
        )
    };
    let list = format!("{},{},{}", strategy("first", 10), strategy("second", 20), strategy("third", 30));
    let made = made(
        "unleash",
        &format!(r#"{{"features": [{{"name": "a", "enabled": true, "strategies": [{list}]}}]}}"#),
        &[],
    );
    says(
        &made.toml,
        &[
            "[flags.a]\npercent = 30\nhash = { as = \"unleash\", group = \"third\" }\n",
            "percent = 10\nhash = { as = \"unleash\", group = \"first\" }\notherwise = \"next\"\n",
            "percent = 20\nhash = { as = \"unleash\", group = \"second\" }\notherwise = \"next\"\n",
        ],
    );
    assert!(made.report.is_exact(), "{:?}", made.report);
}

#[test]
fn whom_coverage_of_growthbook_leaves_out_goes_on_to_the_next_rule() {
    let features = r#"{"features": {"a": {"defaultValue": false, "rules": [
        {"force": true, "coverage": 0.25, "hashAttribute": "id", "seed": "s"},
        {"condition": {"id": "7"}, "variations": [false, true], "key": "e", "hashAttribute": "id"},
        {"condition": {"country": "DE"}, "force": true}]}}}"#;
    let made = made("growthbook", features, &[]);
    says(
        &made.toml,
        &[
            "variants = { off = 100, on = 0 }\n",
            "percent = 25.1\nvariants = { on = 100 }\nhash = { as = \"growthbook\", seed = \"s\" }\notherwise = \"next\"\n",
            "variants = { off = 50, on = 50 }\nhash = { as = \"growthbook\", seed = \"e\" }\notherwise = \"next\"\n",
        ],
    );
    assert!(made.report.is_exact(), "{:?}", made.report);
}
