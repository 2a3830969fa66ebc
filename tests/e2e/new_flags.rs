//! Flags that are added, copied and deleted by command.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::harness::app::App;
use crate::harness::command::{Said, flagstaff};
use crate::harness::eventually;
use crate::harness::program::Setup;

const FLAGS: &str = "# ours\n[flags.form] # live\nowner = \"growth\"\ncreated = 2026-01-02\nsalt = \"old_form\"\npercent = 20 # slowly\n\n\
                     # watch it\n[flags.form.guard]\nerrors = \"5xx\"\n\n[flags.cart]\nowner = \"shop\"\ncreated = 2026-01-02\nrequires = [\"form\"]\n";

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("flags.toml"), FLAGS).unwrap();
    folder
}

fn flags(folder: &Path) -> String {
    fs::read_to_string(folder.join("flags.toml")).unwrap()
}

#[track_caller]
fn run(folder: &TempDir, arguments: &[&str]) -> Said {
    flagstaff(folder.path(), arguments, &[("USER", "ada")])
}

#[test]
fn a_new_flag_is_for_nobody_until_its_percentage_is_raised() {
    let folder = folder();
    let added = run(&folder, &["add", "new_form", "description=The new form", "owner=growth"]);
    assert_eq!(added.code, 0, "{added:?}");
    assert!(added.out.contains("new_form is now off for everyone"), "{added:?}");
    let text = flags(folder.path());
    let table = text.strip_prefix(FLAGS).unwrap();
    let created = table.lines().find(|line| line.starts_with("created = 20")).unwrap();
    assert_eq!(
        table,
        format!("\n[flags.new_form]\n{created}\ndescription = \"The new form\"\nowner = \"growth\"\npercent = 0\n")
    );
    assert_eq!(run(&folder, &["check"]).code, 0);
    let raised = run(&folder, &["set", "new_form", "percent=5"]);
    assert!(raised.code == 0 && raised.out.contains("on for 5 % of visitors"), "{raised:?}");
    let json = run(&folder, &["add", "other", "percent=100", "--json"]).json();
    assert_eq!((&json["flag"], &json["by"], &json["state"]), (&"other".into(), &"ada".into(), &"on".into()));
    assert!(flags(folder.path()).ends_with("owner = \"ada\"\npercent = 100\n"), "{}", flags(folder.path()));
    let before = flags(folder.path());
    for (arguments, why) in [
        (&["add", "form"][..], "there is already a flag `form`"),
        (&["add", "New-Form"], "new_form"),
        (&["add", "third", "percnt=5"], "percnt"),
        (&["add", "third", "--like", "fom"], "did you mean `form`?"),
    ] {
        let refused = run(&folder, arguments);
        assert!(refused.code != 0 && refused.err.contains(why), "{why}: {refused:?}");
        assert_eq!(flags(folder.path()), before, "{arguments:?}");
    }
}

#[test]
fn a_copy_is_off_keeps_comments_and_draws_visitors_of_its_own() {
    let folder = folder();
    let added = run(&folder, &["add", "form_v2", "--like", "form", "percent=50"]);
    assert_eq!(added.code, 0, "{added:?}");
    let text = flags(folder.path());
    let table = text.strip_prefix(FLAGS).unwrap();
    let created = table.lines().find(|line| line.starts_with("created = 20")).unwrap();
    assert_eq!(
        table,
        format!(
            "\n[flags.form_v2] # live\nowner = \"growth\"\npercent = 50 # slowly\n{created}\nenabled = false\n\n\
             # watch it\n[flags.form_v2.guard]\nerrors = \"5xx\"\n"
        )
    );
    assert_eq!(run(&folder, &["check"]).code, 0);
}

#[test]
fn a_flag_that_was_not_ended_is_deleted_only_where_that_is_confirmed() {
    let folder = folder();
    let asked = run(&folder, &["delete", "cart"]);
    assert!(asked.code == 1 && asked.err.contains("was not ended") && asked.err.contains("--yes"), "{asked:?}");
    let required = run(&folder, &["delete", "form", "--yes"]);
    assert!(required.code != 0 && required.err.contains("cart"), "another flag requires it: {required:?}");
    assert_eq!(flags(folder.path()), FLAGS);
    let deleted = run(&folder, &["delete", "cart", "--yes"]);
    assert!(deleted.code == 0 && deleted.out.contains("requires = [\"form\"]"), "its text is shown: {deleted:?}");
    assert_eq!(flags(folder.path()), FLAGS.split_once("\n[flags.cart]").unwrap().0);
    let unknown = run(&folder, &["delete", "cart", "--yes"]);
    assert!(unknown.code != 0 && unknown.err.contains("there is no flag `cart`"), "{unknown:?}");
}

#[test]
fn a_running_program_follows_new_and_deleted_flags_and_the_history_has_their_author() {
    let app = App::mirror();
    let program = Setup::to(&[app.address]).flags(FLAGS).start();
    eventually("the ledger is open", || program.metric("flagstaff_ledger_up", "") == 1.0);
    let run = |line: &str| {
        let words = line.split(' ').chain(["--config", "flagstaff.toml"]);
        flagstaff(program.folder.path(), words, &[("USER", "ada")])
    };
    let has = |flag: &str| program.get("/").1.to_lowercase().contains(&format!("x-flag-{flag}: on"));
    let added = run("add whole percent=100");
    assert_eq!(added.code, 0, "{added:?}");
    eventually("the new flag is in force", || has("whole"));
    let deleted = run("delete whole --yes");
    assert_eq!(deleted.code, 0, "{deleted:?}");
    eventually("it is gone", || !has("whole"));
    let history = run("history --json").json();
    let told = |entry: &serde_json::Value| {
        [&entry["source"], &entry["by"], &entry["why"]].map(|word| word.as_str().unwrap_or("-").to_owned())
    };
    let revisions = history["entries"].as_array().unwrap().iter().filter(|entry| entry["type"] == "revision");
    let all: Vec<_> = revisions.map(told).collect();
    for why in ["add whole", "delete whole"] {
        let by_ada = |entry: &&[String; 3]| entry[0] == "command" && entry[1] == "ada" && entry[2].starts_with(why);
        assert_eq!(all.iter().filter(by_ada).count(), 1, "{why}: {all:?}");
    }
}
