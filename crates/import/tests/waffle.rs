//! Dumps of django-waffle become flag files.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may fail loudly")]

mod made;

use made::made;

fn row(kind: &str, name: &str, fields: &str) -> String {
    format!("{{\"model\": \"waffle.{kind}\", \"pk\": 1, \"fields\": {{\"name\": {name:?}{fields}}}}}")
}

fn dump(rows: &[String]) -> String {
    format!("[{}]", rows.join(","))
}

const NOBODY: &str = ", \"everyone\": null, \"percent\": null, \"superusers\": false, \"groups\": [], \"users\": []";

#[test]
fn names_that_meet_are_told_apart_and_none_is_lost() {
    let rows = [
        row("flag", "my.Flag", NOBODY),
        row("flag", "my_flag", NOBODY),
        row("switch", "my.Flag", ", \"active\": true"),
        row("sample", "for some, \"maybe\"\n[flags.evil]", ", \"percent\": \"12.5\""),
    ];
    let made = made("waffle", &dump(&rows), &[]);
    let toml = &made.toml;
    for part in [
        "[flags.my_flag]\n",
        "waffle_name = \"my.Flag\"\n",
        "[flags.my_flag_2]\n",
        "waffle_name = \"my_flag\"\n",
        "[flags.my_flag_3]\n",
        "percent = 12.5\nbucket_by = \"request\"\n",
    ] {
        assert!(toml.contains(part), "{part}: {toml}");
    }
    assert_eq!(toml.matches("\n[flags.").count(), 4, "{toml}");
    assert_eq!(toml.matches("waffle_name").count(), 2, "{toml}");
    assert_eq!(made.report.flags.iter().filter(|flag| !flag.lost.is_empty()).count(), 2);
}

#[test]
fn groups_and_users_are_known_by_key_and_by_name() {
    let named = ", \"everyone\": null, \"superusers\": false, \"groups\": [3, [\"gamma\"], 9], \"users\": [42, [\"ada\"], [\"bob\"]]";
    let rows = [
        row("flag", "a", named),
        "{\"model\": \"auth.group\", \"pk\": 3, \"fields\": {\"name\": \"beta\"}}".into(),
        "{\"model\": \"auth.user\", \"pk\": 7, \"fields\": {\"username\": \"ada\"}}".into(),
    ];
    let made = made("waffle", &dump(&rows), &[]);
    assert!(made.toml.contains("groups = [\"beta\", \"gamma\"]"), "{}", made.toml);
    assert!(made.toml.contains("users = [\"42\", \"7\"]"), "{}", made.toml);
    let lost = made.report.flags[0].lost.join("\n");
    assert!(lost.contains("the user bob") && lost.contains("the group 9"), "{lost}");
}

#[test]
fn a_percentage_keeps_who_has_waffles_cookie() {
    let drawn = NOBODY.replace("\"percent\": null", "\"percent\": \"20.0\"");
    let made =
        made("waffle", &dump(&[row("flag", "a", &drawn), row("flag", "b", NOBODY)]), &["--until", "2026-12-31"]);
    assert!(
        made.toml.contains("percent = 20\nsticky = \"visitor\"\nwaffle_cookie_until = 2026-12-31\n"),
        "{}",
        made.toml
    );
    assert!(made.toml.contains("[flags.b]\npercent = 0\n"), "{}", made.toml);
    assert!(made.report.is_exact(), "{:?}", made.report);
}

#[test]
fn a_model_of_the_projects_own_is_known_by_its_fields() {
    let fields = ", \"everyone\": true, \"percent\": null, \"superusers\": true, \"testing\": false, \"company\": 4";
    let own = row("flag", "a", fields).replace("waffle.flag", "shop.companyflag");
    let made = made("waffle", &dump(&[own]), &[]);
    assert!(made.toml.contains("[flags.a]\n"), "{}", made.toml);
}
