//! Which requests become visitors: documents, not what pages ask for at once, not forms of other sites.

use std::collections::BTreeSet;

use crate::experiment_flow::said;
use crate::flags_spoofing::KEYS;
use crate::harness::app::App;
use crate::harness::eventually;
use crate::harness::program::{Program, Setup};
use crate::harness::raw::{Answer, Raw, fields};

const FLAGS: &str = r#"
[flags.form]
percent = 50
sticky = "visitor"
exposed_on = ["/*"]
goals = ["paid"]

[goals.paid]
on = "/return"
"#;
const DOCUMENT: &str = "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
const FETCH: &str = "Sec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n";
const AGENT: &str = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0\r\n";

#[track_caller]
fn ask(program: &Program, line: &str, lines: &str) -> Answer {
    let mut raw = Raw::connect(program.address);
    raw.send(format!("{line} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n{AGENT}{lines}\r\n"));
    raw.answer()
}

/// What the app was told in a header.
fn told(answer: &Answer, name: &str) -> Option<String> {
    let text = answer.text();
    fields(&text).find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
}

/// Our cookies that an answer sets.
fn set(answer: &Answer) -> Vec<String> {
    let names = answer.all("set-cookie").into_iter().filter_map(|line| Some(line.split_once('=')?.0.to_owned()));
    names.filter(|name| name.starts_with("flagstaff_")).collect()
}

/// Units in the ledger.
fn recorded(program: &mut Program) -> BTreeSet<String> {
    assert!(program.stop().success());
    let said = said(program, "export --flag form --format jsonl");
    assert_eq!(said.code, 0, "{said:?}");
    let unit =
        |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["visitor"].as_str().unwrap().to_owned();
    said.out.lines().map(unit).collect()
}

#[test]
fn parallel_first_requests_are_one_visitor() {
    let app = App::mirror();
    let mut program = Setup::to(&[app.address]).flags(FLAGS).env("FLAGSTAFF_KEYS", KEYS).start();
    let address = program.address;
    let fetches: Vec<_> = (0..6)
        .map(|_| {
            std::thread::spawn(move || {
                let mut raw = Raw::connect(address);
                raw.send(format!(
                    "GET /api HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n{AGENT}{FETCH}\r\n"
                ));
                raw.answer()
            })
        })
        .collect();
    let fetches: Vec<_> = fetches.into_iter().map(|fetch| fetch.join().unwrap()).collect();
    let page = ask(&program, "GET /", DOCUMENT);
    for fetch in &fetches {
        assert_eq!(set(fetch), [""; 0], "{}", fetch.head);
        assert_eq!(told(fetch, "x-flags"), told(&fetches[0], "x-flags"), "one variant at once");
    }
    assert!(set(&page).contains(&"flagstaff_visitor".to_owned()));
    assert_eq!(program.metric("flagstaff_not_counted_total", "reason=\"no_id\""), 6.0);
    let visitor = told(&page, "x-visitor-id").unwrap();
    assert_eq!(recorded(&mut program), BTreeSet::from([visitor]), "no other visitor is in the ledger");
    assert!(program.process.log().contains("not counted since the start: no_id 6"), "{}", program.process.log());
}

