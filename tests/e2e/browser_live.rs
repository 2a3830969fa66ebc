//! A real browser: numbers of requests move while people come.

use crate::harness::chromium::Scenario;
use crate::harness::crowd::{form, look};
use crate::harness::program::{Program, Setup};

/// As many come each time.
const VISITORS: usize = 60;

/// Visitors come. Says how many of them without the flag and with it.
#[track_caller]
fn come(program: &Program, queue: &str) -> [usize; 2] {
    let mut raw = program.raw();
    let with = (0..VISITORS).filter(|n| look(&mut raw, &format!("{queue}{n:016}")).text() == "on").count();
    [VISITORS - with, with]
}

#[test]
fn requests_are_counted_while_the_page_is_looked_at() {
    let app = form();
    let program = Setup::to(&[app.address]).with_token().flags("[flags.form]\npercent = 30\n").start();
    let Some(mut scenario) = Scenario::start("live.js", &program, &[]) else { return };
    let mut all = [0, 0];
    let mut more = |queue| {
        let came = come(&program, queue);
        all = [all[0] + came[0], all[1] + came[1]];
        all
    };
    scenario.at("the list is open", |_| {
        more("early1");
    });
    scenario.at("the list moved", |told| {
        let share = told["share"].as_f64().unwrap();
        assert!(share > 0.05 && share < 0.6, "the bar shows who has it: {share}");
    });
    let mut told_all = [0, 0];
    scenario.at("the flag's page is open", |_| told_all = more("later1"));
    scenario.at("the flag's page moved", |told| {
        let [off, on] = told_all;
        assert_eq!(told["counts"], serde_json::json!({ "off": off, "on": on }));
    });
    scenario.ends();
}
