//! Switching off always works, and what was true stays true.

use std::fs;

use serde_json::Value;

use crate::harness::api::TOKEN;
use crate::harness::app::App;
use crate::harness::command::{Said, flagstaff};
use crate::harness::eventually;
use crate::harness::program::{Program, Setup};
use crate::harness::stores::Store;

const STEPS: &str = "[flags.r]\n[flags.r.rollout]\nsteps = [{ percent = 5, hold = \"1h\" }, { percent = 25, hold = \"1h\" }, { percent = 100 }]\n";

/// A command about a running program, by ada.
#[track_caller]
fn asked(program: &Program, line: &str) -> Said {
    let words = line.split(' ').chain(["--config", "flagstaff.toml"]);
    flagstaff(program.folder.path(), words, &[("USER", "ada")])
}

fn is_on(program: &Program, flag: &str) -> bool {
    program.get("/").1.to_lowercase().contains(&format!("x-flag-{flag}: on"))
}

#[track_caller]
fn rollout(program: &Program, flag: &str) -> Value {
    asked(program, &format!("rollout {flag} --json")).json()
}

fn kinds(status: &Value) -> Vec<String> {
    let history = status["history"].as_array().unwrap();
    history.iter().map(|fact| fact["kind"].as_str().unwrap().to_owned()).collect()
}

/// Every kind of mistake elsewhere in the file, and a file that cannot be read at all.
#[test]
fn off_works_with_any_mistake_in_the_file() {
    Store::all().iter().for_each(off_works_with_any_mistake_in_the_file_in);
}

fn off_works_with_any_mistake_in_the_file_in(store: &Store) {
    let app = App::mirror();
    let good = "[flags.a]\npercent = 100\n\n[flags.b]\npercent = 20\n";
    let program = Setup::to(&[app.address]).kept_in(store).flags(good).start();
    eventually("it is on to begin with", || is_on(&program, "a"));
    eventually("the ledger knows it", || kinds(&rollout(&program, "a")) == ["defined"]);
    let broken: [(&str, &[u8]); 6] = [
        ("a wrong value", b"[flags.a]\npercent = 100\n\n[flags.b]\npercent = 200\n"),
        ("no TOML", b"[flags.a]\npercent = 100\n\n[flags.b\npercent = 20\n"),
        ("a conflict", b"<<<<<<< ours\n[flags.a]\npercent = 100\n=======\n>>>>>>> theirs\n"),
        ("no text", b"[flags.a]\npercent = 100\n# \xff\n"),
        ("an unknown flag", b"[flags.a]\npercent = 100\n[flags.b]\nrequires = [\"zzz\"]\n"),
        ("nothing", b""),
    ];
    for (what, text) in broken {
        program.write_document(None, text);
        eventually("the file is refused", || program.health()["flags"]["problem"].is_string());
        let off = asked(&program, "off a --json");
        assert_eq!(off.code, 0, "{what}: {off:?}");
        assert_eq!(off.json()["by"], "ada");
        eventually("it is off", || !is_on(&program, "a"));
        assert_eq!(asked(&program, "off a").code, 0, "{what}: once more is once");
        let again = asked(&program, "on a");
        assert_eq!(again.code, 0, "{what}: {again:?}");
        eventually("it is on again", || is_on(&program, "a"));
        program.save_flags(good);
    }
    program.remove_document();
    assert_eq!(asked(&program, "off a").code, 0, "the file is gone");
    eventually("it is off", || !is_on(&program, "a"));
    program.save_flags(good);
    assert!(!is_on(&program, "a"), "a file that says nothing of it leaves it off");
    let listed = asked(&program, "list --json").json();
    assert_eq!((&listed[0]["state"], &listed[0]["percent"]), (&"off".into(), &0.0.into()));
    assert!(listed[0]["origin"].as_str().unwrap().contains("switched off by ada"), "{listed}");
    let explained = asked(&program, "explain a --json").json();
    assert_eq!((&explained["step"], &explained["reason"]), (&"tripped".into(), &"DISABLED".into()));
    assert!(rollout(&program, "a")["why"].as_str().unwrap().contains("off"));
    program.save_flags(&good.replace("100", "99.999"));
    eventually("an edit of what decides clears it", || is_on(&program, "a"));
}

