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

#[test]
fn a_variation_in_several_parts_cannot_be_asked_for() {
    let needs = |rollout: &str| {
        let export = format!(
            r#"{{"flags": {{
                "exp": {{"on": true, "variations": [true, false], "offVariation": 1, "salt": "s", "fallthrough": {{"rollout": {{"variations": [{rollout}]}}}}}},
                "f": {{"on": true, "variations": [true, false], "offVariation": 1, "salt": "s",
                    "prerequisites": [{{"key": "exp", "variation": 0}}], "fallthrough": {{"variation": 0}}}}}}}}"#
        );
        made("launchdarkly", &export, &[])
    };
    let split = needs(
        r#"{"variation": 0, "weight": 10000}, {"variation": 1, "weight": 20000}, {"variation": 0, "weight": 70000, "untracked": true}"#,
    );
    assert!(!split.toml.contains("requires"), "{}", split.toml);
    assert!(split.report.flags[1].lost.join(" ").contains("splits into parts"), "{:?}", split.report);
    let whole = needs(
        r#"{"variation": 0, "weight": 10000}, {"variation": 0, "weight": 20000, "untracked": true}, {"variation": 1, "weight": 70000}"#,
    );
    assert!(whole.toml.contains("requires = { exp = \"on\" }"), "{}", whole.toml);
    assert!(whole.report.flags[1].lost.is_empty(), "{:?}", whole.report);
}

#[test]
fn targets_of_launchdarkly_are_asked_in_the_order_of_context_targets() {
    let export = r#"{"flags": {"f": {"on": true, "variations": ["a", "b"], "offVariation": 0, "salt": "s",
        "targets": [{"variation": 0, "values": ["bob"]}, {"variation": 1, "values": ["eve"]}],
        "contextTargets": [{"contextKind": "org", "variation": 1, "values": ["acme"]}, {"contextKind": "user", "variation": 0, "values": []}],
        "fallthrough": {"variation": 0}}}}"#;
    let made = made("launchdarkly", export, &["--attribute", "org.key=header.x-org"]);
    let rules: Vec<_> = made.toml.lines().filter(|line| line.starts_with("if = ")).collect();
    assert_eq!(rules, [r#"if = { "header.x-org" = "acme" }"#, r#"if = { user = "bob" }"#], "{}", made.toml);
}

#[test]
fn a_variant_of_unleash_called_off_does_not_turn_the_feature_off() {
    let export = r#"{"features": [{"name": "f", "enabled": true, "strategies": [{"name": "default"}], "variants": [
        {"name": "on", "weight": 500, "stickiness": "userId"}, {"name": "off", "weight": 500, "stickiness": "userId"}]}]}"#;
    let made = made("unleash", export, &["--unit", "userId=visitor"]);
    says(&made.toml, &["variants = { off = 0, on = 50, off_2 = 50 }", "values = { off = false }"]);
    assert!(
        made.report.flags[0].remarks.join(" ").contains("The variant `off` is `off_2` here"),
        "{:?}",
        made.report
    );
}

#[test]
fn a_member_of_a_list_that_is_no_word_is_not_passed_over() {
    for (system, export) in [
        (
            "launchdarkly",
            r#"{"flags": {"f": {"on": true, "variations": [true, false], "offVariation": 1, "fallthrough": {"variation": 1}, "salt": "s",
                "rules": [{"clauses": [{"attribute": "country", "op": "in", "values": ["AT", null], "negate": true}], "variation": 0}]}}}"#,
        ),
        (
            "unleash",
            r#"{"features": [{"name": "f", "enabled": true, "strategies": [{"name": "default",
                "constraints": [{"contextName": "country", "operator": "NOT_IN", "values": ["AT", ["DE"]]}]}]}]}"#,
        ),
        (
            "growthbook",
            r#"{"features": {"f": {"defaultValue": false, "rules": [{"condition": {"country": {"$nin": ["AT", ["DE"]]}}, "force": true}]}}}"#,
        ),
        (
            "growthbook",
            r#"{"savedGroups": {"g": {"type": "condition", "condition": {"country": "AT"}}}, "features": {"f": {"defaultValue": false,
                "rules": [{"condition": {"country": {"$notInGroup": "g"}}, "force": true}]}}}"#,
        ),
    ] {
        let made = made(system, export, &[]);
        assert!(!made.report.is_exact(), "{system}\n{}", made.toml);
    }
}

#[test]
fn what_growthbook_reads_of_a_rule_is_read() {
    let export = r#"{"features": {
        "both": {"defaultValue": "a", "rules": [{"force": "b", "variations": ["a", "b"], "key": "e", "hashAttribute": "id"}]},
        "sticky": {"defaultValue": "a", "rules": [{"variations": ["a", "b"], "key": "e", "hashAttribute": "id", "fallbackAttribute": "anonymousId"}]}}}"#;
    let made = made("growthbook", export, &[]);
    says(&made.toml, &["[flags.both]\nvariants = { a = 0, b = 100 }\n"]);
    assert!(made.report.flags[0].lost.is_empty(), "{:?}", made.report);
    assert!(made.report.flags[1].lost.join(" ").contains("`anonymousId`"), "{:?}", made.report);
}

#[test]
fn what_code_must_ask_for_is_said_of_every_other_name() {
    let export = r#"{"features": [
        {"name": "new-checkout", "enabled": true, "strategies": [{"name": "default"}], "variants": [
            {"name": "blue/big", "weight": 500, "stickiness": "random"},
            {"name": "red", "weight": 500, "stickiness": "random", "payload": {"type": "string", "value": "r"}}]},
        {"name": "plain", "enabled": true, "strategies": []}]}"#;
    let made = made("unleash", export, &[]);
    let remarks = made.report.flags[0].remarks.join(" ");
    assert!(remarks.contains("Code must ask for `new_checkout`."), "{remarks}");
    assert!(remarks.contains("The variant `blue/big` is `blue_big` here, and code is told that name."), "{remarks}");
    assert_eq!((made.report.renamed(), made.report.flags[1].remarks.len()), (1, 0));
    says(&made.toml, &["# 1 of them have another name here", "values = { off = false, red = \"r\" }"]);
}

#[test]
fn letters_beyond_ascii_are_said_of_those_who_draw() {
    let feature = |name: &str, stickiness: &str| {
        format!(
            r#"{{"name": "{name}", "enabled": true, "strategies": [{{"name": "flexibleRollout", "parameters": {{"rollout": "50", "stickiness": "{stickiness}"}}}}]}}"#
        )
    };
    let features = [feature("a", "userId"), feature("b", "sessionId"), feature("größe", "sessionId")].join(",");
    let made = made("unleash", &format!(r#"{{"features": [{features}]}}"#), &[]);
    let said = made.report.flags.iter().map(|flag| flag.remarks.join(" ").contains("not ASCII"));
    assert_eq!(said.collect::<Vec<_>>(), [true, false, true]);
}
