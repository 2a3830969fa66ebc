//! From traffic to verdict: what the ledger counts is what was done, and the results say whether it matters.

use std::path::Path;

use flagstaff_flags::Draw;
use serde_json::Value;

use crate::harness::browser::Browser;
use crate::harness::command::{Said, flagstaff};
use crate::harness::crowd::{Crowd, Done, form, look, tell};
use crate::harness::eventually;
use crate::harness::program::{Program, Setup};

pub(crate) const FLAGS: &str = r#"
[flags.form]
percent = 50
exposed_on = ["GET /form"]
goals = ["sent", "paid", "left"]

[goals.sent]
on = "POST /form"
status = "2xx,3xx"

[goals.paid]
event = "paid"
value = "sum"
from = "both"

[goals.left]
bounce_after = "1s"
"#;

/// A command about the program's own settings.
#[track_caller]
pub(crate) fn said(program: &Program, line: &str) -> Said {
    let words = line.split(' ').chain(["--config", "flagstaff.toml"]);
    flagstaff(program.folder.path(), words, &[])
}

/// A command that does what it is told.
#[track_caller]
pub(crate) fn done(program: &Program, line: &str) {
    let said = said(program, line);
    assert_eq!(said.code, 0, "{line}: {said:?}");
}

#[track_caller]
pub(crate) fn results(program: &Program) -> Value {
    let said = said(program, "results form --json");
    assert!(said.code == 0 || said.code == 1, "{said:?}");
    said.json()
}

/// Visitors and conversions of the deciding goal, as the results tell them.
pub(crate) fn told(results: &Value) -> ([u64; 2], [u64; 2]) {
    let variants = &results["goals"][0]["variants"];
    assert_eq!((&variants[0]["variant"], &variants[1]["variant"]), (&"off".into(), &"on".into()));
    let number = |i: usize, key: &str| variants[i][key].as_u64().unwrap();
    ([number(0, "visitors"), number(1, "visitors")], [number(0, "conversions"), number(1, "conversions")])
}

fn comes(visitors: usize, rates: [f64; 2], noise: bool) -> (Program, Done) {
    let app = form();
    let mut program = Setup::to(&[app.address]).flags(FLAGS).top("workers = 2").start();
    let done = Crowd { address: program.address, visitors, rates, noise }.comes();
    assert!(program.stop().success());
    (program, done)
}

#[test]
fn a_better_form_wins_and_every_visitor_is_counted() {
    let (program, done) = comes(20_000, [0.05, 0.0615], false);
    let results = results(&program);
    assert_eq!(told(&results), (done.visitors, done.conversions));
    assert_eq!(done.visitors.iter().sum::<u64>(), 20_000);
    assert_eq!(results["sample_ratio"]["broken"], false, "{results}");
    assert_eq!(results["verdict"]["kind"], "ship", "{results}");
    assert_eq!(results["verdict"]["variant"], "on");
    assert_eq!(results["left_out"]["crossovers"], 0);
    let compared = &results["goals"][0]["comparisons"][0];
    assert!(compared["always_valid"]["p_value"].as_f64().unwrap() < 0.05, "{compared}");
    let lift = compared["lift_interval"].as_array().unwrap();
    assert!(lift[0].as_f64().unwrap() > 0.0 && lift[1].as_f64().unwrap() < 0.6, "{compared}");
    // the visitor who sent the form brought the cookie back
    let confirmed = results["goals"][0]["variants"].as_array().unwrap();
    let confirmed: Vec<_> = confirmed.iter().map(|one| one["confirmed"].as_u64().unwrap()).collect();
    assert_eq!(confirmed, done.conversions);

    let days = results["days"].as_array().unwrap();
    let new: u64 = days.iter().flat_map(|day| day["exposed"].as_array().unwrap()).map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(new, 20_000, "{days:?}");

    let text = said(&program, "results form");
    assert!(text.out.contains("ship:") && text.out.contains('●'), "{}", text.out);
    let csv = said(&program, "results form --csv").out;
    let row = format!("sent,on,{},{},{},", done.visitors[1], done.conversions[1], done.conversions[1]);
    assert!(csv.contains(&row), "{csv}");
    exported(&program, &done);
}

/// The export has a line per visitor, and adds up to the same.
fn exported(program: &Program, done: &Done) {
    let said = said(program, "export --flag form --format jsonl");
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let (mut visitors, mut conversions) = ([0; 2], [0; 2]);
    let mut seen = std::collections::HashSet::new();
    for line in said.out.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let variant = usize::from(row["variant"] == "on");
        assert!(seen.insert(row["visitor"].as_str().unwrap().to_owned()), "{row}");
        visitors[variant] += 1;
        conversions[variant] += u64::from(row["sent"].as_f64().unwrap() > 0.0);
    }
    assert_eq!((visitors, conversions), (done.visitors, done.conversions));
}

#[test]
fn equal_forms_have_no_winner_and_bots_and_prefetches_move_nothing() {
    let (program, done) = comes(6_000, [0.05, 0.05], true);
    let results = results(&program);
    assert_eq!(told(&results), (done.visitors, done.conversions));
    assert_eq!(done.visitors.iter().sum::<u64>(), 6_000);
    assert_ne!(results["verdict"]["kind"], "ship", "{results}");
    assert_ne!(results["verdict"]["kind"], "broken_split", "{results}");
}