/// A switch needs no settings that are right everywhere, and `on --everyone` ends what a fact holds off.
#[test]
fn a_switch_needs_nothing_that_does_not_concern_it() {
    Store::all().iter().for_each(a_switch_needs_nothing_that_does_not_concern_it_in);
}

fn a_switch_needs_nothing_that_does_not_concern_it_in(store: &Store) {
    let app = App::mirror();
    let good = "[flags.a]\npercent = 20\n";
    let program = Setup::to(&[app.address]).kept_in(store).flags(good).start();
    eventually("the ledger knows it", || kinds(&rollout(&program, "a")) == ["defined"]);
    let unsound = fs::read_to_string(program.path("flagstaff.toml")).unwrap() + "\n[log]\nlevel = \"loud\"\n";
    fs::write(program.path("unsound.toml"), unsound).unwrap();
    program.write_document(None, "[flags.a\n");
    let off = flagstaff(program.folder.path(), ["off", "a", "--config", "unsound.toml"], &[]);
    assert!(off.code == 0 && off.err.contains("only flags, environment and ledger"), "{off:?}");
    let set = flagstaff(program.folder.path(), ["set", "a", "percent=3", "--config", "unsound.toml"], &[]);
    assert_eq!(set.code, 2, "an edit wants all settings right: {set:?}");
    program.save_flags(good);
    eventually("the fact holds", || !is_on(&program, "a"));
    let on = asked(&program, "on a --everyone");
    assert_eq!(on.code, 0, "{on:?}");
    eventually("it is on for everyone", || is_on(&program, "a"));
    let slip = [("FLAGSTAFF_WORKERS", "many")];
    let off = flagstaff(program.folder.path(), ["off", "a", "--config", "flagstaff.toml"], &slip);
    assert_eq!(off.code, 0, "{off:?}");
    eventually("it is off", || !is_on(&program, "a"));
}

#[test]
fn off_never_claims_success_for_a_flag_that_is_on() {
    Store::all().iter().for_each(off_never_claims_success_for_a_flag_that_is_on_in);
}

fn off_never_claims_success_for_a_flag_that_is_on_in(store: &Store) {
    let app = App::mirror();
    let program = Setup::to(&[app.address])
        .kept_in(store)
        .top("environment = \"production\"")
        .top("ledger = \"none\"")
        .flags("[flags.a]\npercent = 50\n[flags.b]\n")
        .file("flags.production.toml", "[flags.a]\nenabled = true\npercent = 100\n")
        .file("other.toml", "")
        .start();
    eventually("it is on to begin with", || is_on(&program, "a"));
    // with other settings it is in no environment
    let elsewhere = |flag: &str, ledger: &[&str]| {
        let place = store.place();
        let words = ["off", flag, "--config", "other.toml", "--flags", &place];
        flagstaff(program.folder.path(), words.iter().chain(ledger), &[])
    };
    let a = elsewhere("a", &[]);
    assert!(a.code == 1 && a.out.contains("--environment production"), "{a:?}");
    program.write_document(Some("test"), "[flags.b]\npercent = 200\n");
    let b = elsewhere("b", &["--ledger", "none"]);
    assert!(b.code == 1 && b.out.contains("`test` cannot be used"), "{b:?}");
    let off = asked(&program, "off a");
    assert_eq!(off.code, 0, "{off:?}");
    eventually("the overlay wins, and says off", || !is_on(&program, "a"));
    let text = program.document(Some("production")).unwrap();
    assert!(text.contains("enabled = false"), "{text}");
    program.write_document(None, "[flags.a]\n[flags.b\n");
    let vain = asked(&program, "off b");
    assert!(vain.code == 1 && vain.err.contains("not in force"), "no ledger, no sound file: {vain:?}");
}

#[test]
fn off_and_on_again_go_on_at_the_same_step_and_are_told_once() {
    Store::all().iter().for_each(off_and_on_again_go_on_at_the_same_step_and_are_told_once_in);
}

