//! pandas and scipy find in an export what the results say.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::experiment_flow::{results, said};
use crate::harness::crowd::{Crowd, ask, form, look, tell};
use crate::harness::program::{Program, Setup};
use crate::harness::python::notebook_runner;

const FLAGS: &str = r#"
[flags.form]
percent = 50
exposed_on = ["GET /form"]
goals = ["sent", "paid", "left", "rare", "never", "gifts"]

[goals.sent]
on = "POST /form"

[goals.paid]
event = "paid"
from = "page"
value = "sum"

[goals.left]
bounce_after = "1s"

[goals.rare]
event = "rare"
from = "page"

[goals.never]
event = "never"

[goals.gifts]
event = "gift"
value = "sum"
"#;

/// Runs the notebook on what the program exports, and gives its numbers and the program's.
#[track_caller]
fn both(program: &Program, flag: &str, parameters: &str, options: &str) -> (Value, Value) {
    let folder = program.folder.path();
    let results = said(program, &format!("results {flag} --json{options}"));
    fs::write(folder.join("results.json"), &results.out).unwrap();
    fs::write(folder.join("visitors.csv"), said(program, &format!("export --flag {flag}")).out).unwrap();
    let mut runner = notebook_runner();
    let output = runner.arg(parameters).current_dir(folder).output().unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    assert!(log.contains("every number is the same"), "{log}");
    (serde_json::from_slice(&output.stdout).unwrap(), results.json())
}

/// Holds every number that one side tells against the other's, and counts them.
#[track_caller]
fn same(ours: &Value, theirs: &Value, at: &str) -> usize {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let of = |(key, value): (&String, &Value)| {
                same(value, theirs.get(key).unwrap_or(&Value::Null), &format!("{at}.{key}"))
            };
            ours.iter().map(of).sum()
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            assert_eq!(ours.len(), theirs.len(), "{at}");
            ours.iter().zip(theirs).map(|(one, other)| same(one, other, at)).sum()
        }
        (Value::Number(one), Value::Number(other)) => {
            let (one, other) = (one.as_f64().unwrap(), other.as_f64().unwrap());
            let is_same = (one - other).abs() <= 1e-6 * one.abs().max(1e-6);
            assert!(is_same, "{at}: {one} {other}");
            1
        }
        (one, other) => {
            assert_eq!(one, other, "{at}");
            0
        }
    }
}

/// What scripts rely on, and what has no number of its own.
fn told(results: &Value) -> Value {
    let mut goals = results["goals"].clone();
    for goal in goals.as_array_mut().unwrap() {
        let goal = goal.as_object_mut().unwrap();
        goal.retain(|key, _| key != "measure" && key != "better");
    }
    json!({ "sample_ratio": results["sample_ratio"], "goals": goals })
}

