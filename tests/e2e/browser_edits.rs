//! A real browser: a flag is turned off and edited, and an edit by hand meanwhile is shown.

use crate::harness::browser::Browser;
use crate::harness::chromium::Scenario;
use crate::harness::crowd::form;
use crate::harness::program::{Program, Setup};
use crate::harness::stores::Store;

const FLAGS: &str = "# Our flags. Ask Ada first.\n[flags.form]\ndescription = \"A shorter form\"\nowner = \"growth\"\n\
                     percent = 100 # everybody\n\n# not ours\n[flags.other]\npercent = 50\n";

/// What a visitor of the site gets now.
#[track_caller]
fn served(program: &Program) -> String {
    Browser::of(program.address, "v-00000000000000000001").get("/form").text()
}

#[track_caller]
fn flags(program: &Program) -> String {
    program.document(None).unwrap()
}

#[test]
fn what_is_done_in_a_browser_is_in_force_and_an_edit_by_hand_is_not_lost() {
    Store::all().iter().for_each(what_is_done_in_a_browser_is_in_force_in);
}

fn what_is_done_in_a_browser_is_in_force_in(store: &Store) {
    let app = form();
    let program = Setup::to(&[app.address]).with_token().kept_in(store).flags(FLAGS).start();
    let Some(mut scenario) = Scenario::start("edits.js", &program, &[]) else { return };

    scenario.at("asked whether to turn it off", |_| {
        assert_eq!((served(&program).as_str(), flags(&program).as_str()), ("on", FLAGS));
    });
    scenario.at("it is off", |_| assert_eq!(served(&program), "off", "with the very next answer"));
    scenario.at("it is on", |_| assert_eq!(served(&program), "on"));

    let before = flags(&program);
    scenario.at("it is shown what the edit does", |_| assert_eq!(flags(&program), before));
    let edited = before.replace("percent = 100 # everybody", "percent = 20 # everybody");
    scenario.at("it is saved", |_| assert_eq!(flags(&program), edited));

    let by_hand = edited.replace("percent = 20 # everybody", "percent = 40 # Grace, by hand");
    scenario.at("the page is open", |_| program.save_flags(&by_hand));
    scenario.at("the conflict is shown", |_| assert_eq!(flags(&program), by_hand, "nothing is lost"));
    let mine = by_hand.replace("percent = 40", "percent = 60");
    scenario.at("mine is saved all the same", |_| assert_eq!(flags(&program), mine));
    scenario.ends();
}