fn off_and_on_again_go_on_at_the_same_step_and_are_told_once_in(store: &Store) {
    let app = App::mirror();
    let program = Setup::to(&[app.address]).kept_in(store).flags(STEPS).start();
    eventually("it is taken up", || rollout(&program, "r")["step"] == 1);
    assert_eq!(asked(&program, "rollout r advance").code, 0);
    eventually("it is at its second step", || rollout(&program, "r")["step"] == 2);
    let off = asked(&program, "off r --by eve");
    assert!(off.code == 0 && off.out.contains("off for everyone") && off.out.contains("flagstaff on r"), "{off:?}");
    eventually("it is off", || program.get("/").1.matches("x-flag-").count() == 0);
    // the ledger may have told it before the file was read
    program.flags_in_force();
    let status = rollout(&program, "r");
    assert_eq!((&status["state"], &status["percent"]), (&"holding".into(), &0.0.into()));
    assert!(status["why"].as_str().unwrap().contains("off"), "{status}");
    let advance = asked(&program, "rollout r advance");
    assert!(advance.code == 1 && advance.err.contains("off"), "{advance:?}");
    let on = asked(&program, "on r");
    assert!(on.code == 0 && on.out.contains("rollout"), "{on:?}");
    eventually("it is told", || kinds(&rollout(&program, "r")).len() == 4);
    program.flags_in_force();
    let status = rollout(&program, "r");
    assert_eq!(kinds(&status), ["defined", "step", "disabled", "enabled"], "{status}");
    assert_eq!(
        (&status["step"], &status["history"][2]["by"], &status["history"][3]["by"]),
        (&2.into(), &"eve".into(), &"ada".into())
    );
}

#[test]
fn notes_restart_nothing_and_what_decides_asks_first() {
    Store::all().iter().for_each(notes_restart_nothing_and_what_decides_asks_first_in);
}

fn notes_restart_nothing_and_what_decides_asks_first_in(store: &Store) {
    let app = App::mirror();
    let program = Setup::to(&[app.address]).kept_in(store).flags(STEPS).start();
    eventually("it is taken up", || rollout(&program, "r")["step"] == 1);
    assert_eq!(asked(&program, "rollout r advance").code, 0);
    eventually("it is at its second step", || rollout(&program, "r")["step"] == 2);
    for note in
        ["owner=team-x", "ticket=SHOP-1", "description=new", "expires=2099-01-31", "metadata.a=1", "client=true"]
    {
        assert_eq!(asked(&program, &format!("set r {note}")).code, 0, "{note}");
        program.flags_in_force();
    }
    let status = rollout(&program, "r");
    assert_eq!((&status["step"], kinds(&status).len()), (&2.into(), 2), "{status}");
    let before = program.document(None).unwrap();
    let refused = asked(&program, "set r salt=other");
    assert!(refused.code == 1 && refused.err.contains("step 2") && refused.err.contains("--yes"), "{refused:?}");
    assert_eq!(program.document(None).unwrap(), before);
    assert_eq!(asked(&program, "set r salt=other --yes").code, 0);
    eventually("it begins anew", || rollout(&program, "r")["step"] == 1);
    program.flags_in_force();
    let status = rollout(&program, "r");
    assert_eq!(kinds(&status), ["defined", "step", "changed"], "{status}");
    assert_eq!(status["history"][2]["by"], "ada");
    assert_eq!(asked(&program, "rollout r advance").code, 0);
    eventually("it is at its second step", || rollout(&program, "r")["step"] == 2);
    program.save_flags(&STEPS.replace("percent = 5,", "percent = 4,"));
    eventually("the log says what an edit by hand undoes", || {
        program.process.log().contains("its rollout begins anew, it was at step 2")
    });
}

/// A start with every kind of broken file serves what was served before, says so, and follows the file as soon as it is mended.
#[test]
fn a_start_with_a_broken_file_serves_the_last_good_one() {
    Store::all().iter().for_each(a_start_with_a_broken_file_serves_the_last_good_one_in);
}

