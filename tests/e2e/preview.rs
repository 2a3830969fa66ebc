//! What an edit would do to the last visitors is said before it is made, and it does that.

use std::fs;

use serde_json::{Value, json};

use crate::harness::command::flagstaff;
use crate::harness::crowd::{ask, form, look};
use crate::harness::eventually;
use crate::harness::program::{Program, Setup};

const VISITORS: usize = 400;
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0";

fn visitor(n: usize) -> String {
    format!("recent{n:0>16}")
}

/// Everybody comes; whether each has the form.
fn come(program: &Program) -> Vec<bool> {
    let mut raw = program.raw();
    (0..VISITORS).map(|n| look(&mut raw, &visitor(n)).text() == "on").collect()
}

#[track_caller]
fn preview(program: &Program, flag: &str, set: &Value) -> Value {
    program.asks_json("POST", "/api/v1/preview", &json!({ "flag": flag, "set": set }).to_string())
}

#[track_caller]
fn known(program: &Program, flag: &str, visitors: usize) {
    let nothing = json!({ "description": "a form" });
    eventually("they are known", || preview(program, flag, &nothing)["of"] == visitors);
}

#[track_caller]
fn rollout(program: &Program) -> Value {
    let words = "rollout form --json --config flagstaff.toml".split(' ');
    flagstaff(program.folder.path(), words, &[]).json()
}

#[test]
fn a_percentage_moves_as_many_as_was_said() {
    let app = form();
    let flags = "[flags.form]\nowner = \"me\"\npercent = 20\n\n[flags.after]\nrequires = [\"form\"]\n";
    let program = Setup::to(&[app.address]).with_token().flags(flags).start();
    let before = come(&program);
    known(&program, "form", VISITORS);
    let said = preview(&program, "form", &json!({ "percent": "55" }));
    assert_eq!((&said["undoes"], &said["restarts_at"]), (&Value::Null, &Value::Null), "{said}");
    assert_eq!(fs::read_to_string(program.path("flags.toml")).unwrap(), flags, "nothing is written");
    program.save_flags(&flags.replace("20", "55"));
    let after = come(&program);
    let moved = before.iter().zip(&after).filter(|(before, after)| before != after).count();
    assert!(moved > VISITORS / 5, "{moved}");
    assert_eq!(said["moves"], moved, "{said}");
    assert_eq!(said["others"], json!([{ "flag": "after", "moves": moved }]));
    assert_eq!(said["means"], format!("moves {moved} of the last 400 visitors; moves {moved} of them for after"));
    let on = |all: &[bool]| all.iter().filter(|on| **on).count();
    let variants = json!([
        { "variant": "off", "before": VISITORS - on(&before), "after": VISITORS - on(&after) },
        { "variant": "on", "before": on(&before), "after": on(&after) },
    ]);
    assert_eq!(said["by_variant"], variants);
}

#[test]
fn whom_nobody_may_keep_is_not_kept() {
    let app = form();
    let setup = || Setup::to(&[app.address]).with_token().flags("[flags.form]\npercent = 20\n");
    let program = setup().top("recent_requests = 0").start();
    come(&program);
    let off = preview(&program, "form", &json!({ "percent": "55" }));
    assert_eq!(off["of"], 0);
    assert!(off["means"].as_str().unwrap().contains("recent_requests = 0"), "{off}");
    let program = setup().top("recent_requests = 10").key("visitor", "consent_cookie = \"consent=yes\"");
    let program = program.env("FLAGSTAFF_KEYS", "a-key-of-at-least-thirty-two-bytes!").start();
    let mut raw = program.raw();
    for n in 0..5 {
        look(&mut raw, &visitor(n));
        ask(&mut raw, "GET", "curl/8", &format!("Cookie: flagstaff_visitor={}; consent=yes\r\n", visitor(n)));
    }
    let with_consent = |n| format!("Accept: text/html\r\nCookie: flagstaff_visitor={}; consent=yes\r\n", visitor(n));
    for n in 100..130 {
        ask(&mut raw, "GET", BROWSER, &with_consent(n));
    }
    known(&program, "form", 10);
    let metrics = |flag: &str| preview(&program, flag, &json!({ "percent": "100" }))["of"].clone();
    assert_eq!(metrics("form"), 10, "the last ten alone");
}

#[test]
fn conditions_are_tried_on_what_visitors_were_like() {
    let app = form();
    let flags = "[flags.form]\npercent = 0\nrules = [{ if = { language = \"de\" }, serve = \"on\" }]\n";
    let program = Setup::to(&[app.address]).with_token().flags(flags).start();
    let mut raw = program.raw();
    for n in 0..30 {
        let language = if n % 3 == 0 { "de-AT" } else { "fr" };
        let lines = format!(
            "Accept: text/html\r\nAccept-Language: {language}\r\nCookie: flagstaff_visitor={}\r\n",
            visitor(n)
        );
        ask(&mut raw, "GET", BROWSER, &lines);
    }
    known(&program, "form", 30);
    let said = preview(&program, "form", &json!({ "enabled": "false" }));
    assert_eq!((&said["moves"], &said["of"]), (&json!(10), &json!(30)), "{said}");
    let said = preview(&program, "form", &json!({ "allow.groups": "[\"beta\"]" }));
    assert_eq!(said["unknown"], json!(["group"]), "{said}");
}

/// A note restarts nothing, clears nothing, and is said to do nothing.
#[test]
fn a_note_restarts_no_rollout_and_a_share_does() {
    let app = form();
    let flags = "[flags.form]\n[flags.form.rollout]\nsteps = [{ percent = 1, hold = \"1h\" }, { percent = 60, hold = \"1h\" }, { percent = 100 }]\n";
    let program = Setup::to(&[app.address]).with_token().flags(flags).start();
    eventually("the ledger knows it", || rollout(&program)["history"][0]["kind"] == "defined");
    let words = "rollout form advance --config flagstaff.toml".split(' ');
    assert_eq!(flagstaff(program.folder.path(), words, &[("USER", "ada")]).code, 0);
    eventually("it is at its second step", || program.asks_json("GET", "/api/v1/flags", "")[0]["percent"] == 60.0);
    come(&program);
    known(&program, "form", VISITORS);
    let notes = json!({ "owner": "ada", "ticket": "T-1", "description": "a form", "expires": "2031-01-01" });
    let said = preview(&program, "form", &notes);
    assert_eq!((&said["moves"], &said["means"]), (&json!(0), &json!("nobody would notice")), "{said}");
    let set = "set form owner=ada ticket=T-1 expires=2031-01-01 --config flagstaff.toml".split(' ');
    assert_eq!(flagstaff(program.folder.path(), set, &[("USER", "ada")]).code, 0);
    program.flags_in_force();
    assert_eq!(rollout(&program)["step"], 2, "it goes on");
    let said = preview(&program, "form", &json!({ "salt": "another" }));
    assert_eq!(said["restarts_at"], 1.0, "{said}");
    assert!(said["undoes"].as_str().unwrap().contains("step 2"), "{said}");
    assert!(said["means"].as_str().unwrap().contains("restarts the rollout at 1 %"), "{said}");
}
