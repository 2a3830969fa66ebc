//! A real browser: a waiting step is approved, and a rollout is rolled back by the red button.

use crate::experiment_flow::said;
use crate::harness::browser::Browser;
use crate::harness::chromium::Scenario;
use crate::harness::crowd::form;
use crate::harness::eventually;
use crate::harness::program::{Program, Setup};

const FLAGS: &str = "[flags.ramp]\nowner = \"growth\"\n[flags.ramp.rollout]\n\
                     steps = [{ percent = 10, hold = \"approval\" }, { percent = 100, hold = \"1h\" }]\n\n\
                     [flags.form]\nowner = \"growth\"\nsticky = \"none\"\n[flags.form.rollout]\n\
                     steps = [{ percent = 50, hold = \"1h\" }, { percent = 100 }]\n[flags.form.guard]\nerrors = \"5xx\"\n";

/// How many of a hundred visitors have the flag.
#[track_caller]
fn with_the_form(program: &Program) -> usize {
    let has =
        |visitor: &u32| Browser::of(program.address, &format!("visitor{visitor:015}")).get("/form").text() == "on";
    (0..100).filter(has).count()
}

/// Kind and author of what happened last to a flag.
#[track_caller]
fn last(program: &Program, flag: &str) -> (String, String) {
    let status = said(program, &format!("rollout {flag} --json")).json();
    let fact = status["history"].as_array().unwrap().last().cloned().unwrap_or_default();
    (fact["kind"].as_str().unwrap_or_default().into(), fact["by"].as_str().unwrap_or_default().into())
}

#[test]
fn a_step_is_approved_and_a_rollout_rolled_back() {
    let app = form();
    let program = Setup::to(&[app.address]).with_token().flags(FLAGS).start();
    eventually("it waits for an approval", || {
        program.asks("GET", "/", "").text().contains("for an approval") && last(&program, "form").0 == "defined"
    });
    let Some(mut scenario) = Scenario::start("rollouts.js", &program, &[]) else { return };
    scenario.at("it is approved", |_| {
        eventually("the ledger knows", || last(&program, "ramp") == ("step".into(), "operator".into()));
    });
    scenario.at("it is asked whether to roll it back", |_| {
        let count = with_the_form(&program);
        assert!((25..75).contains(&count), "nothing happens before the answer: {count} of 100 have it");
    });
    scenario.at("it is rolled back", |_| {
        assert_eq!(with_the_form(&program), 0);
        eventually("the ledger knows", || last(&program, "form").0 == "disabled");
    });
    scenario.ends();
}