/// Visitors of all kinds: some with cookies from before, some who buy twice, some who look at a second page.
fn come(program: &Program) {
    let mut raw = program.raw();
    let same = "Sec-Fetch-Site: same-origin\r\n";
    for i in 0..2_400_u32 {
        let visitor = format!("counted-once-more{i:05}");
        let is_on = look(&mut raw, &visitor).text() == "on";
        let cookie = format!("Accept: text/html\r\nCookie: flagstaff_visitor={visitor}\r\n");
        let draw = |of: u32| i.wrapping_mul(2_654_435_761).rotate_left(of) % 1_000;
        if draw(3) < if is_on { 150 } else { 120 } {
            ask(&mut raw, "POST", "Firefox/140.0", &cookie);
        }
        for order in 0..u32::from(draw(7) < 90) + u32::from(draw(7) < 30) {
            let value = f64::from(draw(11 + order)) / 10.0 + if is_on { 3.5 } else { 0.0 };
            let said = tell(
                &mut raw,
                "/.flagstaff/events",
                &visitor,
                same,
                &format!(r#"{{"event":"paid","value":{value}}}"#),
            );
            assert_eq!(said.status, 204, "{}", said.text());
        }
        if draw(17) < if is_on { 60 } else { 30 } {
            tell(&mut raw, "/.flagstaff/events", &visitor, same, r#"{"event":"rare"}"#);
        }
        if draw(19) < 400 {
            look(&mut raw, &visitor);
        }
    }
}

#[test]
fn scipy_says_the_same_to_six_digits() {
    let app = form();
    let mut program = Setup::to(&[app.address]).flags(FLAGS).start();
    come(&program);
    std::thread::sleep(Duration::from_millis(1_100)); // until no bounce is open
    assert!(program.stop().success());
    let (ours, results) = both(&program, "form", r#"{"sums": ["paid", "gifts"]}"#, "");
    let theirs = told(&results);
    let ways = (same(&ours, &theirs, ""), same(&theirs, &ours, ""));
    assert_eq!(ways.0, ways.1);
    assert!(ways.0 > 90, "{}", ways.0);
    // both methods of the lift, a mean, a bounce and a goal nobody reached are among them
    let goal = |place: usize, key: &str| theirs["goals"][place][key].clone();
    let conversions = |place: usize| goal(place, "variants")[0]["conversions"].as_u64().unwrap();
    assert!(conversions(0) > 100 && (25..100).contains(&conversions(3)), "{theirs}");
    assert!(conversions(1) > 25 && conversions(2) > 25 && conversions(4) == 0, "{theirs}");
    for place in 0..4 {
        let compared = &goal(place, "comparisons")[0];
        for key in ["difference", "lift", "p_value", "interval", "lift_interval", "always_valid"] {
            assert!(
                !compared[key].is_null() && !compared[key]["p_value"].is_null() | (key != "always_valid"),
                "{key}"
            );
        }
    }
    // another plan, another level
    let parameters = r#"{"sums": ["paid", "gifts"], "alpha": 0.01, "planned": 2000}"#;
    let (ours, results) = both(&program, "form", parameters, " --alpha 1% --planned 2000");
    assert_eq!(same(&ours, &told(&results), ""), ways.0);
}

#[test]
fn so_it_does_for_three_variants() {
    let mut program = Setup::default().flags(include_str!("../../config/flags.toml")).start();
    let sent =
        said(&program, "demo-traffic --flag pricing_display --visitors 1500 --rate classic=30% --rate simple=35%");
    assert_eq!(sent.code, 0, "{sent:?}");
    assert!(program.stop().success());
    // in this order: the first is the control
    let parameters = r#"{"shares": {"classic": 50, "simple": 25, "annual_first": 25}}"#;
    let (ours, results) = both(&program, "pricing_display", parameters, "");
    assert!(same(&told(&results), &ours, "") > 40);
}

/// Everything that a ledger knows happened a day earlier.
fn a_day_passes(program: &Program) {
    let script = "import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as ledger:
    for column in ('exposures.at', 'exposures.page1', 'exposures.page2', 'conversions.at', 'trials.began', 'periods.began', 'boots.latest'):
        table, column = column.split('.')
        ledger.execute(f'UPDATE {table} SET {column} = {column} - 86400000000')
ledger.close()";
    let mut python = std::process::Command::new("python3");
    assert!(python.args(["-c", script]).arg(program.path("flagstaff.db")).status().unwrap().success());
}

#[test]
fn the_smallest_p_value_of_all_days_is_kept() {
    let app = form();
    let mut program = Setup::to(&[app.address]).flags(crate::experiment_flow::FLAGS).start();
    let comes = |program: &mut Program, rates| {
        Crowd { address: program.address, visitors: 3_000, rates, noise: false }.comes();
        assert!(program.stop().success());
    };
    comes(&mut program, [0.1, 0.2]);
    let always_valid = |program: &Program| results(program)["goals"][0]["comparisons"][0]["always_valid"].clone();
    let first = always_valid(&program);
    assert!(first["p_value"].as_f64() < Some(0.01) && first["p_value"] == first["p_value_now"], "{first}");
    a_day_passes(&program);
    program.restart();
    comes(&mut program, [0.2, 0.115]);
    let second = always_valid(&program);
    assert_eq!(second["p_value"], first["p_value"], "{second}");
    assert!(second["p_value_now"].as_f64() > Some(0.5), "{second}");
    let verdict = results(&program)["verdict"].clone();
    assert!(verdict["kind"] == "ship" && verdict["text"].as_str().unwrap().contains("earlier day"), "{verdict}");
    std::thread::sleep(Duration::from_millis(1_100)); // until no bounce is open
    let (ours, _) = both(&program, "form", r#"{"sums": ["paid"]}"#, "");
    assert!(ours["goals"][0]["comparisons"][0]["always_valid"]["p_value_now"].is_number());
}
