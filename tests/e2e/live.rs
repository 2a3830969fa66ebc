//! What happens is told at once to those who listen.

use crate::harness::crowd::form;
use crate::harness::crowd::look;
use crate::harness::program::Setup;

const FLAGS: &str = "[flags.form]\npercent = 100\n";

#[test]
fn listeners_are_told_of_flags_states_and_requests() {
    let app = form();
    let mut program = Setup::to(&[app.address]).with_token().flags(FLAGS).start();
    let mut events = program.listens("/api/v1/events", "");
    let first = events.next();
    assert_eq!((first.name.as_str(), &first.data["flags"]), ("flags", &1.into()));
    let facts = events.next_of("facts");
    assert_eq!((&facts.data[0]["flag"], &facts.data[0]["state"]), (&"form".into(), &"on".into()));
    assert_eq!(events.next_of("counts").data[0]["requests"], 0);
    let mut raw = program.raw();
    for _ in 0..3 {
        look(&mut raw, "listened00000000000001");
    }
    let mut counted = 0;
    while counted < 3 {
        let counts = events.next_of("counts");
        assert_eq!(counts.data[0]["variants"][0]["requests"], 0, "nobody is off");
        counted = counts.data[0]["variants"][1]["requests"].as_u64().unwrap();
    }
    assert_eq!(counted, 3);
    program.save_flags("[flags.form]\nenabled = false\n\n[flags.other]\n");
    let changed = events.next_of("flags");
    assert_eq!(changed.data["flags"], 2);
    assert!(changed.id.unwrap() > first.id.unwrap(), "later events have higher ids");
    let facts = events.next_of("facts").data;
    assert_eq!((&facts[0]["state"], &facts[1]["flag"]), (&"off".into(), &"other".into()));
    let traffic = program.asks_json("GET", "/api/v1/traffic", "");
    let on = &traffic[0]["variants"][1];
    assert_eq!((&on["actual"], &on["expected"]), (&100.0.into(), &0.0.into()), "it was on, and should be off now");
    assert_eq!(traffic[0]["history"].as_array().unwrap().len(), 30);
    assert_eq!((&traffic[0]["requests"], traffic[0]["last"].is_string()), (&3.into(), true), "{traffic}");
    assert_eq!((&traffic[1]["requests"], traffic[1]["last"].is_null()), (&0.into(), true), "{traffic}");
    assert!(program.stop().success(), "a listener does not keep it");
    assert!(events.ends());
}

#[test]
fn one_flag_is_followed_alone() {
    let app = form();
    let program = Setup::to(&[app.address]).with_token().flags("[flags.form]\n\n[flags.other]\n").start();
    let mut events = program.listens("/api/v1/events?flag=other", "");
    let of = |data: &serde_json::Value| -> Vec<String> {
        data.as_array().unwrap().iter().map(|one| one["flag"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(of(&events.next_of("facts").data), ["other"]);
    assert_eq!(of(&events.next_of("counts").data), ["other"]);
    look(&mut program.raw(), "listened00000000000001");
    let counts = events.next_of("counts").data;
    assert_eq!((of(&counts), &counts[0]["requests"]), (vec!["other".into()], &1.into()));
}

#[test]
fn nobody_listens_without_the_token() {
    let app = form();
    let program = Setup::to(&[app.address]).with_token().flags(FLAGS).start();
    for target in ["/api/v1/events", "/api/v1/tail", "/api/v1/traffic"] {
        let mut raw = crate::harness::raw::Raw::connect(program.admin);
        raw.send(format!("GET {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", program.admin));
        assert_eq!(raw.answer().status, 401, "{target}");
    }
}

#[test]
fn what_should_be_cleared_away_is_known() {
    let app = crate::harness::app::App::start(|exchange| {
        exchange.answer(200, "X-Flag-Exposed: form, gone_form\r\n", "fine")
    });
    let flags = "[flags.form]\nowner = \"me\"\n\n[flags.never]\nowner = \"me\"\nexposed_on = [\"/nowhere\"]\n\n[flags.old]\nexpires = 2020-01-01\n";
    let program = Setup::to(&[app.address]).with_token().flags(flags).start();
    let mut raw = program.raw();
    look(&mut raw, "listened00000000000001");
    program.get("/?flagstaff.typed_wrong=on");
    let report = program.asks_json("GET", "/api/v1/hygiene", "");
    assert_eq!(report["never_asked"], serde_json::json!(["never"]), "{report}");
    let first = &report["findings"][0];
    assert_eq!((&first["kind"], &first["flag"]), (&"expired".into(), &"old".into()), "{report}");
    assert!(report["watched_since"].is_string(), "{report}");
    let mut unknown: Vec<_> = report["unknown"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["name"].as_str().unwrap(), one["asker"].as_str().unwrap()))
        .collect();
    unknown.sort_unstable();
    assert_eq!(unknown, [("gone_form", "app"), ("typed_wrong", "visitor")], "{report}");
}
