//! A real browser: an old revision is put back.

use std::fs;

use crate::harness::chromium::Scenario;
use crate::harness::eventually;
use crate::harness::program::Setup;

const FLAGS: &str = "# Our flags.\n[flags.form]\nowner = \"growth\"\npercent = 100 # everybody\n";

#[test]
fn one_click_puts_an_old_revision_back() {
    let program = Setup::default().with_token().flags(FLAGS).start();
    let edited = FLAGS.replace("percent = 100 # everybody", "percent = 30 # by hand");
    let is_recorded = |count: usize| {
        let page = program.asks("GET", "/history", "").text();
        page.matches("href=\"/history/").count() >= count
    };
    eventually("the first revision is recorded", || is_recorded(1));
    program.save_flags(&edited);
    // of each its link, and the button of the one that is not in the file
    eventually("both revisions are recorded", || is_recorded(3));
    let Some(mut scenario) = Scenario::start("history.js", &program, &[]) else { return };
    let file = || fs::read_to_string(program.path("flags.toml")).unwrap();
    scenario.at("it is shown what comes back", |_| assert_eq!(file(), edited, "nothing is written yet"));
    scenario.at("it is put back", |_| assert_eq!(file(), FLAGS));
    scenario.ends();
}
