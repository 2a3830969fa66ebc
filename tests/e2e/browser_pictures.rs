//! The pictures of docs/pages.md, from the demo with traffic.

use std::fs;
use std::path::Path;

use crate::experiment_flow::said;
use crate::harness::chromium::Scenario;
use crate::harness::eventually;
use crate::harness::program::{Program, Setup};

/// More to see than the demo has.
const MORE: &str = r#"
[flags.search_as_you_type]
description = "Suggestions while somebody types"
owner = "search"
created = 2026-11-10
expires = 2027-02-28

[flags.search_as_you_type.rollout]
steps = [{ percent = 10, hold = "approval" }, { percent = 50, hold = "1d" }, { percent = 100, hold = "1d" }]

[flags.summer_banner]
description = "The banner of the summer sale"
owner = "growth"
created = 2026-06-01
expires = 2026-09-30
percent = 100
"#;

#[track_caller]
fn done(program: &Program, line: &str) {
    let said = said(program, line);
    assert_eq!(said.code, 0, "{line}: {said:?}");
}

/// Makes them anew: `cargo test --test e2e pictures_of_the_documentation -- --ignored`.
#[test]
#[ignore = "it writes the pictures of docs/pages.md"]
fn pictures_of_the_documentation() {
    let flags = include_str!("../../config/flags.toml").replacen("percent = 50 ", "percent = 10 ", 1) + MORE;
    let program = Setup::default().with_token().flags(&flags).top("workers = 2").start();
    eventually("the rollouts have begun", || program.asks("GET", "/", "").text().contains("for an approval"));
    done(&program, "set show_new_contact_form percent=30 --by Grace");
    program.flags_in_force();
    done(&program, "set show_new_contact_form percent=50 --by Ada");
    program.flags_in_force();
    done(&program, "demo-traffic --visitors 9000 --rate off=5% --rate on=7.4% --seed 7");
    done(&program, "demo-traffic --flag new_checkout --visitors 1200 --seed 7");
    eventually("its guard saw the visitors", || {
        program.asks("GET", "/flags/new_checkout", "").text().contains("% of a trip")
    });

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures");
    fs::create_dir_all(&folder).unwrap();
    let mut scenario = Scenario::start("pictures.js", &program, &[folder.to_str().unwrap()]).unwrap();
    scenario.at("a rollout goes well", |_| {
        done(&program, "demo-traffic --flag new_checkout --visitors 900 --errors on=30% --seed 8");
        eventually("it is rolled back", || program.asks("GET", "/", "").text().contains("rolled back"));
    });
    scenario.ends();
    for picture in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        assert!(picture.metadata().unwrap().len() < 80_000, "{picture:?} is too large");
    }
}
