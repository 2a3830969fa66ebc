//! `flagstaff demo-traffic`: what it says it sent is what the results count.

use std::io::Read;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::experiment_flow::said;
use crate::harness::command::{Said, flagstaff};
use crate::harness::program::{Program, Setup};
use crate::harness::{eventually, free_address};

/// The flags that are shipped, in front of the shop.
fn shop() -> Program {
    Setup::default().flags(include_str!("../../config/flags.toml")).top("workers = 2").start()
}

#[track_caller]
fn sent(program: &Program, line: &str) -> Value {
    let said = said(program, &format!("demo-traffic --json {line}"));
    assert_eq!(said.code, 0, "{said:?}");
    said.json()
}

/// Of each variant, who came and who reached the goal, as an answer of either command tells it.
fn counts(variants: &Value) -> Vec<(String, u64, u64)> {
    let of = |one: &Value| {
        let number = |key: &str| one[key].as_u64().unwrap();
        (one["variant"].as_str().unwrap().to_owned(), number("visitors"), number("conversions"))
    };
    variants.as_array().unwrap().iter().map(of).collect()
}

/// Ids of visitors are random, so one split in a thousand looks broken by chance.
fn is_broken(results: &Value) -> bool {
    results["verdict"]["kind"] == "broken_split"
}

#[track_caller]
fn results_are(program: &Program, flag: &str, sent: &Value) -> Value {
    let said = said(program, &format!("results {flag} --json"));
    let results = said.json();
    assert_eq!(said.code, i32::from(is_broken(&results)), "{said:?}");
    assert_eq!(counts(&results["goals"][0]["variants"]), counts(&sent["variants"]));
    results
}

#[test]
fn the_results_are_what_was_sent_whatever_bots_do() {
    let mut program = shop();
    let sent = sent(&program, "--visitors 3000 --rate off=5% --rate on=20% --bots 40% --seed 7");
    assert_eq!((&sent["flag"], &sent["seed"]), (&"show_new_contact_form".into(), &7.into()));
    let number = |of: &Value| of.as_u64().unwrap();
    assert_eq!((number(&sent["visitors"]), number(&sent["outside"])), (3_000, 0));
    // 1,200 in the mean, with a standard deviation of 27
    assert!((1_000..1_400).contains(&(number(&sent["bots"]) + number(&sent["prefetches"]))), "{sent}");
    assert!(number(&sent["bots"]) > 400 && number(&sent["prefetches"]) > 400, "{sent}");
    for (variant, rate) in sent["variants"].as_array().unwrap().iter().zip([0.05, 0.2]) {
        assert_eq!((&variant["true_rate"], &variant["errors"]), (&rate.into(), &0.into()));
        assert!((variant["rate"].as_f64().unwrap() - rate).abs() < 0.04, "{variant}");
    }
    assert!(program.stop().success());
    let results = results_are(&program, "show_new_contact_form", &sent);
    let verdict = (&results["verdict"]["kind"], &results["verdict"]["variant"]);
    assert!(is_broken(&results) || verdict == (&"ship".into(), &"on".into()), "{results}");
}

#[test]
fn several_variants_events_and_visitors_outside_the_test() {
    let mut program = shop();
    let sent = sent(&program, "--flag pricing_display --visitors 1200 --rate classic=30% --rate simple=60%");
    let outside = sent["outside"].as_u64().unwrap();
    assert!((450..750).contains(&outside), "half are in another flag of the layer: {sent}");
    let counted = counts(&sent["variants"]);
    assert_eq!(counted.iter().map(|one| one.0.as_str()).collect::<Vec<_>>(), ["classic", "simple", "annual_first"]);
    assert_eq!(counted.iter().map(|one| one.1).sum::<u64>() + outside, 1_200);
    assert!(program.stop().success());
    let results = results_are(&program, "pricing_display", &sent);
    // each order has a value between 20 and 80
    let mean = |one: &Value| one["sum"].as_f64().unwrap() / one["conversions"].as_f64().unwrap();
    assert!(results["goals"][0]["variants"].as_array().unwrap().iter().all(|one| (20.0..80.0).contains(&mean(one))));
}

