//! A real browser, used in other ways than with a mouse: by keyboard alone, and with JavaScript off.

use std::fs;

use crate::harness::chromium::Scenario;
use crate::harness::program::{Program, Setup};

const FLAGS: &str = "# Our flags.\n[flags.form]\ndescription = \"A shorter form\"\nowner = \"growth\"\npercent = 100 # everybody\n\n\
                     [flags.other]\nowner = \"growth\"\npercent = 50\n";

fn start() -> Program {
    Setup::default().with_token().flags(FLAGS).start()
}

#[track_caller]
fn flags(program: &Program) -> String {
    fs::read_to_string(program.path("flags.toml")).unwrap()
}

#[test]
fn a_keyboard_is_enough() {
    let program = start();
    let Some(mut scenario) = Scenario::start("keyboard.js", &program, &[]) else { return };
    scenario.at("left with Escape", |_| assert_eq!(flags(&program), FLAGS));
    scenario.at("it is off", |_| {
        let form = flags(&program).split("[flags.other]").next().unwrap().to_owned();
        assert!(form.contains("enabled = false"), "{form}");
    });
    scenario.at("an edit is saved", |_| {
        assert!(flags(&program).contains("percent = 35 # everybody"), "{}", flags(&program));
    });
    scenario.ends();
}

#[test]
fn everything_works_without_script() {
    let program = start();
    let Some(mut scenario) = Scenario::start("without_script.js", &program, &[]) else { return };
    scenario.at("it is shown what the edit does", |_| assert_eq!(flags(&program), FLAGS));
    let edited = FLAGS.replace("percent = 100 #", "percent = 20 #");
    scenario.at("it is saved", |_| assert_eq!(flags(&program), edited));
    scenario.at("it is undone", |_| assert_eq!(flags(&program), FLAGS));
    scenario.at("it is off", |_| assert!(flags(&program).contains("enabled = false"), "{}", flags(&program)));
    scenario.ends();
}
