//! A flag that another one needs must be on, also where it is the variant `off` that is needed.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may fail loudly")]

mod made;

use flagstaff_import::{Carried, Import};
use made::made;

/// The flag `needs`, which is open for nobody while the other flag is not on.
#[track_caller]
fn is_said(made: &Import, what: &str) {
    let flag = made.report.flags.iter().find(|flag| flag.origin == "needs").unwrap();
    assert_eq!(flag.carried, Carried::InPart, "{}", made.toml);
    assert!(flag.lost.join(" ").contains(what), "{:?}", flag.lost);
    assert!(!made.toml.contains("requires ="), "{}", made.toml);
}

/// Data of LaunchDarkly with a flag that needs a variation of another one.
fn launchdarkly(variation: usize) -> Import {
    let data = format!(
        r#"{{"flags": {{
            "base": {{"on": true, "variations": [true, false], "offVariation": 1, "salt": "s", "fallthrough": {{"variation": 0}}}},
            "needs": {{"on": true, "variations": [true, false], "offVariation": 1, "salt": "s",
                "prerequisites": [{{"key": "base", "variation": {variation}}}], "fallthrough": {{"variation": 0}}}}}}}}"#
    );
    made("launchdarkly", &data, &[])
}

#[test]
fn launchdarkly_needs_a_flag_that_is_on_and_gives_false() {
    is_said(&launchdarkly(1), "It needs `base` to be on and to give `off`.");
    let exact = launchdarkly(0);
    assert!(exact.report.is_exact() && exact.toml.contains("requires = { base = \"on\" }"), "{}", exact.toml);
}

/// Features of Unleash with one that depends on another.
fn unleash(dependency: &str) -> Import {
    let features = format!(
        r#"{{"features": [
            {{"name": "base", "enabled": true, "strategies": [{{"name": "default"}}],
                "variants": [{{"name": "off", "weight": 500}}, {{"name": "blue", "weight": 500}}]}},
            {{"name": "needs", "enabled": true, "strategies": [{{"name": "default"}}],
                "dependencies": [{{"feature": "base", {dependency}}}]}}]}}"#
    );
    made("unleash", &features, &[])
}

#[test]
fn unleash_needs_a_variant_that_is_called_off() {
    is_said(&unleash(r#""variants": ["off"]"#), "It needs `base` to be on and to give `off`.");
    let blue = unleash(r#""variants": ["blue"]"#);
    assert!(blue.toml.contains("requires = { base = \"blue\" }"), "{}", blue.toml);
}

#[test]
fn unleash_needs_a_flag_that_is_not_on() {
    let made = unleash(r#""enabled": false"#);
    assert!(made.toml.contains("requires = { base = \"off\" }"), "{}", made.toml);
}

#[test]
fn posthog_needs_a_variant_that_is_called_off() {
    let flag = |key: &str, filters: &str| format!(r#"{{"key": "{key}", "active": true, "filters": {{{filters}}}}}"#);
    let variants = r#""groups": [{"rollout_percentage": 100}], "multivariate": {"variants": [
        {"key": "off", "rollout_percentage": 50}, {"key": "blue", "rollout_percentage": 50}]}"#;
    let export = |wanted: &str| {
        let needs = format!(
            r#""groups": [{{"properties": [{{"type": "flag", "key": "base", "value": {wanted}, "operator": "flag_evaluates_to"}}],
                "rollout_percentage": 100}}]"#
        );
        format!(r#"{{"flags": [{}, {}]}}"#, flag("base", variants), flag("needs", &needs))
    };
    for wanted in [r#""off""#, "false"] {
        is_said(&made("posthog", &export(wanted), &[]), "in a way that `requires` cannot say");
    }
    let blue = made("posthog", &export(r#""blue""#), &[]);
    assert!(blue.toml.contains("requires = { base = \"blue\" }"), "{}", blue.toml);
}
