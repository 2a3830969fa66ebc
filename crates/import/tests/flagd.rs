//! Flag definitions of flagd become flag files.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may fail loudly")]

mod made;

use made::made;

const DEFINITION: &str = r##"{
  "$schema": "https://flagd.dev/schema/v0/flags.json",
  "flags": {
    "new-welcome-banner": {
      "state": "ENABLED",
      "variants": { "on": true, "off": false },
      "defaultVariant": "off",
      "targeting": {
        "if": [
          { "$ref": "staff" }, "on",
          { "and": [ { "==": [{ "var": "country" }, "AT"] }, { "sem_ver": [{ "var": "appVersion" }, ">=", "2.4.0"] } ] }, "on",
          { "fractional": [ { "cat": [{ "var": "$flagd.flagKey" }, { "var": "email" }] }, ["on", 20], ["off", 80] ] }
        ]
      }
    },
    "headerColor": {
      "state": "ENABLED",
      "variants": { "red": "#FF0000", "blue": "#0000FF", "green": "#00FF00" },
      "defaultVariant": "red",
      "targeting": { "fractional": [ ["blue", 1], ["green", 1], ["red", 1] ] }
    },
    "killed": { "state": "DISABLED", "variants": { "on": true, "off": false }, "defaultVariant": "on" },
    "plain": { "state": "ENABLED", "variants": { "on": true, "off": false }, "defaultVariant": "on" },
    "broken": { "state": "ENABLED" }
  },
  "$evaluators": { "staff": { "ends_with": [{ "var": "email" }, "@example.com"] } }
}"##;

#[test]
fn a_definition_becomes_a_flag_file() {
    let options = ["--unit", "email=header.x-email", "--attribute", "email=header.x-email", "--formula-version", "2"];
    let made = made("flagd", DEFINITION, &options);
    let toml = &made.toml;
    assert!(toml.contains("[flags.new_welcome_banner]\npercent = 20\n"), "{toml}");
    assert!(toml.contains(r#"hash = { as = "flagd", key = "new-welcome-banner" }"#), "{toml}");
    assert!(toml.contains(r#"if = { "header.x-email" = "*@example.com" }"#), "{toml}");
    assert!(toml.contains(r#"if = { country = "AT", app_version = { at_least = "2.4.0" } }"#), "{toml}");
    assert!(toml.contains("variants = { red = 33.334, blue = 33.333, green = 33.333 }"), "{toml}");
    assert!(toml.contains(r#"total = 3, order = ["blue", "green", "red"]"#), "{toml}");
    let carried: Vec<_> = made.report.flags.iter().map(|flag| flag.carried.to_string()).collect();
    let exactly = "carried exactly";
    assert_eq!(carried, ["carried in part", exactly, exactly, exactly, "not carried"]);
    assert!(made.report.flags[0].lost.join(" ").contains("by the text before it alone"), "{:?}", made.report);
}

#[test]
fn yaml_is_read_too() {
    let yaml =
        "flags:\n  a:\n    state: ENABLED\n    variants: {'on': true, 'off': false}\n    defaultVariant: 'off'\n";
    let made = made("flagd", yaml, &[]);
    assert!(made.toml.contains("[flags.a]\npercent = 0\n"), "{}", made.toml);
}

#[test]
fn what_is_not_known_is_said() {
    let text = r#"{"flags": {"a": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
        "targeting": {"if": [{"==": [{"var": "plan"}, "pro"]}, "on", {"%": [{"var": "age"}, 2]}, "on", null]}}}}"#;
    let made = made("flagd", text, &[]);
    let lost = made.report.flags[0].lost.join("\n");
    assert!(lost.contains("attribute `plan`") && lost.contains("`%` is not known here"), "{lost}");
    assert!(made.toml.contains(r#"if = { plan = "pro" }"#), "{}", made.toml);
}

#[test]
fn other_documents_are_refused() {
    for text in ["", "{}", "[]", "null", "\"x\"", "{\"features\": []}", "flags", ": :", "\u{0}"] {
        assert!(
            made::error("flagd", text).contains("flag definition of flagd")
                || made::error("flagd", text).contains("cannot be read"),
            "{text:?}"
        );
    }
}

#[test]
fn the_version_of_the_formula_can_be_chosen() {
    let newer = made("flagd", DEFINITION, &["--unit", "email=header.x-email", "--formula-version", "3"]).toml;
    assert!(
        newer.contains(r#"hash = { as = "flagd", key = "", version = 3, prefix = "new-welcome-banner" }"#),
        "{newer}"
    );
    assert!(
        newer.contains(r#"hash = { as = "flagd", key = "headerColor", version = 3, total = 3, order"#),
        "{newer}"
    );
    let older = made("flagd", DEFINITION, &["--unit", "email=header.x-email", "--formula-version", "1"]).toml;
    assert!(older.contains(r#"hash = { as = "flagd", key = "new-welcome-banner", version = 1 }"#), "{older}");
    assert!(older.contains(r#"key = "headerColor", version = 1, total = 3, order"#), "{older}");
    let report = made("flagd", DEFINITION, &["--unit", "email=header.x-email"]).report;
    let remarks = report
        .flags
        .iter()
        .map(|flag| flag.lost.join(" ").contains("version 2 of flagd's formula, as no version was chosen"));
    assert_eq!(remarks.collect::<Vec<_>>(), [true, true, false, false, false], "only those who draw");
}
