//! Flags that are added, copied and deleted by command.

use crate::experiment_flow::{self, said};
use crate::harness::app::App;
use crate::harness::command::{Said, flagstaff};
use crate::harness::crowd::{form, look};
use crate::harness::eventually;
use crate::harness::program::Setup;
use crate::harness::stores::{Desk, Store};

const FLAGS: &str = "# ours\n[flags.form] # live\nowner = \"growth\"\ncreated = 2026-01-02\nsalt = \"old_form\"\npercent = 20 # slowly\n\n\
                     # watch it\n[flags.form.guard]\nerrors = \"5xx\"\n\n[flags.cart]\nowner = \"shop\"\ncreated = 2026-01-02\nrequires = [\"form\"]\n";

fn flags(desk: &Desk) -> String {
    desk.document(None).unwrap()
}

#[track_caller]
fn run(desk: &Desk, arguments: &[&str]) -> Said {
    flagstaff(desk.folder.path(), arguments, &[("USER", "ada"), ("FLAGSTAFF_FLAGS", &desk.place())])
}

#[test]
fn a_new_flag_is_for_nobody_until_its_percentage_is_raised() {
    Desk::all(FLAGS).iter().for_each(a_new_flag_is_for_nobody_until_its_percentage_is_raised_at);
}

fn a_new_flag_is_for_nobody_until_its_percentage_is_raised_at(desk: &Desk) {
    let added = run(desk, &["add", "new_form", "description=The new form", "owner=growth"]);
    assert_eq!(added.code, 0, "{added:?}");
    assert!(added.out.contains("new_form is now off for everyone"), "{added:?}");
    let text = flags(desk);
    let table = text.strip_prefix(FLAGS).unwrap();
    let created = table.lines().find(|line| line.starts_with("created = 20")).unwrap();
    assert_eq!(
        table,
        format!("\n[flags.new_form]\n{created}\ndescription = \"The new form\"\nowner = \"growth\"\npercent = 0\n")
    );
    assert_eq!(run(desk, &["check"]).code, 0);
    let raised = run(desk, &["set", "new_form", "percent=5"]);
    assert!(raised.code == 0 && raised.out.contains("on for 5 % of visitors"), "{raised:?}");
    let json = run(desk, &["add", "other", "percent=100", "--json"]).json();
    assert_eq!((&json["flag"], &json["by"], &json["state"]), (&"other".into(), &"ada".into(), &"on".into()));
    assert!(flags(desk).ends_with("owner = \"ada\"\npercent = 100\n"), "{}", flags(desk));
    let before = flags(desk);
    for (arguments, why) in [
        (&["add", "form"][..], "there is already a flag `form`"),
        (&["add", "New-Form"], "new_form"),
        (&["add", "third", "percnt=5"], "percnt"),
        (&["add", "third", "--like", "fom"], "did you mean `form`?"),
    ] {
        let refused = run(desk, arguments);
        assert!(refused.code != 0 && refused.err.contains(why), "{why}: {refused:?}");
        assert_eq!(flags(desk), before, "{arguments:?}");
    }
}

#[test]
fn a_copy_is_off_keeps_comments_and_draws_visitors_of_its_own() {
    Desk::all(FLAGS).iter().for_each(a_copy_is_off_keeps_comments_and_draws_visitors_of_its_own_at);
}

fn a_copy_is_off_keeps_comments_and_draws_visitors_of_its_own_at(desk: &Desk) {
    let added = run(desk, &["add", "form_v2", "--like", "form", "percent=50"]);
    assert_eq!(added.code, 0, "{added:?}");
    let text = flags(desk);
    let table = text.strip_prefix(FLAGS).unwrap();
    let created = table.lines().find(|line| line.starts_with("created = 20")).unwrap();
    assert_eq!(
        table,
        format!(
            "\n[flags.form_v2] # live\nowner = \"growth\"\npercent = 50 # slowly\n{created}\nenabled = false\n\n\
             # watch it\n[flags.form_v2.guard]\nerrors = \"5xx\"\n"
        )
    );
    assert_eq!(run(desk, &["check"]).code, 0);
}

#[test]
fn a_flag_that_was_not_ended_is_deleted_only_where_that_is_confirmed() {
    Desk::all(FLAGS).iter().for_each(a_flag_that_was_not_ended_is_deleted_only_where_that_is_confirmed_at);
}

