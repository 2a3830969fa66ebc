//! The undo that an edit prints, run as it is printed, gives the file its meaning back.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::harness::api::TOKEN;
use crate::harness::app::App;
use crate::harness::command::flagstaff;
use crate::harness::eventually;
use crate::harness::program::Setup;
use crate::harness::stores::Store;

/// What the words of an answer do: the command in a shell, and by hand what is to be taken out.
#[track_caller]
fn undone(folder: &Path, undo: &str) {
    let (command, out) = match undo.rsplit_once("take `") {
        Some((command, out)) => (command.trim_end_matches(", and "), Some(out)),
        None => (undo, None),
    };
    if !command.is_empty() {
        let binary = Path::new(env!("CARGO_BIN_EXE_flagstaff")).parent().unwrap();
        let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("sh");
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FLAGSTAFF_")) {
            shell.env_remove(name);
        }
        let done = shell.args(["-c", command]).current_dir(folder).env("PATH", path).output().unwrap();
        assert!(done.status.success(), "{command}: {done:?}");
    }
    let Some(keys) = out else { return };
    let mut document = read(&folder.join("flags.toml"));
    for key in keys.trim_end_matches("` out of the file").split("` and `") {
        let (way, last) = key.rsplit_once('.').unwrap_or(("", key));
        let mut table = &mut document["flags"]["a"];
        for step in way.split('.').filter(|step| !step.is_empty()) {
            table = match step.parse::<usize>() {
                Ok(place) => &mut table[place],
                Err(_) => &mut table[step],
            };
        }
        assert!(table.as_table_mut().unwrap().remove(last).is_some(), "{undo}");
    }
    fs::write(folder.join("flags.toml"), toml::to_string(&document).unwrap()).unwrap();
}

fn read(file: &Path) -> toml::Table {
    toml::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

/// The document without what says nothing: a flag is on where it does not say so.
fn meaning(folder: &Path) -> toml::Table {
    let mut document = read(&folder.join("flags.toml"));
    let flag = document["flags"]["a"].as_table_mut().unwrap();
    if flag.get("enabled") == Some(&toml::Value::Boolean(true)) {
        flag.remove("enabled");
    }
    document
}

#[test]
fn the_printed_undo_gives_the_meaning_back() {
    let plain = "[flags.a]\npercent = 20\n";
    let off = "[flags.a]\nenabled = false\npercent = 20\n";
    let allow = "[flags.a]\npercent = 0\nallow = { users = [\"1\"] }\n";
    let named = "[flags.a]\nallow = { users = [\"1\"] }\n";
    let rules = "[flags.a]\nrules = [\n  { if = { country = \"AT\" }, serve = \"on\" }, # it's ours\n  { if = { path = \"/$HOME `x` \\\\ 'y'\" }, percent = 5 },\n]\n";
    let guarded = "[flags.a]\npercent = 20\n[flags.a.guard]\nerrors = \"5xx\"\n";
    let text = "[flags.a]\ndescription = \"\"\"\nof two\nlines \\\\ \"\"\"\nticket = \"4711\"\nowner = 'it''s'\n";
    let text = &text.replace("'it''s'", "\"it's $5 \\\" or `six`!\"");
    let rollout = "[flags.a.rollout]\nsteps = [\n  { percent = 5, hold = \"1h\" },\n  { percent = 100 },\n]\n";
    let cases: [(&str, &[&str]); 26] = [
        (plain, &["on", "a", "--everyone"]),
        (off, &["on", "a", "--everyone"]),
        (allow, &["on", "a", "--everyone"]),
        (named, &["on", "a", "--everyone"]),
        (rules, &["on", "a", "--everyone"]),
        ("[flags.a]\nenabled = false\n", &["on", "a", "--everyone"]),
        (guarded, &["on", "a", "--everyone"]),
        (plain, &["off", "a"]),
        (off, &["on", "a"]),
        (guarded, &["off", "a"]),
        (plain, &["set", "a", "percent=30", "enabled=false"]),
        (plain, &["set", "a", "guard.errors=5xx"]),
        (plain, &["set", "a", "guard.errors=5xx", "guard.false_alarm=0.02", "percent=3"]),
        (plain, &["set", "a", "deny.users=[\"1\"]", "owner=ada"]),
        (plain, &["set", "a", "metadata.x.y=1"]),
        (guarded, &["set", "a", "percent=30"]),
        (rules, &["set", "a", "rules.0.serve=off"]),
        (rules, &["set", "a", "rules.1.percent=7"]),
        (rules, &["set", "a", "rules=[{ if = { country = \"DE\" }, percent = 1 }]"]),
        (rules, &["set", "a", "rules.1.if.path=/x"]),
        (text, &["set", "a", "description=one line"]),
        (text, &["set", "a", "ticket=12", "owner=true"]),
        (rollout, &["set", "a", "rollout.steps.0.percent=6", "--yes"]),
        (rollout, &["set", "a", "rollout.steps=[{ percent = 100 }]", "--yes"]),
        (rollout, &["set", "a", "rollout.steps.0.min_visitors=10", "--yes"]),
        (rollout, &["off", "a"]),
    ];
    for (document, words) in cases {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("flags.toml"), document).unwrap();
        let before = meaning(folder.path());
        let done = flagstaff(folder.path(), words.iter().chain(&["--json"]), &[]);
        assert_eq!(done.code, 0, "{words:?}: {done:?}");
        let undo = done.json()["undo"].as_str().unwrap().to_owned();
        undone(folder.path(), &undo);
        assert_eq!(meaning(folder.path()), before, "{words:?} of {document}: {undo}");
        assert_eq!(flagstaff(folder.path(), ["check"], &[]).code, 0, "{words:?}: {undo}");
    }
}