/// Ids of visitors of whom so many in a hundred have the flag on.
fn tampered(visitors: usize, on_of_hundred: usize) -> impl Iterator<Item = String> {
    let mut next = 0;
    (0..visitors).map(move |i| {
        loop {
            next += 1;
            let id = format!("tampered-with-{next:08}");
            let is_on = Draw::of("form", &id).position() < 50_000;
            if is_on == (i % 100 < on_of_hundred) {
                return id;
            }
        }
    })
}

#[test]
fn a_split_of_48_to_52_names_no_winner() {
    let app = form();
    let mut program = Setup::to(&[app.address]).flags(FLAGS).start();
    let mut raw = program.raw();
    for visitor in tampered(10_000, 52) {
        look(&mut raw, &visitor);
    }
    assert!(program.stop().success());
    let said = said(&program, "results form --json");
    let results = said.json();
    assert_eq!(results["sample_ratio"]["observed"], serde_json::json!([4_800, 5_200]));
    assert_eq!((&results["sample_ratio"]["broken"], said.code), (&true.into(), 1));
    assert_eq!(results["verdict"]["kind"], "broken_split");
    assert_eq!(results["verdict"]["variant"], Value::Null);
}

#[test]
fn who_saw_the_form_as_on_sends_it_as_on() {
    let app = form();
    let flags = |percent: u8| FLAGS.replace("percent = 50", &format!("percent = {percent}\nsticky = \"session\""));
    let mut program = Setup::to(&[app.address]).flags(&flags(50)).start();
    let ids = (0..).map(|i| format!("came-before-it-{i:07}"));
    let among = |id: &String| (40_000..50_000).contains(&Draw::of("form", id).position());
    let id = ids.into_iter().find(among).unwrap();
    let (mut early, html) = (Browser::of(program.address, &id), "Accept: text/html\r\n");
    assert_eq!(early.get_with("/form", html).text(), "on");
    std::fs::write(program.path("flags.toml"), flags(1)).unwrap();
    eventually("nobody new with this place gets it", || {
        Browser::of(program.address, &id).get("/elsewhere").text() == "off"
    });
    let answer = early.post("/form", "name=x");
    assert_eq!((answer.status, answer.text().as_str()), (303, "on"));
    assert!(program.stop().success());
    let (visitors, conversions) = told(&results(&program));
    assert_eq!((visitors, conversions), ([0, 1], [0, 1]));
}

#[test]
fn pages_tell_events_and_visitors_are_forgotten() {
    let app = form();
    let mut program = Setup::to(&[app.address]).flags(FLAGS).start();
    let mut raw = program.raw();
    let visitor = |i: usize| format!("visitor-who-pays-{i:05}");
    for i in 0..3 {
        look(&mut raw, &visitor(i));
    }
    let same = "Sec-Fetch-Site: same-origin\r\n";
    let mut say = |i: usize, lines: &str, body: &str| {
        let answer = tell(&mut raw, "/.flagstaff/events", &visitor(i), lines, body);
        (answer.status, answer.text())
    };
    for _ in 0..2 {
        let paid = r#"{"event":"paid","value":49.9,"key":"A17"}"#;
        assert_eq!(say(0, same, paid), (204, String::new()));
    }
    assert_eq!(say(1, same, r#"[{"event":"paid","value":1},{"event":"paid","value":2}]"#).0, 204);
    let (status, why) = say(2, same, "{\"event\":");
    assert!(status == 400 && why.contains("not JSON"), "{status} {why}");
    assert_eq!(say(2, "Origin: http://evil\r\n", r#"{"event":"paid","value":9}"#).0, 403);
    let too_much = "9".repeat(16 * 1024 + 1);
    assert_eq!(tell(&mut program.raw(), "/.flagstaff/events", &visitor(2), same, &too_much).status, 413);

    let forgotten = tell(&mut raw, "/.flagstaff/forget", &visitor(1), same, "");
    assert_eq!(forgotten.status, 204);
    let cookies = forgotten.all("set-cookie");
    assert!(cookies.iter().any(|c| c.starts_with("flagstaff_visitor=;") && c.contains("Max-Age=0")), "{cookies:?}");
    assert!(program.stop().success());

    let paid = |program: &Program| -> (u64, f64, u64) {
        let results = results(program);
        let variants = results["goals"][1]["variants"].as_array().unwrap();
        let all = |key: &str| variants.iter().filter_map(|one| one[key].as_f64()).sum::<f64>();
        (all("visitors") as u64, all("sum"), all("conversions") as u64)
    };
    assert_eq!(paid(&program), (2, 49.9, 1));
    let forget = said(&program, &format!("forget {}", visitor(0)));
    assert_eq!(forget.code, 0, "{forget:?}");
    assert_eq!(said(&program, &format!("forget {}", visitor(0))).code, 1);
    assert_eq!(paid(&program), (1, 0.0, 0));
}

#[test]
fn nothing_is_kept_where_the_settings_say_none() {
    let app = form();
    let program = Setup::to(&[app.address]).flags(FLAGS).top("ledger = \"none\"").start();
    let mut raw = program.raw();
    assert_eq!(look(&mut raw, "somebody-not-recorded0").status, 200);
    let same = "Sec-Fetch-Site: same-origin\r\n";
    // guards hear what pages tell, also where nothing is kept
    assert_eq!(tell(&mut raw, "/.flagstaff/events", "somebody-not-recorded0", same, "{}").status, 400);
    assert_eq!(program.health()["ledger"], Value::Null);
    assert!(!Path::new(&program.path("flagstaff.db")).exists());
    let said = said(&program, "results form");
    assert!(said.code == 2 && said.err.contains("--ledger"), "{said:?}");
}