fn a_flag_that_was_not_ended_is_deleted_only_where_that_is_confirmed_at(desk: &Desk) {
    let asked = run(desk, &["delete", "cart"]);
    assert!(asked.code == 1 && asked.err.contains("was not ended") && asked.err.contains("--yes"), "{asked:?}");
    let required = run(desk, &["delete", "form", "--yes"]);
    assert!(required.code != 0 && required.err.contains("cart"), "another flag requires it: {required:?}");
    assert_eq!(flags(desk), FLAGS);
    let deleted = run(desk, &["delete", "cart", "--yes"]);
    assert!(deleted.code == 0 && deleted.out.contains("requires = [\"form\"]"), "its text is shown: {deleted:?}");
    assert_eq!(flags(desk), FLAGS.split_once("\n[flags.cart]").unwrap().0);
    let unknown = run(desk, &["delete", "cart", "--yes"]);
    assert!(unknown.code != 0 && unknown.err.contains("there is no flag `cart`"), "{unknown:?}");
}

/// An empty file is refused when it is read: it is taken for a save that is not done.
#[test]
fn the_last_flag_can_be_deleted() {
    for desk in Desk::all("[flags.form]\n") {
        let last = run(&desk, &["delete", "form", "--yes"]);
        assert_eq!((last.code, flags(&desk).as_str()), (0, "# no flags\n"), "{last:?}");
        assert_eq!(run(&desk, &["check"]).code, 0);
        assert_eq!(run(&desk, &["add", "cart"]).code, 0);
        assert!(flags(&desk).starts_with("[flags.cart]\n"), "{}", flags(&desk));
    }
}

#[test]
fn a_running_program_follows_new_and_deleted_flags_and_the_history_has_their_author() {
    Store::all().iter().for_each(a_running_program_follows_new_and_deleted_flags_and_the_history_has_their_author_in);
}

fn a_running_program_follows_new_and_deleted_flags_and_the_history_has_their_author_in(store: &Store) {
    let app = App::mirror();
    let program = Setup::to(&[app.address]).kept_in(store).flags(FLAGS).start();
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

/// The text that is printed is a text of a flag file, however the lines of the file end and whatever mark it begins with.
#[test]
fn a_deleted_flag_is_put_back_by_pasting_it() {
    let plain = "[flags.cart]\nowner = \"shop\"\n\tpercent = 5\n[flags.form]\npercent = 20\n";
    for text in [
        plain.to_owned(),
        plain.replace('\n', "\r\n"),
        format!("\u{feff}{plain}"),
        format!("\u{feff}{}", plain.replace('\n', "\r\n")),
    ] {
        for flag in ["cart", "form"] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("flags.toml");
            std::fs::write(&file, &text).unwrap();
            let deleted = flagstaff(folder.path(), ["delete", flag, "--yes"], &[]);
            let pasted = deleted.out.split_once("it said:\n").unwrap().1;
            let left = std::fs::read_to_string(&file).unwrap();
            std::fs::write(&file, format!("{left}{pasted}")).unwrap();
            let table = |text: &str| toml::from_str::<toml::Table>(text.trim_start_matches('\u{feff}')).unwrap();
            assert_eq!(table(&format!("{left}{pasted}")), table(&text), "{text:?}: {deleted:?}");
            let again = flagstaff(folder.path(), ["check"], &[]);
            assert_eq!(again.code, 0, "{text:?}: {again:?}");
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("flags.toml"), &text).unwrap();
        assert_eq!(flagstaff(folder.path(), ["pull"], &[]).out, plain);
    }
}

/// A name that comes back is the same experiment: who adds it hears so, and how to begin another.
#[test]
fn a_name_that_had_an_experiment_is_told_when_it_comes_back() {
    let app = form();
    let program = Setup::to(&[app.address]).flags(experiment_flow::FLAGS).start();
    look(&mut program.raw(), "somebody-looks-here-00");
    eventually("it is recorded", || said(&program, "export --flag form --format jsonl").out.contains("somebody"));
    let told = |add: &str| {
        assert_eq!(said(&program, "delete form --yes").code, 0);
        let added = said(&program, add);
        assert_eq!(added.code, 0, "{added:?}");
        added.out.contains("results go on from an earlier experiment") && added.out.contains("set `salt`")
    };
    assert!(told("add form percent=50"));
    assert!(!told("add form percent=50 salt=again"));
    assert!(!told("add form percent=50 --ledger none"));
    assert_eq!(said(&program, "delete form --yes").code, 0);
    let other = said(&program, "add other_form percent=50");
    assert!(other.code == 0 && !other.out.contains("earlier experiment"), "{other:?}");
}
