//! Several addresses, kept connections that die, and what is sent twice.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::harness::app::{App, Then};
use crate::harness::eventually;
use crate::harness::program::Setup;

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// An app that closes idle connections whenever it likes, as apps do; it counts how often it saw each request.
fn closes_at_random() -> (App, Arc<Mutex<HashMap<String, usize>>>) {
    let seen = Arc::new(Mutex::new(HashMap::new()));
    let (counts, dice) = (Arc::clone(&seen), Mutex::new(Dice(7)));
    let app = App::start(move |exchange| {
        exchange.body();
        *counts.lock().unwrap().entry(exchange.target.clone()).or_default() += 1;
        exchange.answer(200, "", "fine");
        let (closes, pause) = {
            let mut dice = dice.lock().unwrap();
            (dice.below(3) == 0, dice.below(2000))
        };
        if closes {
            std::thread::sleep(Duration::from_micros(pause));
            return Then::Close;
        }
        Then::Keep
    });
    (app, seen)
}

#[test]
fn a_thousand_requests_to_an_app_that_closes_idle_connections() {
    let (app, _) = closes_at_random();
    let program = Setup::to(&[app.address]).start();
    let mut dice = Dice(1);
    let mut client = program.raw();
    for n in 0..1000 {
        client.send(format!("GET /{n} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(client.answer().status, 200, "request {n}");
        std::thread::sleep(Duration::from_micros(dice.below(2500)));
    }
    assert!(program.metric("flagstaff_upstream_retries_total", "") > 0.0, "nothing was tried again");
}

#[test]
fn no_post_is_sent_twice() {
    let (app, seen) = closes_at_random();
    let program = Setup::to(&[app.address]).start();
    let mut dice = Dice(2);
    let mut client = program.raw();
    let mut lost = 0;
    for n in 0..700 {
        client.send(format!("POST /{n} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"));
        match client.answer().status {
            200 => assert_eq!(seen.lock().unwrap().get(&format!("/{n}")), Some(&1)),
            502 => lost += 1,
            other => panic!("{other}"),
        }
        std::thread::sleep(Duration::from_micros(dice.below(2500)));
    }
    assert!(seen.lock().unwrap().values().all(|count| *count == 1), "a POST was sent twice");
    // The app drops some requests unread: it had made up its mind before they came. Taking any kept connection loses 8 to 13 %.
    assert!(lost <= 21, "{lost} of 700 were lost");
}

#[test]
fn a_connection_that_dies_under_a_request() {
    // On a kept connection the app reads the request and dies: GET may go again, POST may not, nor GET with a body.
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    let app = App::start(move |exchange| {
        exchange.body();
        if exchange.before > 0 && exchange.target == "/dies" {
            count.fetch_add(1, SeqCst);
            return Then::Close;
        }
        exchange.answer(200, "", "fine")
    });
    // Each in a program of its own: one that has seen such a death does not send a POST into the next.
    let ask = |request: &str| {
        let program = Setup::to(&[app.address]).start();
        assert_eq!(program.get("/keep").0, 200);
        let mut client = program.raw();
        client.send(request);
        client.answer().status
    };
    assert_eq!(ask("GET /dies HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    assert_eq!(ask("DELETE /dies HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    assert_eq!(seen.load(SeqCst), 2);
    assert_eq!(ask("POST /dies HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"), 502);
    assert_eq!(ask("GET /dies HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"), 502);
    assert_eq!(seen.load(SeqCst), 4);
}

#[test]
fn what_goes_out_again_is_what_went_out_before() {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&heads);
    let app = App::start(move |exchange| {
        if exchange.before > 0 {
            seen.lock().unwrap().push(exchange.head.clone());
            return Then::Close;
        }
        if exchange.target != "/keep" {
            seen.lock().unwrap().push(exchange.head.clone());
        }
        exchange.answer(200, "", "fine")
    });
    let long = "x".repeat(20_000);
    for (method, fields) in [
        ("GET", "Cookie: a=1; b=2\r\nCookie: c\r\nAccept:\r\nX-Twice: 1\r\nX-Other: 2\r\nX-Twice: 3\r\n"),
        ("PUT", "Content-Length: 0\r\nX-Text: \u{fc}\t~\r\nTE: trailers\r\nConnection: TE\r\n"),
        ("OPTIONS", &format!("X-Long: {long}\r\n")),
    ] {
        let program = Setup::to(&[app.address]).start();
        assert_eq!(program.get("/keep").0, 200);
        let mut client = program.raw();
        client.send(format!("{method} /a%20b/?c=%2F&d HTTP/1.1\r\nHost: shop.example\r\n{fields}\r\n"));
        assert_eq!(client.answer().status, 200, "{method}");
        let both = std::mem::take(&mut *heads.lock().unwrap());
        assert!(both.len() == 2 && both[0] == both[1] && both[0].len() > fields.len(), "{both:?}");
    }
}

#[test]
fn what_the_app_did_to_kept_connections_is_remembered() {
    // It serves one request per connection, without saying so, and drops the next unread.
    let app = App::start(|exchange| {
        exchange.body();
        if exchange.before > 0 {
            return Then::Close;
        }
        exchange.answer(200, "", "fine")
    });
    let program = Setup::to(&[app.address]).start();
    let post = || {
        let mut client = program.raw();
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
        client.answer().status
    };
    assert_eq!((post(), post()), (200, 502));
    let lost = (0..50).filter(|_| post() == 502).count();
    assert!(lost <= 5, "{lost} of 50");
}

#[test]
fn a_request_that_kills_the_app_is_not_sent_around() {
    // On a new connection the request itself is the likely cause.
    let seen = Arc::new(AtomicUsize::new(0));
    let apps: Vec<_> = (0..2)
        .map(|_| {
            let seen = Arc::clone(&seen);
            App::start(move |_| {
                seen.fetch_add(1, SeqCst);
                Then::Close
            })
        })
        .collect();
    let program = Setup::to(&[apps[0].address, apps[1].address]).start();
    assert_eq!(program.get("/").0, 502);
    assert_eq!(seen.load(SeqCst), 1);
}

#[test]
fn both_addresses_are_used_and_a_dead_one_is_left_out_and_rolled_back() {
    let (one, two) = (App::says("one"), App::says("two"));
    let program = Setup::to(&[one.address, two.address]).start();
    let mut client = program.raw();
    let mut ask = |count: usize| {
        let mut answers = HashMap::<String, usize>::new();
        for _ in 0..count {
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            let answer = client.answer();
            assert_eq!(answer.status, 200);
            *answers.entry(answer.text()).or_default() += 1;
        }
        answers
    };
    assert_eq!(ask(20), HashMap::from([("one".into(), 10), ("two".into(), 10)]));
    let address = one.address;
    drop(one);
    assert_eq!(ask(50), HashMap::from([("two".into(), 50)]));
    assert_eq!(program.metric("flagstaff_upstream_up", &address.to_string()), 0.0);
    let _back = App::start_at(address, |exchange| exchange.answer(200, "", "one"));
    eventually("it is rolled back", || ask(10).contains_key("one"));
    assert_eq!(ask(20), HashMap::from([("one".into(), 10), ("two".into(), 10)]));
    assert_eq!(program.metric("flagstaff_upstream_up", &address.to_string()), 1.0);
}

#[test]
fn posts_go_elsewhere_when_an_address_takes_no_connection() {
    // Nothing was sent, so sending it elsewhere is no repetition.
    let (dead, app) = (crate::harness::free_address(), App::mirror());
    let program = Setup::to(&[dead, app.address]).start();
    for _ in 0..10 {
        let mut client = program.raw();
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
        assert_eq!(client.answer().status, 200);
    }
    assert_eq!(app.heads().len(), 10);
}

#[test]
fn kept_connections_are_given_up_in_time() {
    let app = App::mirror();
    let program = Setup::to(&[app.address]).key("timeouts", "pool = \"300ms\"").start();
    assert_eq!(program.get("/").0, 200);
    assert_eq!(app.open(), 1);
    eventually("the kept connection is closed", || app.open() == 0);
}

#[test]
fn names_are_resolved() {
    let app = App::mirror();
    let program = Setup::default().top(&format!("upstream = [\"localhost:{}\"]", app.address.port())).start();
    assert_eq!(program.get("/").0, 200);
}
