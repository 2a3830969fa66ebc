//! Many connections, too many connections, and no descriptors left.

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::harness::app::App;
use crate::harness::eventually;
use crate::harness::program::Setup;
use crate::harness::raw::Raw;

/// 10,000 connections need as many descriptors on our side.
fn raise_our_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
}

#[test]
fn ten_thousand_idle_connections() {
    const COUNT: usize = 10_000;
    raise_our_limit();
    let app = App::says("hello");
    let program = Setup::to(&[app.address])
        .key("limits", &format!("connections = {}", COUNT + 10))
        .key("timeouts", "idle = \"10m\"")
        .start();
    let mut clients: Vec<Raw> = Vec::with_capacity(COUNT);
    for _ in 0..COUNT {
        let mut client = program.raw();
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(client.answer().status, 200);
        clients.push(client);
    }
    assert!(program.metric("flagstaff_connections", "") >= 10_000.0);
    let memory = program.process.memory();
    eprintln!("{COUNT} idle connections: {memory} KiB");
    assert!(memory < 200 << 10, "{memory} KiB");
    // They are alive, all of them.
    for client in clients.iter_mut().step_by(500) {
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(client.answer().status, 200);
    }
}

#[test]
fn connections_beyond_the_limit_wait() {
    let app = App::says("hello");
    let program = Setup::to(&[app.address]).key("limits", "connections = 5").start();
    let mut clients: Vec<_> = (0..5).map(|_| program.raw()).collect();
    for client in &mut clients {
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(client.answer().status, 200);
    }
    let mut late = program.raw();
    late.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    eventually("it says so", || program.process.log().contains("all connections are in use"));
    assert_eq!(app.heads().len(), 5);
    drop(clients.pop());
    assert_eq!(late.answer().status, 200);
}

#[test]
fn out_of_descriptors() {
    let app = App::says("hello");
    let program = Setup::to(&[app.address]).key("limits", "connections = 1000").open_files(80).start();
    assert_eq!(program.get("/").0, 200);
    let clients: Vec<_> = (0..100).map(|_| program.raw()).collect();
    eventually("it says so", || program.process.log().contains("no file descriptor is free"));
    drop(clients);
    eventually("it recovers", || program.get("/").0 == 200);
    assert!(program.process.log().contains("file descriptors are free again"));
    assert!(program.metric("flagstaff_accept_failures_total", "") > 0.0);
}
