//! Visitors whose variant of a flag has an upstream of its own.

use crate::harness::app::{App, Then};
use crate::harness::program::{Program, Setup};
use crate::harness::{WAIT_LIMIT, eventually, free_address};

/// Whose `X-Who` is `new` gets the flag, and with it the other upstream.
fn flags(upstream: std::net::SocketAddr) -> String {
    format!(
        "[flags.shop_v2]\nowner = \"team\"\nexpires = 2099-01-01\nupstream = {{ on = \"{upstream}\" }}\n\
         [[flags.shop_v2.rules]]\nif = {{ \"header.x-who\" = \"new\" }}\nserve = \"on\"\n"
    )
}

fn ask(program: &Program, method: &str, who: &str) -> (u16, String) {
    let mut client = program.raw();
    client.send(format!("{method} / HTTP/1.1\r\nHost: a\r\nX-Who: {who}\r\nContent-Length: 0\r\n\r\n"));
    let answer = client.answer();
    (answer.status, answer.text())
}

fn fallbacks(program: &Program) -> f64 {
    program.metric("flagstaff_canary_fallbacks_total", "flag=\"shop_v2\"")
}

#[test]
fn they_reach_it_and_only_they() {
    let (app, canary) = (App::says("app"), App::says("canary"));
    let program = Setup::to(&[app.address]).flags(&flags(canary.address)).start();
    for method in ["GET", "POST", "PUT"] {
        assert_eq!(ask(&program, method, "new"), (200, "canary".into()));
        assert_eq!(ask(&program, method, "old"), (200, "app".into()));
    }
    assert!(app.heads().iter().all(|head| head.contains("x-who: old")));
    assert!(canary.heads().iter().all(|head| head.contains("x-who: new")));
    assert_eq!((app.heads().len(), canary.heads().len()), (3, 3));
    assert_eq!(canary.connections(), 1, "its connections are kept like others");
    assert_eq!(fallbacks(&program), 0.0);
}

#[test]
fn the_first_flag_that_names_one_wins() {
    let (app, one, two) = (App::says("app"), App::says("one"), App::says("two"));
    let text = format!(
        "[flags.zebra]\nupstream = {{ on = \"{}\" }}\n[flags.ant]\nupstream = {{ on = \"{}\", off = \"{}\" }}\n",
        one.address,
        two.address,
        free_address()
    );
    let program = Setup::to(&[app.address]).flags(&text).start();
    assert_eq!(program.get("/"), (200, "one".into()));
    program.save_flags(&text.replacen("[flags.zebra]", "[flags.zebra]\nenabled = false", 1));
    assert_eq!(program.get("/"), (200, "two".into()));
}

#[test]
fn when_it_is_dead_the_app_answers_what_may_be_asked_twice() {
    let app = App::says("app");
    let canary = App::says("canary");
    let program = Setup::to(&[app.address]).flags(&flags(canary.address)).start();
    assert_eq!(ask(&program, "GET", "new"), (200, "canary".into()));
    drop(canary);
    for n in 1..=5 {
        assert_eq!(ask(&program, "GET", "new"), (200, "app".into()));
        assert_eq!(fallbacks(&program), f64::from(n));
    }
    let before = app.heads().len();
    assert_eq!(ask(&program, "POST", "new").0, 502);
    let mut client = program.raw();
    client.send("PUT / HTTP/1.1\r\nHost: a\r\nX-Who: new\r\nContent-Length: 2\r\n\r\nhi");
    assert_eq!(client.answer().status, 502);
    assert_eq!(app.heads().len(), before, "the app was asked in its place");
    assert_eq!(fallbacks(&program), 5.0);
}

#[test]
fn when_it_comes_back_it_is_asked_again() {
    let app = App::says("app");
    let address = free_address();
    let program = Setup::to(&[app.address]).flags(&flags(address)).start();
    assert_eq!(ask(&program, "GET", "new"), (200, "app".into()));
    let _canary = App::start_at(address, |exchange| exchange.answer(200, "", "canary"));
    eventually("it answers", || ask(&program, "GET", "new").1 == "canary");
}

#[test]
fn what_it_answers_itself_stands() {
    let app = App::says("app");
    let canary = App::start(|exchange| exchange.answer(503, "", "canary"));
    let program = Setup::to(&[app.address]).flags(&flags(canary.address)).start();
    assert_eq!(ask(&program, "GET", "new"), (503, "canary".into()));
    assert_eq!(fallbacks(&program), 0.0);
    assert!(app.heads().is_empty());
}

