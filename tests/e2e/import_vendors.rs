//! Flags move in from Unleash, flagd, GrowthBook and LaunchDarkly, and a thousand people keep what the system's own SDK gives them.

use crate::harness::command::flagstaff;
use crate::harness::moving::{Move, export};
use crate::harness::python::{output_of_newer_flagd, output_of_sdk};

#[test]
fn unleash_users_keep_what_they_have() {
    let constant = &["switched-off", "without-strategies"];
    // Those without an id are drawn at random there: stickiness `default`.
    let flags = Move { system: "unleash", export: "unleash.json", arguments: &[], exact: false, constant };
    flags.assert_nobody_is_drawn_anew(|export, people| output_of_sdk("ask_unleash.py", &[export, people]));
}

#[test]
fn flagd_users_keep_what_they_have() {
    // Those without an id are drawn by the text before it alone there.
    let arguments = &["--formula-version=2"];
    let flags = Move { system: "flagd", export: "flagd.yaml", arguments, exact: false, constant: &["everybody"] };
    flags.assert_nobody_is_drawn_anew(|export, people| output_of_sdk("ask_flagd.py", &[export, people]));
}

/// The same definition, drawn by version 3 of the formula.
#[test]
fn users_of_newer_flagd_keep_what_they_have() {
    let arguments = &["--formula-version=3"];
    let flags = Move { system: "flagd", export: "flagd.yaml", arguments, exact: false, constant: &["everybody"] };
    flags.assert_nobody_is_drawn_anew(|export, people| output_of_newer_flagd("ask_flagd.py", &[export, people]));
}

/// Its SDKs differ where a number is equal to a coverage: no number of a thousand is equal to this one.
#[test]
fn growthbook_users_keep_what_they_have() {
    let flags = Move {
        system: "growthbook",
        export: "growthbook.json",
        arguments: &[],
        exact: true,
        constant: &["constant"],
    };
    flags.assert_nobody_is_drawn_anew(|export, people| output_of_sdk("ask_growthbook.py", &[export, people]));
}

#[test]
fn launchdarkly_users_keep_what_they_have() {
    let constant = &["switched-off", "limit", "ready"];
    let flags = Move { system: "launchdarkly", export: "launchdarkly.json", arguments: &[], exact: true, constant };
    flags.assert_nobody_is_drawn_anew(|export, people| output_of_sdk("ask_launchdarkly.py", &[export, people]));
}

#[test]
fn what_is_imported_passes_the_check() {
    for (system, file) in [
        ("unleash", "unleash.json"),
        ("flagd", "flagd.yaml"),
        ("growthbook", "growthbook.json"),
        ("launchdarkly", "launchdarkly.json"),
    ] {
        let said = flagstaff(&std::env::temp_dir(), ["import", system, export(file).to_str().unwrap()], &[]);
        assert_eq!(said.code, 0, "{said:?}");
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("flags.toml"), &said.out).unwrap();
        let checked = flagstaff(folder.path(), ["check", "--flags", "flags.toml"], &[]);
        assert_eq!(checked.code, 0, "{system}: {checked:?}\n{}", said.out);
    }
}

#[test]
fn an_import_that_is_wrong_says_so() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("export.json"), "{\"flags\": []}").unwrap();
    let said = flagstaff(folder.path(), ["import", "unleash", "export.json"], &[]);
    assert!(said.code == 2 && said.err.contains("it has no list `features`") && said.out.is_empty(), "{said:?}");
    let said = flagstaff(folder.path(), ["import", "flagd", "nowhere.json"], &[]);
    assert!(said.code == 2 && said.err.contains("cannot read nowhere.json"), "{said:?}");
    let said = flagstaff(folder.path(), ["import", "flagd", "export.json", "--unit", "email=mail"], &[]);
    assert!(said.code == 2 && said.err.contains("`mail` is no unit"), "{said:?}");
    let said = flagstaff(folder.path(), ["import", "unleash", "export.json", "--formula-version", "3"], &[]);
    assert!(said.code == 2 && said.err.contains("only flagd's formula"), "{said:?}");
    let said = flagstaff(folder.path(), ["import", "other", "export.json"], &[]);
    assert!(said.code == 2 && said.err.contains("flagd"), "{said:?}");
}

/// What a rollout to all users was, opened to everybody, would show members' features to visitors.
#[test]
fn a_rollout_to_all_users_is_for_those_who_are_logged_in() {
    let folder = tempfile::tempdir().unwrap();
    let export = r#"{"features": [{"name": "for-members", "enabled": true, "strategies": [
        {"name": "flexibleRollout", "parameters": {"rollout": "100", "stickiness": "userId", "groupId": "m"}}]}]}"#;
    std::fs::write(folder.path().join("export.json"), export).unwrap();
    let said = flagstaff(folder.path(), ["import", "unleash", "export.json", "--strict"], &[]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(
        said.err.contains("for-members → for_members") && said.err.contains("1 flag with another name"),
        "{said:?}"
    );
    std::fs::write(folder.path().join("flags.toml"), &said.out).unwrap();
    let explain = |who: &[&str]| {
        let words = ["explain", "for_members", "--flags", "flags.toml", "--json"].iter().chain(who).copied();
        let said = flagstaff(folder.path(), words, &[]);
        let read: serde_json::Value = serde_json::from_str(&said.out).unwrap_or_else(|e| panic!("{e}: {said:?}"));
        read[0]["variant"].as_str().or_else(|| read["variant"].as_str()).unwrap().to_owned()
    };
    assert_eq!([explain(&["--visitor", "v"]), explain(&["--visitor", "v", "--user", "u"])], ["off", "on"]);
}

#[test]
fn a_definition_of_flagd_does_not_say_which_formula_is_meant() {
    let file = export("flagd.yaml");
    let strict = |more: &[&str]| {
        let words = ["import", "flagd", file.to_str().unwrap()].into_iter().chain(more.iter().copied());
        flagstaff(&std::env::temp_dir(), words, &[])
    };
    assert!(strict(&[]).err.contains("as no version was chosen"), "{:?}", strict(&[]));
    let older = strict(&["--formula-version", "1"]);
    assert!(older.code == 0 && older.out.contains("version = 1") && !older.err.contains("was chosen"), "{older:?}");
    let unknown = strict(&["--formula-version", "4"]);
    assert!(unknown.code == 2 && unknown.err.contains("write 1, 2 or 3"), "{unknown:?}");
}

#[test]
fn a_flag_file_that_nothing_can_read_is_no_success() {
    let folder = tempfile::tempdir().unwrap();
    let text = "x".repeat(400);
    let flag = |n: usize| format!(r#""f{n}": {{"defaultValue": "{text}{n}"}}"#);
    let features: Vec<_> = (0..12_000).map(flag).collect();
    std::fs::write(folder.path().join("export.json"), format!("{{\"features\": {{{}}}}}", features.join(",")))
        .unwrap();
    let said = flagstaff(folder.path(), ["import", "growthbook", "export.json"], &[]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(
        said.err.contains("of more than 4194304 bytes is not read") && said.out.contains("[flags.f11999]"),
        "{}",
        said.err
    );
}
