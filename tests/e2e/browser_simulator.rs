//! A real browser: the simulator shows what `simulate` counts, and saves nothing.

use std::fs;

use crate::experiment_flow::said;
use crate::harness::chromium::Scenario;
use crate::harness::program::Setup;

const FLAGS: &str = "[flags.form]\npercent = 10\n";

#[test]
fn the_simulator_shows_how_many_have_it_and_nobody_loses_it() {
    let program = Setup::default().with_token().flags(FLAGS).start();
    let Some(mut scenario) = Scenario::start("simulator.js", &program, &[]) else { return };
    scenario.at("at 37 %", |told| {
        assert!((36.0..=38.0).contains(&told["percent"]["on"].as_f64().unwrap()), "{told}");
        let counted = said(&program, "simulate form --percent 37 --json").json();
        assert_eq!(counted["variants"], told["variants"], "the command counts the same");
    });
    scenario.at("a draft is tried", |_| ());
    scenario.ends();
    assert_eq!(fs::read_to_string(program.path("flags.toml")).unwrap(), FLAGS);
}