/// What the ledger holds of a flag is no question that its undo would wait for.
#[test]
fn the_printed_undo_asks_nothing() {
    let app = App::mirror();
    let steps = "[flags.a.rollout]\nsteps = [{ percent = 5, hold = \"1h\" }, { percent = 25, hold = \"1h\" }, { percent = 100 }]\n";
    let program = Setup::to(&[app.address]).flags(steps).start();
    let asked =
        |line: &str| flagstaff(program.folder.path(), line.split(' ').chain(["--config", "flagstaff.toml"]), &[]);
    let advanced = || {
        eventually("it can advance", || asked("rollout a advance").code == 0);
        eventually("it is at its second step", || asked("rollout a --json").json()["step"] == 2);
    };
    let before = meaning(program.folder.path());
    advanced();
    let set =
        asked("set a rollout.steps=[{percent=50,hold=\"2h\"},{percent=60,hold=\"1h\"},{percent=100}] --yes --json");
    assert_eq!(set.code, 0, "{set:?}");
    advanced();
    undone(program.folder.path(), set.json()["undo"].as_str().unwrap());
    assert_eq!(meaning(program.folder.path()), before);
}

/// A fact that held the flag off is gone after it was switched on for everyone: its undo says off, and the share.
#[test]
fn what_the_ledger_held_off_is_off_again() {
    let app = App::mirror();
    let good = "[flags.a]\npercent = 20\n";
    let program = Setup::to(&[app.address]).flags(good).start();
    let asked =
        |line: &str| flagstaff(program.folder.path(), line.split(' ').chain(["--config", "flagstaff.toml"]), &[]);
    eventually("the ledger knows it", || asked("rollout a --json").json()["history"][0]["kind"] == "defined");
    program.write_document(None, "[flags.a\n");
    assert_eq!(asked("off a").code, 0);
    program.save_flags(good);
    let on = asked("on a --everyone --json");
    assert_eq!(on.json()["undo"], "flagstaff set a enabled=false percent=20 --config flagstaff.toml");
    undone(program.folder.path(), on.json()["undo"].as_str().unwrap());
    program.flags_in_force();
    assert_eq!(asked("list --json").json()[0]["state"], "off");
}

/// What must not be named twice is refused in every way in which keys are named.
#[test]
fn a_key_named_twice_is_refused() {
    for store in Store::all() {
        let app = App::mirror();
        let good = "[flags.a]\npercent = 20\n";
        let program =
            Setup::to(&[app.address]).kept_in(&store).env("FLAGSTAFF_ADMIN_TOKEN", TOKEN).flags(good).start();
        for body in
            [r#"{"set":{"percent":20,"percent":30}}"#, r#"{"set":{"guard":{"errors":"5xx"},"guard.goals":[]}}"#]
        {
            let answer = program.api("PATCH /api/v1/flags/a", "", body);
            assert_eq!(answer.status, 400, "{answer:?}");
            assert_eq!(answer.json()["type"], json!("urn:flagstaff:problem:request"));
        }
        for line in ["set a percent=30 percent=40", "add b percent=1 percent=2", "set a guard.errors=5xx guard={}"] {
            let words = line.split(' ').chain(["--config", "flagstaff.toml"]);
            let said = flagstaff(program.folder.path(), words, &[]);
            let is_told = said.err.contains("is set twice") || said.err.contains("is a part of `guard`");
            assert!(said.code == 2 && is_told, "{line}: {said:?}");
        }
        assert_eq!(program.document(None).unwrap(), good);
    }
}

/// A flag that follows its rollout has no share of its own that a switch could raise, until the rollout is at its end.
#[test]
fn on_for_everyone_says_what_it_cannot_do() {
    let app = App::mirror();
    let flags = "[flags.r.rollout]\nsteps = [{ percent = 1, hold = \"1h\" }, { percent = 100 }]\n[flags.x]\npercent = 5\n[flags.d]\npercent = 5\ndeny = { users = [\"1\"] }\nrequires = [\"x\"]\n[flags.l]\npercent = 5\nlayer = \"p\"\n[layers.p]\nslices = { l = [0, 50] }\n";
    let program = Setup::to(&[app.address]).env("FLAGSTAFF_ADMIN_TOKEN", TOKEN).flags(flags).start();
    let asked =
        |line: &str| flagstaff(program.folder.path(), line.split(' ').chain(["--config", "flagstaff.toml"]), &[]);
    eventually("it is taken up", || asked("rollout r --json").json()["history"][0]["kind"] == "defined");
    let refused = asked("on r --everyone");
    assert!(refused.code == 1 && refused.err.contains("flagstaff rollout r advance"), "{refused:?}");
    assert_eq!(program.api("POST /api/v1/flags/r/everyone", "", "").status, 409);
    assert_eq!(program.document(None).unwrap(), flags);
    assert_eq!(asked("rollout r advance").code, 0);
    eventually("it is at its end", || asked("rollout r --json").json()["percent"] == 100.0);
    assert_eq!(asked("off r").code, 0);
    let on = asked("on r --everyone");
    assert_eq!(on.code, 0, "{on:?}");
    let d = asked("on d --everyone");
    assert!(d.out.contains("but not for those whom `deny` names, those who do not have `x` (`requires`)"), "{d:?}");
    let l = asked("on l --everyone");
    assert!(l.out.contains("those outside its slice of the layer `p`"), "{l:?}");
    let x = asked("on x --everyone");
    assert!(x.out.contains("on for everyone") && !x.out.contains("but not"), "{x:?}");
}