#[test]
fn the_shop_fails_and_dawdles_on_request() {
    let mut program = shop();
    let line = "--visitors 400 --rate off=100% --rate on=100% --errors on=50% --slow off=10% --slow-by 20ms --seed 3";
    let sent = sent(&program, line);
    let of = |variant: usize, key: &str| sent["variants"][variant][key].as_u64().unwrap();
    assert_eq!((of(0, "errors"), of(1, "slow"), of(0, "conversions")), (0, 0, of(0, "visitors")));
    assert!(of(1, "errors") > 40 && of(0, "slow") > 0, "{sent}");
    assert_eq!(of(1, "conversions") + of(1, "errors"), of(1, "visitors"));
    assert_eq!(program.metric("flagstaff_requests_total", "5xx") as u64, of(1, "errors"));
    assert!(program.stop().success());
    results_are(&program, "show_new_contact_form", &sent);
}

#[test]
fn people_are_told_what_to_ask_next() {
    let program = shop();
    let said = said(&program, "demo-traffic --visitors 40 --errors on=100%");
    assert_eq!(said.code, 0, "{said:?}");
    for part in
        ["40 visitors to http://", "/contact in ", "TRUE RATE", "ERRORS", "flagstaff results show_new_contact_form"]
    {
        assert!(said.out.contains(part), "{part}: {}", said.out);
    }
}

#[test]
fn what_is_not_the_shop_is_left_alone() {
    let app = crate::harness::crowd::form();
    let program = Setup::to(&[app.address]).flags(crate::experiment_flow::FLAGS).start();
    let refused = said(&program, "demo-traffic");
    assert!(refused.code == 2 && refused.err.contains("not the demo shop"), "{refused:?}");
    let shop = shop();
    let ask = |line: &str| -> Said { said(&shop, &format!("demo-traffic --visitors 10 {line}")) };
    let nobody = free_address();
    for (line, wanted) in [
        (format!("--to http://{nobody}"), "start `flagstaff`"),
        ("--to https://localhost".into(), "not an address"),
        ("--rate onn=5%".into(), "did you mean `on`"),
        ("--rate on=5".into(), "between 0% and 100%"),
        ("--flag new_dashboard".into(), "no goals"),
        ("--flag new_checkou".into(), "did you mean `new_checkout`"),
    ] {
        let said = ask(&line);
        assert!(said.code == 2 && said.err.contains(wanted), "{line}: {said:?}");
    }
    let elsewhere = flagstaff(shop.folder.path(), ["demo-traffic", "--flags", "no.toml"], &[]);
    assert!(elsewhere.code == 2 && elsewhere.err.contains("no.toml"), "{elsewhere:?}");
}

#[test]
fn interrupted_it_says_what_was_sent() {
    let mut program = shop();
    let mut traffic = Command::new(env!("CARGO_BIN_EXE_flagstaff"))
        .args([
            "demo-traffic",
            "--json",
            "--visitors",
            "1000000",
            "--per-second",
            "200",
            "--config",
            "flagstaff.toml",
        ])
        .current_dir(program.folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let written = |program: &Program| program.health()["ledger"]["written"].as_u64().unwrap_or(0);
    eventually("some have come", || written(&program) > 50);
    let id = rustix::process::Pid::from_child(&traffic);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let mut text = String::new();
    traffic.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(traffic.wait().unwrap().code(), Some(1), "not all that were wanted");
    let sent: Value = serde_json::from_str(&text).unwrap();
    assert!(program.stop().success());
    results_are(&program, "show_new_contact_form", &sent);
}

#[test]
fn a_checkout_that_fails_is_rolled_back_as_the_front_page_says() {
    let program = shop();
    let sent = sent(&program, "--flag new_checkout --errors on=10% --visitors 20000 --seed 7");
    let on = counts(&sent["variants"]).into_iter().find(|one| one.0 == "on").unwrap();
    assert!(on.1 < 2_000, "{} of 20,000 visitors met it, a quarter would have", on.1);
    let mut status = Value::Null;
    eventually("the trip is on record", || {
        status = said(&program, "rollout new_checkout --json").json();
        status["state"] == "tripped"
    });
    assert_eq!((&status["evidence"]["sign"], &status["percent"]), (&"errors".into(), &0.0.into()), "{status}");
}
