//! What anybody can send: it moves nothing that is not meant to be moved by it, and it is said what does not count.

use serde_json::Value;

use crate::experiment_flow::{results, said};
use crate::harness::command::flagstaff;
use crate::harness::crowd::{form, look, tell};
use crate::harness::program::Setup;

const FLAGS: &str = r#"
[flags.form]
percent = 50
exposed_on = ["GET /form"]
goals = ["clicked", "paid"]

[goals.clicked]
event = "clicked"
from = "page"
value = "sum"
at_most = 500

[goals.paid]
event = "paid"
"#;

const SAME: &str = "Sec-Fetch-Site: same-origin\r\n";
const EVENTS: &str = "/.flagstaff/events";
const FORGET: &str = "/.flagstaff/forget";

/// Of all variants together.
fn sum(results: &Value, goal: usize, key: &str) -> f64 {
    let variants = results["goals"][goal]["variants"].as_array().unwrap();
    variants.iter().map(|variant| variant[key].as_f64().unwrap()).sum()
}

#[test]
fn a_pages_event_counts_where_the_goal_says_so_and_for_who_met_the_flag() {
    let app = form();
    let mut program = Setup::to(&[app.address]).flags(FLAGS).start();
    let mut raw = program.raw();
    let met = "someone-who-met-it-001";
    look(&mut raw, met);
    for _ in 0..130 {
        let said = tell(&mut raw, EVENTS, met, SAME, r#"{"event":"clicked","value":1000000}"#);
        assert_eq!(said.status, 204);
    }
    for i in 0..20 {
        let stranger = format!("someone-made-up-{i:06}");
        assert_eq!(tell(&mut raw, EVENTS, &stranger, SAME, r#"{"event":"clicked","value":5}"#).status, 204);
    }
    assert_eq!(tell(&mut raw, EVENTS, met, SAME, r#"{"event":"paid"}"#).status, 204);
    assert_eq!(tell(&mut raw, EVENTS, met, SAME, r#"{"event":"clicked","value":1e308}"#).status, 400);
    let refused = |reason: &str| program.metric("flagstaff_events_refused_total", reason) as u64;
    assert_eq!((refused("unit"), refused("said_by_page")), (30, 1));
    assert!(program.stop().success());
    let results = results(&program);
    assert_eq!((sum(&results, 0, "conversions"), sum(&results, 0, "sum")), (1.0, 100.0 * 500.0));
    assert_eq!(sum(&results, 1, "conversions"), 0.0);
}

#[test]
fn a_network_asks_to_be_forgotten_so_often_and_nobody_else_is() {
    let app = form();
    let mut program = Setup::to(&[app.address]).flags(FLAGS).start();
    let mut raw = program.raw();
    for i in 0..20 {
        look(&mut raw, &format!("someone-who-stays-{i:04}"));
    }
    let answers: Vec<_> =
        (0..300).map(|i| tell(&mut raw, FORGET, &format!("someone-made-up-{i:06}"), SAME, "").status).collect();
    let taken = answers.iter().filter(|status| **status == 204).count();
    assert!((100..300).contains(&taken) && answers.iter().all(|status| [204, 429].contains(status)), "{taken}");
    assert!(program.stop().success());
    assert_eq!(sum(&results(&program), 0, "visitors"), 20.0);
}

#[test]
fn nothing_recorded_is_said_and_experiments_are_listed() {
    let app = form();
    let mut program = Setup::to(&[app.address]).flags(FLAGS).start();
    look(&mut program.raw(), "someone-who-met-it-001");
    assert!(program.stop().success());
    let list = said(&program, "results");
    assert!(list.code == 0 && list.out.contains("form") && list.out.contains("clicked"), "{list:?}");
    let json = said(&program, "results --json").json();
    assert_eq!(json["experiments"][0]["flag"], "form");
    assert_eq!(said(&program, "results --csv").out.lines().count(), 2);
    let mut empty = Setup::to(&[app.address]).flags(FLAGS).start();
    assert!(empty.stop().success());
    let nothing = said(&empty, "export");
    assert!(nothing.code == 1 && nothing.err.contains("nothing was recorded"), "{nothing:?}");
    let folder = empty.folder.path();
    let power = flagstaff(folder, "power --baseline 5 --lift 10%".split(' '), &[]);
    assert!(power.code == 2 && power.err.contains("did you mean 5%?"), "{power:?}");
}