fn a_start_with_a_broken_file_serves_the_last_good_one_in(store: &Store) {
    let app = App::mirror();
    let good = "[flags.a]\npercent = 100\n";
    let mut program = Setup::to(&[app.address]).kept_in(store).flags(good).start();
    eventually("the good file is kept", || {
        fs::read_dir(program.path("flagstaff-state"))
            .is_ok_and(|all| all.flatten().any(|one| one.path().extension().is_some()))
    });
    for text in ["[flags.a]\npercent = 100\n[flags.b]\npercent = 200\n", "[flags.a\n", ""] {
        assert!(program.stop().success());
        program.write_document(None, text);
        program.restart();
        assert!(is_on(&program, "a"), "{text}");
        eventually("it is said", || program.process.log().contains("the last good flags are served"));
        eventually("health says it", || program.health()["flags"]["problem"].is_string());
        assert_ne!(asked(&program, "check").code, 0, "{text}");
        let listed = asked(&program, "list");
        assert!(listed.code == 0 && listed.err.contains("last good"), "{text}: {listed:?}");
        assert_ne!(asked(&program, "run --dry-run").code, 0, "{text}");
    }
    assert!(program.stop().success());
    program.remove_document();
    program.restart();
    assert!(is_on(&program, "a"), "a file that is gone");
    program.save_flags("[flags.a]\nenabled = false\n");
    assert!(!is_on(&program, "a"), "it is followed again");
}

#[test]
fn settings_that_serve_something_else_than_meant_are_told() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("flags.toml"), "[flags.a]\n").unwrap();
    fs::write(folder.path().join("flags.production.toml"), "[flags.a]\nenabled = false\n").unwrap();
    fs::write(folder.path().join("tls.toml"), "[tls]\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n").unwrap();
    fs::write(folder.path().join("upstream.toml"), "upstream = \"\"\n").unwrap();
    let run = |line: &str, environment: &[(&str, &str)]| flagstaff(folder.path(), line.split(' '), environment);
    let check = run("check --environment prodution --json", &[]);
    let told = |said: &Said| -> Vec<Value> {
        let problems = said.json()["problems"].as_array().unwrap().clone();
        problems.into_iter().filter(|one| one["message"].as_str().unwrap().contains("the environment")).collect()
    };
    let slip = told(&check);
    assert_eq!((slip.len(), &slip[0]["severity"]), (1, &"warning".into()), "{check:?}");
    assert!(slip[0]["message"].as_str().unwrap().contains("did you mean `production`?"), "{check:?}");
    assert!(told(&run("check --environment production --json", &[])).is_empty());
    for (line, environment) in [
        ("run --dry-run --flags flags.toml", &[("FLAGSTAFF_UPSTREAM", "")][..]),
        ("run --dry-run --config upstream.toml", &[]),
        ("run --dry-run --flags flags.toml --upstream ", &[]),
    ] {
        let refused = run(line, environment);
        assert!(refused.code == 2 && refused.err.to_lowercase().contains("upstream"), "{line}: {refused:?}");
    }
    let tls = run("run --dry-run --config tls.toml", &[]);
    assert!(tls.code == 2 && tls.err.contains("https://"), "{tls:?}");
}

