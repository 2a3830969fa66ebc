//! A forgotten visitor is gone, and counts anew on coming back, whether a command or a page forgot.

use crate::experiment_flow::{FLAGS, said};
use crate::flags_spoofing::KEYS;
use crate::harness::browser::Browser;
use crate::harness::crowd::{form, look};
use crate::harness::eventually;
use crate::harness::postgres::Server;
use crate::harness::program::{Program, Setup};

fn is_known(program: &Program, unit: &str) -> bool {
    said(program, "export --flag form --format jsonl").out.contains(unit)
}

/// The command deletes what is there, and the program that runs meanwhile does not go on thinking that it is.
fn comes_back(program: &Program) {
    let (visitor, other) = ("somebody-comes-back-00", "somebody-stays-here-00");
    let mut raw = program.raw();
    for one in [visitor, other] {
        look(&mut raw, one);
    }
    eventually("both are there", || is_known(program, visitor) && is_known(program, other));
    for _ in 0..2 {
        let forgotten = said(program, &format!("forget {visitor}"));
        assert_eq!(forgotten.code, 0, "{forgotten:?}");
        assert!(!is_known(program, visitor) && is_known(program, other));
        eventually("a visitor who comes back is recorded again", || {
            look(&mut raw, visitor);
            is_known(program, visitor)
        });
    }
    assert_eq!(program.health()["ledger"]["dropped"], 0);
}

#[test]
fn a_running_program_notices_who_was_forgotten() {
    let app = form();
    comes_back(&Setup::to(&[app.address]).flags(FLAGS).start());
}

#[test]
fn a_running_program_notices_it_in_postgresql() {
    let Some(server) = Server::start() else {
        return eprintln!("SKIPPED: PostgreSQL is not installed; tests/postgresql unpacks it");
    };
    let app = form();
    let ledger = format!("ledger = \"{}\"", server.database());
    comes_back(&Setup::to(&[app.address]).flags(FLAGS).top(&ledger).start());
}

#[test]
fn units_of_every_kind_are_forgotten() {
    let app = form();
    let flags = FLAGS.replace("percent = 50", "percent = 50\nbucket_by = \"header.x-account\"");
    let mut program = Setup::to(&[app.address]).flags(&flags).start();
    let mut raw = program.raw();
    for account in ["acme", "other"] {
        raw.send(format!(
            "GET /form HTTP/1.1\r\nHost: shop\r\nUser-Agent: Firefox/140.0\r\nAccept: text/html\r\nX-Account: {account}\r\n\r\n"
        ));
        assert_eq!(raw.answer().status, 200);
    }
    assert!(program.stop().success());
    assert!(is_known(&program, "header.x-account:acme") && is_known(&program, "header.x-account:other"));
    let said = |line: &str| said(&program, line);
    for wrong in [
        "forget",
        "forget --unit acme",
        "forget --unit account=acme",
        "forget --unit request=1",
        "forget --unit user=",
    ] {
        let said = said(wrong);
        assert!(said.code == 2 && !said.err.is_empty(), "{wrong}: {said:?}");
    }
    assert_eq!(said("forget --unit cookie.account=acme").code, 1);
    let forgotten = said("forget --unit header.X-Account=acme --unit user=7 --json");
    assert_eq!((forgotten.code, &forgotten.json()["rows"]), (0, &1.into()), "{forgotten:?}");
    assert!(!is_known(&program, "acme") && is_known(&program, "header.x-account:other"));
}

#[test]
fn a_visitor_who_withdrew_consent_is_forgotten() {
    let app = form();
    let program = Setup::to(&[app.address])
        .flags(FLAGS)
        .env("FLAGSTAFF_KEYS", KEYS)
        .key("visitor", "consent_cookie = \"consent=yes\"")
        .start();
    let mut browser = Browser::new(program.address).with_cookie("consent", "yes");
    for _ in 0..2 {
        browser.get_with("/form", "Accept: text/html\r\n");
    }
    let visitor = browser.cookie("flagstaff_visitor").unwrap().to_owned();
    eventually("the visitor is recorded", || is_known(&program, &visitor));
    browser = browser.with_cookie("consent", "no");
    let forgotten = browser.post_json("/.flagstaff/forget", "Sec-Fetch-Site: same-origin\r\n", "");
    assert_eq!((forgotten.status, browser.cookie("flagstaff_visitor")), (204, None));
    eventually("the visitor is forgotten", || !is_known(&program, &visitor));
}

/// One id in 64 begins with a hyphen.
#[test]
fn ids_that_begin_with_a_hyphen_are_no_options() {
    let app = form();
    let mut program = Setup::to(&[app.address]).flags(FLAGS).start();
    assert!(program.stop().success());
    let said = |line: &str| said(&program, line);
    for id in ["-mAAAAAAAAAAAAAAAAAAAA", "--AAAAAAAAAAAAAAAAAAAA", "-h"] {
        let forgotten = said(&format!("forget {id} --json"));
        // nothing was recorded of it: that is a no, and no error
        assert!(id == "-h" || forgotten.code == 1 && forgotten.out.contains(id), "{id}: {forgotten:?}");
        let explained = said(&format!("explain --visitor {id} --user -x{id}"));
        assert_eq!(explained.code, 0, "{id}: {explained:?}");
    }
    assert_eq!(said("forget --unti user=7").code, 2);
    let mistyped = said("forget --unti=user=7");
    assert!(mistyped.code == 2 && mistyped.err.contains("--unti"), "{mistyped:?}");
}