#[test]
fn when_it_drops_the_request_or_hangs_the_app_answers() {
    let app = App::says("app");
    let canary = App::start(|exchange| {
        if exchange.target == "/hangs" {
            exchange.wait_for_end();
        }
        Then::Close
    });
    let program =
        Setup::to(&[app.address]).key("timeouts", "upstream = \"500ms\"").flags(&flags(canary.address)).start();
    for target in ["/dies", "/hangs"] {
        for (method, status) in [("GET", 200), ("POST", if target == "/dies" { 502 } else { 504 })] {
            let mut client = program.raw();
            client.send(format!("{method} {target} HTTP/1.1\r\nHost: a\r\nX-Who: new\r\nContent-Length: 0\r\n\r\n"));
            assert_eq!(client.answer().status, status, "{method} {target}");
        }
    }
    assert_eq!(app.heads().len(), 2);
    assert_eq!(canary.heads().len(), 4);
    assert_eq!(fallbacks(&program), 2.0);
}

/// What may be sent to both has one limit for both.
#[test]
fn one_limit_holds_for_the_upstream_and_the_app_in_its_place() {
    let hangs = || {
        App::start(|exchange| {
            exchange.wait_for_end();
            Then::Close
        })
    };
    let (app, canary) = (hangs(), hangs());
    // twice of it would be longer than a test waits for an answer
    let limit = format!("upstream = \"{}s\"", WAIT_LIMIT.as_secs() * 6 / 10);
    let program = Setup::to(&[app.address]).key("timeouts", &limit).flags(&flags(canary.address)).start();
    assert_eq!(ask(&program, "GET", "new").0, 504);
    assert_eq!((canary.heads().len(), app.heads().len()), (1, 1), "each was asked");
}

#[test]
fn an_edit_takes_it_away_at_once() {
    let (app, canary) = (App::says("app"), App::says("canary"));
    let text = flags(canary.address);
    let program = Setup::to(&[app.address]).key("timeouts", "pool = \"10m\"").flags(&text).start();
    assert_eq!(ask(&program, "GET", "new").1, "canary");
    assert_eq!(canary.open(), 1);
    program.save_flags(&text.replace("upstream =", "# upstream ="));
    assert_eq!(ask(&program, "GET", "new").1, "app");
    assert_eq!(ask(&program, "POST", "new").1, "app");
    eventually("its connections are closed", || canary.open() == 0);
    program.save_flags(&text);
    assert_eq!(ask(&program, "GET", "new").1, "canary");
}

#[test]
fn beside_the_demo_shop() {
    let canary = App::says("canary");
    let program = Setup::default().flags(&flags(canary.address)).start();
    assert_eq!(ask(&program, "GET", "new"), (200, "canary".into()));
    let (status, shop) = ask(&program, "GET", "old");
    assert_eq!(status, 200);
    assert_ne!(shop, "canary");
    drop(canary);
    assert_eq!(ask(&program, "GET", "new").0, 502);
}

/// Another deployment has other files too, and `exposed_on` says who is counted, not who is sent there.
#[test]
fn no_cache_keeps_its_answers_for_others() {
    let says = |text: &'static str| {
        App::start(move |exchange| {
            exchange.body();
            let kind = if exchange.target.ends_with(".css") { "text/css" } else { "text/html" };
            exchange.answer(200, &format!("Content-Type: {kind}\r\nCache-Control: public, max-age=3600\r\n"), text)
        })
    };
    let (app, canary) = (says("app"), says("canary"));
    let text = flags(canary.address).replace("[[flags", "exposed_on = [\"GET /checkout\"]\n[[flags");
    let program = Setup::to(&[app.address]).flags(&text).start();
    for path in ["/app.css", "/page"] {
        for who in ["new", "old"] {
            let mut client = program.raw();
            client.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\nX-Who: {who}\r\n\r\n"));
            let answer = client.answer();
            let varies = answer.all("vary").join(",").to_lowercase().contains("cookie");
            let is_private = answer.field("cache-control").is_some_and(|rules| rules.contains("private"));
            assert!(varies || is_private, "{path} for {who}: {}", answer.head);
        }
    }
}