/// Trips, switch-offs and steps stay as last known; of a flag of which nothing is known, that is said everywhere.
#[test]
fn a_ledger_that_is_away_at_start_keeps_what_was_known() {
    let app = App::mirror();
    let guarded = "[flags.safe]\npercent = 100\n[flags.safe.guard]\nerrors = \"5xx\"\n[flags.bad]\n[flags.bad.guard]\nerrors = \"5xx\"\n";
    let mut program = Setup::to(&[app.address]).flags(guarded).start();
    eventually("both are on", || is_on(&program, "safe") && is_on(&program, "bad"));
    fs::write(program.path("flags.toml"), format!("{guarded}[flags.broken]\npercent = 200\n")).unwrap();
    eventually("the file is refused", || program.health()["flags"]["problem"].is_string());
    assert_eq!(asked(&program, "off bad").code, 0);
    eventually("it is off", || !is_on(&program, "bad"));
    program.save_flags(guarded);
    assert!(program.stop().success());
    for entry in fs::read_dir(program.folder.path()).unwrap().flatten() {
        if entry.file_name().to_string_lossy().starts_with("flagstaff.db") {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    fs::create_dir(program.path("flagstaff.db")).unwrap();
    let new = "[flags.new]\n[flags.new.guard]\nerrors = \"5xx\"\n";
    fs::write(program.path("flags.toml"), format!("{guarded}{new}")).unwrap();
    program.restart();
    eventually("the flags are as last known", || is_on(&program, "safe") && !is_on(&program, "bad"));
    assert!(!is_on(&program, "new"), "of this one nothing is known");
    assert_eq!(program.health()["waiting_for_ledger"], serde_json::json!(["new"]));
    eventually("the log names it", || program.process.log().contains("the flag new is off"));
    fs::remove_dir(program.path("flagstaff.db")).unwrap();
    eventually("the ledger is there again", || is_on(&program, "new") && is_on(&program, "safe"));
}

/// A slip in the name of an environment edits what no overlay there reads: that is said, and a flag that is on elsewhere is not called off.
#[test]
fn an_environment_without_an_overlay_is_told_by_every_command() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("flags.toml"), "[flags.a]\npercent = 20\n[flags.b]\n").unwrap();
    fs::write(folder.path().join("flags.production.toml"), "[flags.a]\nenabled = true\n").unwrap();
    let run = |line: &str| flagstaff(folder.path(), line.split(' '), &[]);
    for line in [
        "set b percent=5",
        "off b",
        "on b",
        "on b --everyone",
        "add c",
        "delete c --yes",
        "list",
        "list --json",
        "hygiene",
    ] {
        let slip = run(&format!("{line} --environment prodution"));
        assert!(slip.err.contains("did you mean `production`?"), "{line}: {slip:?}");
        assert_eq!(slip.err.matches("did you mean").count(), 1, "{line}: {slip:?}");
        let right = run(&format!("{line} --environment production"));
        assert!(!right.err.contains("did you mean"), "{line}: {right:?}");
    }
    for line in ["off a --environment prodution", "off a"] {
        let off = run(line);
        assert!(off.code == 1 && off.out.contains("flagstaff off a --environment production"), "{line}: {off:?}");
    }
    let own = run("off a --environment dev");
    assert!(
        own.code == 0 && own.err.contains("dev"),
        "it is off there, and that there is no overlay is said: {own:?}"
    );
    assert_eq!(run("off a --environment production").code, 0);
    assert_eq!(run("off a --environment prodution").code, 0, "it is off everywhere");
}

/// What is answered as in force is so at that moment, also where the file cannot say it.
#[test]
fn a_switch_by_the_ledger_is_answered_once_it_is_in_force() {
    Store::all().iter().for_each(a_switch_by_the_ledger_is_answered_once_it_is_in_force_in);
}

fn a_switch_by_the_ledger_is_answered_once_it_is_in_force_in(store: &Store) {
    let app = App::mirror();
    let good = "[flags.a]\npercent = 100\n";
    let program = Setup::to(&[app.address]).kept_in(store).env("FLAGSTAFF_ADMIN_TOKEN", TOKEN).flags(good).start();
    eventually("the ledger knows it", || kinds(&rollout(&program, "a")) == ["defined"]);
    program.write_document(None, "[flags.a\n");
    eventually("the file is refused", || program.health()["flags"]["problem"].is_string());
    for (order, on) in [("off", false), ("on", true), ("off", false), ("on", true)] {
        let answer = program.api(&format!("POST /api/v1/flags/a/{order}"), "", "");
        assert_eq!((answer.status, &answer.json()["in_force"]), (200, &true.into()), "{order}: {answer:?}");
        assert_eq!(is_on(&program, "a"), on, "{order}: {answer:?}");
    }
}

/// Edits that come together are all in force when they are answered, whichever revision it was that was read.
#[test]
fn edits_at_the_same_time_are_all_in_force() {
    let app = App::mirror();
    let flags: String = (0..6).map(|n| format!("[flags.f{n}]\n")).collect();
    let program = Setup::to(&[app.address]).env("FLAGSTAFF_ADMIN_TOKEN", TOKEN).flags(&flags).start();
    let program = &program;
    for order in ["off", "on", "off"] {
        let one = |n: usize| {
            let answer = program.api(&format!("POST /api/v1/flags/f{n}/{order}"), "", "");
            let edited = answer.json();
            assert_eq!((answer.status, &edited["in_force"]), (200, &true.into()), "{order}: {answer:?}");
            assert_eq!(is_on(program, &format!("f{n}")), order == "on", "{order} {n}");
        };
        std::thread::scope(|scope| (0..6).for_each(|n| drop(scope.spawn(move || one(n)))));
    }
}
