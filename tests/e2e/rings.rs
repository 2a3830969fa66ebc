//! Requests that would come back to the proxy that passed them on.

use std::sync::{Arc, OnceLock};

use crate::harness::app::App;
use crate::harness::command::flagstaff;
use crate::harness::free_address;
use crate::harness::program::Setup;
use crate::harness::raw::{Raw, fields};

#[test]
fn an_upstream_that_is_the_proxy_itself_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("flags.toml"), "# no flags\n").unwrap();
    let port = free_address().port();
    let dry_run = |listen: &str, upstream: &str| {
        let (listen, upstream) = (format!("{listen}:{port}"), format!("{upstream}:{port}"));
        let line = ["run", "--dry-run", "--listen", &listen, "--upstream", &upstream];
        flagstaff(folder.path(), line, &[])
    };
    for (listen, upstream) in
        [("127.0.0.1", "127.0.0.1"), ("127.0.0.1", "localhost"), ("0.0.0.0", "127.0.0.1"), ("[::]", "[::1]")]
    {
        let said = dry_run(listen, upstream);
        assert_eq!(said.code, 2, "{said:?}");
        let wanted = format!("error: --upstream: `{upstream}:{port}` is an address of this proxy itself; write");
        assert!(said.err.starts_with(&wanted), "{said:?}");
    }
    assert_eq!(dry_run("127.0.0.1", "127.0.0.2").code, 0);
}

/// Another proxy: it sends what it gets to an address told later, and answers with the status that comes back.
fn other_proxy() -> (App, Arc<OnceLock<std::net::SocketAddr>>) {
    let next: Arc<OnceLock<std::net::SocketAddr>> = Arc::default();
    let to = Arc::clone(&next);
    let app = App::start(move |exchange| {
        let mut onward = Raw::connect(*to.get().unwrap());
        onward.send(&exchange.head);
        let status = onward.answer().status;
        exchange.answer(status, "", "")
    });
    (app, next)
}

#[test]
fn a_ring_through_another_proxy_ends_at_the_second_visit() {
    let (other, next) = other_proxy();
    let program = Setup::to(&[other.address]).start();
    next.set(program.address).unwrap();
    assert_eq!(program.get("/").0, 508);
    assert_eq!(other.heads().len(), 1, "passed on once");
    assert!((program.refused("loop") - 1.0).abs() < f64::EPSILON);
    // A client cannot talk the mark away.
    let mut raw = program.raw();
    raw.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close, cdn-loop\r\n\r\n");
    assert_eq!(raw.answer().status, 508);
}

#[test]
fn proxies_in_a_row_are_no_ring() {
    let app = App::mirror();
    let inner = Setup::to(&[app.address]).start();
    let outer = Setup::to(&[inner.address]).start();
    let mut raw = outer.raw();
    raw.send("GET / HTTP/1.1\r\nHost: a\r\nCDN-Loop: a.example; v=1\r\nCDN-Loop: b.example\r\n\r\n");
    let answer = raw.answer();
    assert_eq!(answer.status, 200);
    let head = answer.text();
    let marks: Vec<_> =
        fields(&head).filter(|(name, _)| name.eq_ignore_ascii_case("cdn-loop")).map(|(_, value)| value).collect();
    let [all] = marks[..] else { panic!("{marks:?}") };
    let all: Vec<_> = all.split(", ").collect();
    let [first, second, ours @ ..] = &all[..] else { panic!("{all:?}") };
    assert_eq!((*first, *second), ("a.example; v=1", "b.example"));
    assert_eq!(ours.len(), 2);
    assert!(ours.iter().all(|mark| mark.starts_with("flagstaff-")) && ours[0] != ours[1], "{ours:?}");
}
