//! The programs of a fleet: who runs, whose flags lag, and who takes a visitor for another.

use serde_json::Value;

use crate::harness::api::TOKEN;
use crate::harness::app::App;
use crate::harness::command::{Said, flagstaff};
use crate::harness::edits::revision;
use crate::harness::program::{Program, Setup};
use crate::harness::{WAIT_LIMIT, eventually, within};

const FLAGS: &str = "[flags.a]\npercent = 20\n";

/// A program with these keys, whose ledger is that of another.
fn with(app: &App, keys: &str, ledger: Option<&Program>) -> Setup {
    let setup = Setup::to(&[app.address])
        .env("FLAGSTAFF_KEYS", &keys.repeat(8))
        .env("FLAGSTAFF_ADMIN_TOKEN", TOKEN)
        .flags(FLAGS);
    match ledger {
        Some(first) => setup.top(&format!("ledger = \"{}\"", first.path("flagstaff.db").display())),
        None => setup,
    }
}

#[track_caller]
fn fleet(program: &Program, arguments: &[&str]) -> Said {
    let words = ["fleet", "--config", "flagstaff.toml"].iter().chain(arguments);
    flagstaff(program.folder.path(), words, &[])
}

/// The program of this process, as the fleet's list has it.
#[track_caller]
fn listed(asked: &Program, process: u32) -> Option<Value> {
    let said = fleet(asked, &["--json"]);
    let all = said.json()["programs"].as_array().unwrap().clone();
    all.into_iter().find(|one| one["process"] == process)
}

#[test]
fn programs_are_listed_until_they_end() {
    let app = App::mirror();
    let first = with(&app, "keys-", None).start();
    let mut second = with(&app, "keys-", Some(&first)).start();
    let (one, other) = (first.process.id(), second.process.id());
    eventually("both are there", || listed(&first, one).is_some() && listed(&first, other).is_some());
    let told = listed(&second, one).unwrap();
    assert_eq!((&told["state"], &told["revision"]), (&"running".into(), &revision(FLAGS).into()));
    assert_eq!(told["notices"], serde_json::json!([]), "the same keys and cookies");
    let shown = fleet(&first, &[]);
    assert!(shown.code == 0 && shown.out.contains("running") && shown.out.contains(&one.to_string()), "{shown:?}");
    let page = first.api("GET /fleet", "", "").text();
    assert!(page.contains("running") && page.contains(&format!("process {other}")), "{page}");
    let over_http = first.api_get("/api/v1/fleet");
    assert_eq!(over_http["programs"].as_array().map(Vec::len), Some(2), "{over_http}");
    assert_eq!(first.health()["identity"], second.health()["identity"]);
    assert!(second.stop().success());
    eventually("it said farewell", || listed(&first, other).is_none());
    let none = flagstaff(first.folder.path(), ["fleet", "--ledger", "none"], &[]);
    assert!(none.code == 2 && none.err.contains("no ledger"), "{none:?}");
}

#[test]
fn a_program_with_other_keys_or_cookies_is_said_by_both() {
    let app = App::mirror();
    let first = with(&app, "keys-", None).start();
    let keys = with(&app, "other", Some(&first)).start();
    let cookies = with(&app, "keys-", Some(&first)).key("visitor", "cookie = \"another\"").start();
    let says = |program: &Program, word: &str| program.health()["fleet"].to_string().contains(word);
    within(3 * WAIT_LIMIT, "all say it", || {
        says(&first, "other keys")
            && says(&first, "[visitor]")
            && says(&keys, "other keys")
            && says(&cookies, "[visitor]")
    });
    eventually("the log says it", || first.process.log().contains("signs with other keys"));
    let shown = fleet(&first, &[]);
    assert!(shown.code == 1 && shown.out.contains("other keys") && shown.out.contains("[visitor]"), "{shown:?}");
    let text = format!("{}{}{shown:?}", first.health(), first.process.log());
    assert!(!text.contains("other".repeat(2).as_str()) && !text.contains("keys-keys-"), "no key is told: {text}");
}

#[test]
fn a_program_whose_flags_lag_is_marked() {
    let app = App::mirror();
    let first = with(&app, "keys-", None).start();
    let behind = with(&app, "keys-", Some(&first)).start();
    eventually("both are there", || listed(&first, behind.process.id()).is_some());
    first.save_flags(&FLAGS.replace("20", "30"));
    within(3 * WAIT_LIMIT, "the one whose file is an old one lags", || {
        listed(&first, behind.process.id()).is_some_and(|told| told["state"] == "lagging")
    });
    within(3 * WAIT_LIMIT, "the other one does not", || {
        listed(&first, first.process.id()).is_some_and(|told| told["state"] == "running")
    });
    assert_eq!(fleet(&first, &[]).code, 1);
}
