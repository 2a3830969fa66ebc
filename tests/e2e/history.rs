//! Revisions of the flags: which there were, who made them, in what they differ, and the way back.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::harness::api::TOKEN;
use crate::harness::app::App;
use crate::harness::command::{Said, flagstaff};
use crate::harness::edits::revision;
use crate::harness::eventually;
use crate::harness::postgres::Server;
use crate::harness::program::{Program, Setup};
use crate::harness::stores::Store;

const TWO: &str = "# two flags\n\n# about a\n[flags.a]\npercent = 20\n\n[flags.b] # the other\npercent = 100\n";

/// A command about a running program, by ada.
#[track_caller]
fn asked(program: &Program, line: &str) -> Said {
    let words = line.split(' ').chain(["--config", "flagstaff.toml"]);
    flagstaff(program.folder.path(), words, &[("USER", "ada")])
}

/// The answer of a command that does what it is asked.
#[track_caller]
fn done(program: &Program, line: &str) -> Value {
    let said = asked(program, &format!("{line} --json"));
    assert_eq!(said.code, 0, "{line}: {said:?}");
    said.json()
}

/// Revisions of the history, the oldest first.
#[track_caller]
fn revisions(program: &Program, flag: &str) -> Vec<Value> {
    let line = format!("history {flag} --limit 1000");
    let history = done(program, line.replace("  ", " ").as_str());
    let entries = history["entries"].as_array().unwrap();
    entries.iter().rev().filter(|entry| entry["type"] == "revision").cloned().collect()
}

/// Waits until so many revisions are recorded.
#[track_caller]
fn recorded(program: &Program, number: usize) -> Vec<Value> {
    eventually("the revisions are recorded", || revisions(program, "").len() >= number);
    let all = revisions(program, "");
    assert_eq!(all.len(), number, "{all:#?}");
    all
}

fn told(revision: &Value) -> (&str, &str, &str) {
    let text = |key: &str| revision[key].as_str().unwrap_or("-");
    (text("source"), text("by"), text("why"))
}

fn text(program: &Program) -> String {
    program.document(None).unwrap()
}

#[test]
fn every_revision_has_its_time_source_author_and_difference() {
    Store::all().iter().for_each(every_revision_has_its_time_source_author_and_difference_in);
}