#[test]
fn a_cross_site_form_changes_no_visitor_and_counts_nothing() {
    let app = App::mirror();
    let mut program = Setup::to(&[app.address]).flags(FLAGS).env("FLAGSTAFF_KEYS", KEYS).start();
    let page = ask(&program, "GET /", DOCUMENT);
    let visitor = told(&page, "x-visitor-id").unwrap();
    let site = "Sec-Fetch-Site: cross-site\r\n";
    for lines in [
        format!("{DOCUMENT}{site}"),
        format!("{DOCUMENT}{site}Origin: https://bank.example\r\n"),
        "Origin: https://bank.example\r\n".into(),
        "Origin: null\r\n".into(),
    ] {
        for method in ["POST", "PUT", "DELETE"] {
            let answer = ask(&program, &format!("{method} /return"), &format!("{lines}Content-Length: 0\r\n"));
            assert_eq!((answer.status, set(&answer)), (200, vec![]), "{method} {lines}");
        }
    }
    let back = format!("{DOCUMENT}{site}Cookie: flagstaff_visitor={visitor}\r\nContent-Length: 0\r\n");
    assert_eq!(told(&ask(&program, "POST /return", &back), "x-visitor-id"), Some(visitor.clone()));
    for (line, lines) in [
        ("GET /", format!("{DOCUMENT}{site}")),
        ("POST /", format!("{DOCUMENT}Sec-Fetch-Site: same-origin\r\nContent-Length: 0\r\n")),
    ] {
        assert!(!set(&ask(&program, line, &lines)).is_empty(), "{line} {lines}");
    }
    assert_eq!(program.metric("flagstaff_not_counted_total", "reason=\"cross_site\""), 12.0);
    let units = recorded(&mut program);
    assert!(units.contains(&visitor) && units.len() == 3, "{units:?}");
}

#[test]
fn app_events_for_a_request_without_an_id_are_counted_as_refused() {
    let app = App::start(|exchange| {
        exchange.body();
        exchange.answer(200, "X-Flag-Event: bought\r\n", "thank you")
    });
    let flags = "[flags.form]\npercent = 50\ngoals = [\"bought\"]\n\n[goals.bought]\nevent = \"bought\"\n";
    let program = Setup::to(&[app.address]).flags(flags).env("FLAGSTAFF_KEYS", KEYS).start();
    let refused = |reason: &str| program.metric("flagstaff_events_refused_total", reason) as u64;
    let cross = format!("{DOCUMENT}Sec-Fetch-Site: cross-site\r\nContent-Length: 0\r\n");
    assert_eq!(ask(&program, "POST /return", &cross).status, 200);
    ask(&program, "GET /api", FETCH);
    ask(&program, "GET /api", FETCH);
    ask(&program, "GET /", DOCUMENT);
    assert_eq!((refused("reason=\"cross_site\""), refused("reason=\"no_id\"")), (1, 2));
    eventually("it is told", || program.process.log().contains("events do not reach a goal"));
}

#[test]
fn an_untrusted_balancer_is_logged_once() {
    let app = App::mirror();
    let program = Setup::to(&[app.address]).start();
    for n in 0..5 {
        ask(&program, "GET /", &format!("X-Forwarded-For: 198.51.100.{n}\r\n"));
    }
    let warnings =
        || program.process.log().matches("127.0.0.1 sends X-Forwarded-For, and [trust] does not name it").count();
    eventually("it is told", || warnings() > 0);
    assert_eq!(warnings(), 1);
}

#[test]
fn the_scheme_in_front_makes_cookies_secure() {
    let app = App::mirror();
    let program = Setup::to(&[app.address]).key("trust", "addresses = [\"127.0.0.1\"]").start();
    for (proto, secure) in [
        ("https", true),
        ("HTTPS", true),
        ("https,http", true),
        ("https, http", true),
        ("http, https", false),
        ("http", false),
    ] {
        let answer = ask(&program, "GET /", &format!("X-Forwarded-Proto: {proto}\r\n"));
        let cookie =
            answer.all("set-cookie").into_iter().find(|cookie| cookie.starts_with("flagstaff_visitor")).unwrap();
        assert_eq!(cookie.contains("; Secure"), secure, "{proto}: {cookie}");
    }
}

#[test]
fn the_access_log_names_no_visitor_without_consent() {
    let app = App::mirror();
    let setup =
        Setup::to(&[app.address]).key("visitor", "consent_cookie = \"consent=yes\"").key("log", "access = true");
    let program = setup.env("FLAGSTAFF_KEYS", KEYS).start();
    let before = told(&ask(&program, "GET /before", DOCUMENT), "x-visitor-id").unwrap();
    let after =
        told(&ask(&program, "GET /after", &format!("{DOCUMENT}Cookie: consent=yes\r\n")), "x-visitor-id").unwrap();
    eventually("both are in the log", || program.process.log().contains("GET /after"));
    assert!(!program.process.log().contains(&before) && program.process.log().contains(&after));
}