fn every_revision_has_its_time_source_author_and_difference_in(store: &Store) {
    let app = App::mirror();
    let program = Setup::to(&[app.address]).kept_in(store).flags(TWO).start();
    let first = recorded(&program, 1);
    assert_eq!(told(&first[0]), ("file", "-", "-"));
    assert_eq!((&first[0]["revision"], &first[0]["current"]), (&revision(TWO).into(), &true.into()));
    program.save_flags(&TWO.replace("20", "30"));
    recorded(&program, 2);
    done(&program, "set a percent=40 owner=growth");
    let by_grace = asked(&program, "off b --by grace");
    assert_eq!(by_grace.code, 0, "{by_grace:?}");
    program.flags_in_force();
    let all = recorded(&program, 4);
    assert_eq!(told(&all[1]), ("file", "-", "-"));
    assert_eq!(told(&all[2]), ("command", "ada", "set a percent=40 owner=growth"));
    assert_eq!(told(&all[3]), ("command", "grace", "off b"));
    let keys = &all[2]["changes"][0]["keys"];
    assert_eq!((&keys[0]["key"], &keys[0]["after"]), (&"owner".into(), &"\"growth\"".into()));
    assert_eq!((&keys[1]["before"], &keys[1]["after"]), (&"30".into(), &"40".into()));
    let numbers: Vec<_> = all.iter().map(|one| one["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
    assert!(all.windows(2).all(|two| two[0]["at"].as_str() <= two[1]["at"].as_str()), "{all:#?}");
    let of_b: Vec<_> = revisions(&program, "b").iter().map(|one| one["number"].clone()).collect();
    assert_eq!(of_b, [1, 4], "the first one brought it, the last one changed it");
    let shown = asked(&program, "history b").out;
    assert!(shown.contains("grace, command") && shown.contains("b: enabled – → false"), "{shown}");
    assert_eq!(asked(&program, "history nothing").code, 2);
}

/// Answers to edits say whether the person is on record, whatever the edit was of.
#[test]
fn an_edit_says_that_it_is_recorded() {
    let app = App::mirror();
    let program = Setup::to(&[app.address]).env("FLAGSTAFF_ADMIN_TOKEN", TOKEN).flags(TWO).start();
    recorded(&program, 1);
    let edits = [
        ("PATCH /api/v1/flags/a", r#"{"set": {"description": "new"}}"#, true),
        ("PATCH /api/v1/flags/a", r#"{"set": {"percent": 50}}"#, true),
        ("PATCH /api/v1/flags/a", r#"{"set": {"percent": 50}}"#, false),
        ("POST /api/v1/flags/a/off", "", true),
        ("POST /api/v1/flags/a/on", "", true),
        ("POST /api/v1/flags", r#"{"name": "c", "set": {"percent": 5}}"#, true),
    ];
    for (request, body, is_recorded) in edits {
        let before = revisions(&program, "").len();
        let answer = program.api(request, "X-Flagstaff-Author: ada\r\n", body);
        assert!(answer.status < 300, "{answer:?}");
        assert_eq!(answer.json()["recorded"], is_recorded, "{request} {body}: {}", answer.json());
        assert_eq!(revisions(&program, "").len(), before + usize::from(is_recorded), "{request} {body}");
    }
    let all = revisions(&program, "");
    assert!(all[1..].iter().all(|one| one["by"] == "ada"), "{all:#?}");
}

/// A restart, a second program and a file that is saved as it was add nothing; an old text that comes back does.
#[test]
fn a_revision_is_recorded_once_for_all_programs() {
    let app = App::mirror();
    let mut program = Setup::to(&[app.address]).flags(TWO).start();
    recorded(&program, 1);
    let other = Setup::to(&[app.address])
        .top(&format!("flags = \"{}\"", program.path("flags.toml").display()))
        .arg("--ledger")
        .arg(program.path("flagstaff.db").to_str().unwrap())
        .start();
    program.save_flags(&TWO.replace("20", "30"));
    eventually("the other one has it too", || {
        other.health()["flags"]["revision"] == revision(&TWO.replace("20", "30")).as_str()
    });
    done(&program, "set a percent=40");
    recorded(&program, 3);
    program.save_flags("[flags.a\n".replace("[flags.a\n", TWO).as_str());
    recorded(&program, 4);
    fs::write(program.path("flags.toml"), "[flags.a\n").unwrap();
    eventually("a broken file is refused", || program.health()["flags"]["problem"].is_string());
    program.save_flags(TWO);
    program.stop();
    program.restart();
    program.save_flags(&TWO.replace("20", "50"));
    let all = recorded(&program, 5);
    assert_eq!(all[0]["revision"], all[3]["revision"], "what comes back is there twice");
    drop(other);
}

#[test]
fn the_last_good_flags_of_a_start_are_told() {
    let app = App::mirror();
    let mut program = Setup::to(&[app.address]).flags(TWO).start();
    recorded(&program, 1);
    program.stop();
    fs::write(program.path("flags.toml"), "[flags.a\n").unwrap();
    fs::remove_file(program.path("flagstaff.db")).unwrap();
    program.restart();
    let all = recorded(&program, 1);
    assert_eq!((told(&all[0]).0, &all[0]["revision"]), ("last_good", &revision(TWO).into()));
    let back = done(&program, &format!("rollback {}", &revision(TWO)[..8]));
    assert_eq!((&back["answer"], text(&program).as_str()), (&"done".into(), TWO), "a broken file is mended by it");
}

fn git(folder: &Path, line: &str) {
    let mut git = Command::new("git");
    git.arg("-C").arg(folder).args(["-c", "user.name=Grace Hopper", "-c", "user.email=grace@example.org"]);
    let said = git.args(line.split(' ')).env("HOME", folder).env("GIT_CONFIG_NOSYSTEM", "1").output().unwrap();
    assert!(said.status.success(), "{line}: {said:?}");
}

#[test]
fn git_knows_who_made_a_file_that_was_not_edited_since() {
    if Command::new("git").arg("--version").output().is_err() {
        eprintln!("SKIPPED: git is not installed");
        return;
    }
    let app = App::mirror();
    let mut program = Setup::to(&[app.address]).flags(TWO).start();
    recorded(&program, 1);
    program.stop();
    for line in ["init -q", "add flags.toml", "commit -q -m flags"] {
        git(program.folder.path(), line);
    }
    fs::write(program.path("flags.toml"), TWO.replace("20", "30")).unwrap();
    git(program.folder.path(), "commit -q -a -m more");
    program.restart();
    let all = recorded(&program, 2);
    assert_eq!(told(&all[1]), ("file", "Grace Hopper", "-"));
    assert_eq!(all[1]["commit"].as_str().map(str::len), Some(40));
    program.save_flags(&TWO.replace("20", "40"));
    let all = recorded(&program, 3);
    assert_eq!((told(&all[2]), &all[2]["commit"]), (("file", "-", "-"), &Value::Null), "it is not committed");
}

#[test]
fn differences_are_what_patch_takes() {
    let app = App::mirror();
    let program = Setup::to(&[app.address]).flags(TWO).start();
    recorded(&program, 1);
    let later = TWO.replace("20", "30").replace("[flags.b] # the other\n", "[flags.b]\nowner = \"me\"\n");
    program.save_flags(&later);
    recorded(&program, 2);
    let (old, new) = (revision(TWO), revision(&later));
    let shown = asked(&program, &format!("diff {} {}", &old[..10], &new[..10])).out;
    assert!(shown.contains("# a: percent 20 → 30\n") && shown.contains("-percent = 20\n+percent = 30\n"), "{shown}");
    let json = done(&program, &format!("diff {old} now"));
    assert_eq!((&json["from"]["number"], &json["to"]["number"]), (&1.into(), &Value::Null));
    assert_eq!(json["files"][0]["hunks"][0]["lines"][3]["change"], "removed", "{json:#}");
    assert_eq!(done(&program, &format!("diff {new}^"))["from"]["revision"], old.as_str());
    fs::write(program.path("old.toml"), TWO).unwrap();
    fs::write(program.path("patch"), &shown).unwrap();
    let patched = Command::new("patch").args(["-s", "old.toml", "patch"]).current_dir(program.folder.path()).status();
    match patched {
        Ok(status) => assert!(status.success() && fs::read_to_string(program.path("old.toml")).unwrap() == later),
        Err(_) => eprintln!("SKIPPED: patch is not installed"),
    }
    assert_eq!(
        done(&program, "diff now^")["from"]["revision"],
        old.as_str(),
        "what was before the files as they are"
    );
    for line in ["diff zzz", "diff 0000000000 now", "diff now^^^"] {
        let wrong = asked(&program, line);
        assert!(wrong.code == 2 && wrong.err.contains("flagstaff history"), "{line}: {wrong:?}");
    }
    assert!(asked(&program, "diff now now").out.contains("byte for byte"));
}

/// Of one flag the others' later edits stay; of all of it every byte comes back.
#[test]
fn a_rollback_is_an_edit_like_any_other() {
    Store::all().iter().for_each(a_rollback_is_an_edit_like_any_other_in);
}

fn a_rollback_is_an_edit_like_any_other_in(store: &Store) {
    let app = App::mirror();
    let program = Setup::to(&[app.address]).kept_in(store).flags(TWO).start();
    recorded(&program, 1);
    let old = revision(TWO)[..12].to_owned();
    let later = TWO.replace("# about a\n[flags.a]\npercent = 20\n", "[flags.a]\npercent = 0 # oh\nenabled = false\n");
    program.save_flags(&later.replace("[flags.b]", "[flags.b]   "));
    recorded(&program, 2);
    let plan = done(&program, &format!("rollback {old} --flag a --dry-run"));
    assert_eq!((&plan["changed"], &plan["changes"][0]["name"]), (&true.into(), &"a".into()));
    let one = done(&program, &format!("rollback {old} --flag a"));
    assert_eq!(text(&program), TWO.replace("[flags.b]", "[flags.b]   "), "{one:#}");
    assert_eq!((&one["by"], &one["recorded"], &one["changed"]), (&"ada".into(), &true.into(), &true.into()));
    program.flags_in_force();
    let all = recorded(&program, 3);
    assert_eq!(told(&all[2]), ("command", "ada", format!("rollback of a to {old}").as_str()));
    let whole = done(&program, &format!("rollback {old}"));
    assert_eq!(text(&program), TWO);
    assert_eq!(done(&program, &format!("rollback {old}"))["changed"], false, "twice is once");
    let undo = whole["undo"].as_str().unwrap().strip_prefix("flagstaff ").unwrap();
    let undo = undo.strip_suffix(" --config flagstaff.toml").unwrap();
    done(&program, undo);
    assert_eq!(text(&program), TWO.replace("[flags.b]", "[flags.b]   "), "{undo}");
    recorded(&program, 5);
    let gone = asked(&program, &format!("rollback {old} --flag c"));
    assert!(gone.code == 2 && gone.err.contains("no flag `c`"), "{gone:?}");
    assert_eq!(asked(&program, "rollback ffffffffff").code, 2);
}

const STEPS: &str = "[flags.r]\n[flags.r.rollout]\nsteps = [{ percent = 5, hold = \"1h\" }, { percent = 25, hold = \"1h\" }, { percent = 100 }]\n";

#[test]
fn a_rollback_that_restarts_a_rollout_says_so_first() {
    Store::all().iter().for_each(a_rollback_that_restarts_a_rollout_says_so_first_in);
}

fn a_rollback_that_restarts_a_rollout_says_so_first_in(store: &Store) {
    let app = App::mirror();
    let program = Setup::to(&[app.address]).kept_in(store).flags(STEPS).start();
    recorded(&program, 1);
    let old = revision(STEPS)[..12].to_owned();
    program.save_flags(&STEPS.replace("percent = 25", "percent = 30"));
    recorded(&program, 2);
    eventually("the controller has read it", || {
        done(&program, "rollout r")["history"].as_array().unwrap().len() == 2
    });
    assert_eq!(asked(&program, "rollout r advance").code, 0);
    let asks = asked(&program, &format!("rollback {old} --json"));
    assert_eq!((asks.code, &asks.json()["answer"]), (1, &"would_undo".into()), "{asks:?}");
    assert!(asks.err.contains("rollout begins anew") && asks.err.contains("--yes"), "{}", asks.err);
    assert_eq!(text(&program), STEPS.replace("percent = 25", "percent = 30"), "nothing is written");
    let notes = format!("{}owner = \"me\"\n", STEPS.replace("percent = 25", "percent = 30"));
    let notes = notes.replace("[flags.r]\n", "[flags.r]\nticket = \"X-1\"\n").replace("owner = \"me\"\n", "");
    program.save_flags(&notes);
    recorded(&program, 3);
    let harmless = revision(&STEPS.replace("percent = 25", "percent = 30"))[..12].to_owned();
    assert_eq!(done(&program, &format!("rollback {harmless}"))["answer"], "done", "a note restarts nothing");
    assert_eq!(done(&program, "rollout r")["step"], 2);
    done(&program, &format!("rollback {old} --yes"));
    assert_eq!(text(&program), STEPS);
    eventually("it begins anew", || done(&program, "rollout r")["step"] == 1);
    let history = done(&program, "rollout r")["history"].clone();
    let last = history.as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["kind"], &last["by"]), (&"changed".into(), &"ada".into()), "{history:#}");
    let merged = done(&program, "history r");
    let kinds: Vec<_> = merged["entries"].as_array().unwrap().iter().map(|one| one["kind"].clone()).collect();
    assert!(kinds.contains(&"step".into()) && !kinds.contains(&"changed".into()), "{merged:#}");
}

#[test]
fn explain_answers_as_of_then() {
    let app = App::mirror();
    let on = "[flags.a]\npercent = 100\n";
    let program = Setup::to(&[app.address]).flags(on).start();
    recorded(&program, 1);
    program.save_flags("[flags.b]\npercent = 100\n");
    recorded(&program, 2);
    assert_eq!(asked(&program, "explain a --visitor v").code, 1, "it is gone now");
    let then = done(&program, &format!("explain a --visitor v --revision {}", &revision(on)[..8]));
    assert_eq!((&then["variant"], &then["as_of"]["revision"]["number"]), (&"on".into(), &1.into()));
    assert!(then["as_of"]["until"].is_string() && then["as_of"]["notes"].as_array().unwrap().len() == 2, "{then:#}");
    let shown = asked(&program, &format!("explain --visitor v --revision {}", &revision(on)[..8])).out;
    assert!(shown.contains("as of ") && shown.contains("pinned"), "{shown}");
    let later = format!("explain a --visitor v --revision {} --at 2100-01-01T00:00:00Z", &revision(on)[..8]);
    let late = done(&program, &later);
    assert!(late["as_of"]["notes"][0].as_str().unwrap().contains("another revision followed"), "{late:#}");
}

/// The overlay of an environment belongs to its revisions; another environment has its own.
#[test]
fn environments_have_histories_of_their_own() {
    Store::all().iter().for_each(environments_have_histories_of_their_own_in);
}

fn environments_have_histories_of_their_own_in(store: &Store) {
    let app = App::mirror();
    let overlay = "[flags.b]\nenabled = false\n";
    let setup = Setup::to(&[app.address]).kept_in(store).top("environment = \"production\"").flags(TWO);
    let program = setup.file("flags.production.toml", overlay).start();
    let first = recorded(&program, 1);
    program.write_document(Some("production"), "[flags.b]\nenabled = true\n");
    let all = recorded(&program, 2);
    assert_eq!(told(&all[1]).0, "overlay");
    done(&program, "set a percent=70");
    recorded(&program, 3);
    let old = first[0]["revision"].as_str().unwrap()[..12].to_owned();
    let b = done(&program, &format!("rollback {old} --flag b"));
    assert_eq!(b["files"].as_array().unwrap().len(), 1, "{b:#}");
    assert_eq!(program.document(Some("production")).unwrap(), overlay);
    assert!(text(&program).contains("percent = 70"));
    done(&program, &format!("rollback {old}"));
    assert_eq!(text(&program), TWO);
    // with other settings it is in no environment
    std::fs::write(program.path("other.toml"), "").unwrap();
    let words = ["history", "--config", "other.toml", "--flags", &store.place(), "--ledger", "flagstaff.db"];
    let none = flagstaff(program.folder.path(), words, &[]);
    assert!(none.code == 0 && none.out.contains("production"), "{none:?}");
}

#[test]
fn at_most_the_last_second_is_missing_after_kill() {
    let app = App::mirror();
    let mut program = Setup::to(&[app.address]).flags(TWO).start();
    recorded(&program, 1);
    for percent in 30..34 {
        program.save_flags(&TWO.replace("20", &percent.to_string()));
    }
    std::thread::sleep(std::time::Duration::from_secs(1));
    program.process.signal(rustix::process::Signal::KILL);
    program.process.wait();
    assert_eq!(revisions(&program, "").len(), 5);
}

#[test]
fn postgresql_keeps_them_too() {
    let Some(server) = Server::start() else {
        eprintln!("SKIPPED: PostgreSQL is not installed");
        return;
    };
    let app = App::mirror();
    let program = Setup::to(&[app.address]).top(&format!("ledger = \"{}\"", server.database())).flags(TWO).start();
    recorded(&program, 1);
    done(&program, "set a percent=40");
    let all = recorded(&program, 2);
    assert_eq!(told(&all[1]), ("command", "ada", "set a percent=40"));
    let old = revision(TWO)[..12].to_owned();
    assert_eq!(done(&program, &format!("diff {old} now"))["files"].as_array().unwrap().len(), 1);
    done(&program, &format!("rollback {old} --flag a"));
    assert_eq!(text(&program), TWO);
    recorded(&program, 3);
}
