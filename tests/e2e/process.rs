//! The process: what its log may not do to it, what signals mean, and the operators' address.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::app::App;
use crate::harness::program::{Program, Setup};
use crate::harness::raw::Raw;
use crate::harness::{WAIT_LIMIT, eventually};

const ON: &str = "[flags.a]\nowner = \"me\"\nexpires = 2099-01-01\n";
const OFF: &str = "[flags.a]\nowner = \"me\"\nexpires = 2099-01-01\nenabled = false\n";

/// Saves as careful editors do.
fn save(program: &Program, text: &str) {
    fs::write(program.path("flags.new"), text).unwrap();
    fs::rename(program.path("flags.new"), program.path("flags.toml")).unwrap();
}

/// Whether a new visitor has the flag, as the app sees it.
fn is_on(program: &Program) -> bool {
    let (status, body) = program.get("/");
    assert_eq!(status, 200);
    body.to_ascii_lowercase().contains("x-flag-a: on")
}

fn healthz(program: &Program) -> Value {
    let (status, body) = ask(program, "/healthz");
    assert_eq!(status, 200);
    serde_json::from_str(&body).unwrap()
}

fn ask(program: &Program, path: &str) -> (u16, String) {
    let mut raw = Raw::connect(program.admin);
    raw.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    let answer = raw.answer();
    (answer.status, answer.text())
}

/// A broken edit, which is told in the log, and then a good one, which must be heard.
fn hears_an_edit_after_a_broken_one(program: &Program) {
    let before = healthz(program)["flags"]["problem"].clone();
    assert_eq!(before, Value::Null);
    save(program, "[flags.a]\npercent = 500\n");
    eventually("the broken edit is seen", || healthz(program)["flags"]["problem"].is_string());
    save(program, OFF);
    eventually("the good edit is heard", || !is_on(program));
    assert_eq!(ask(program, "/readyz"), (200, "ready\n".into()));
}

// ── a log that cannot be written ─────────────────────────────────────────────────────────────────────────────────

/// Scripts that start the program with outputs that cannot be written.
const UNWRITABLE: [(&str, &str); 4] = [
    ("the disk is full", "exec \"$0\" \"$@\" >/dev/full 2>&1"),
    ("standard error is closed", "exec \"$0\" \"$@\" 2>&-"),
    ("everything is closed", "exec \"$0\" \"$@\" <&- >&- 2>&-"),
    ("the reader has gone", "mkfifo p; (head -c 1 <p >/dev/null) & exec \"$0\" \"$@\" >p 2>&1"),
];

#[test]
fn the_program_runs_on_when_the_log_cannot_be_written() {
    for (what, script) in UNWRITABLE {
        let app = App::mirror();
        let mut program = Setup::to(&[app.address]).flags(ON).key("log", "access = true").through(script).start();
        assert!(is_on(&program), "{what}");
        hears_an_edit_after_a_broken_one(&program);
        if what.contains("closed") {
            // the system's empty device takes its place
            assert_eq!(program.metric("flagstaff_log_dropped_total", ""), 0.0, "{what}");
        } else {
            eventually("lost lines are counted", || program.metric("flagstaff_log_dropped_total", "") > 0.0);
            eventually("also those of answers", || program.metric("flagstaff_access_log_dropped_total", "") > 0.0);
        }
        assert_eq!(program.metric("flagstaff_thread_restarts_total", ""), 0.0, "{what}");
        assert!(program.stop().success(), "{what}");
    }
}

#[test]
fn a_stalled_log_reader_blocks_nothing() {
    let app = App::mirror();
    // a pipe takes 64 KiB, and then the writer waits
    let script = "mkfifo p; (sleep 60 >/dev/null 2>&1) <p & echo $! >sleeper; exec \"$0\" \"$@\" >p 2>&1";
    let mut program = Setup::to(&[app.address]).flags(ON).key("log", "access = true").through(script).start();
    let long = "x".repeat(4000);
    (0..50).for_each(|_| assert_eq!(program.get(&format!("/{long}")).0, 200));
    for n in 0..20 {
        let wrong: String = (0..100).map(|i| format!("wrong_{n}_{i} = \"{}\"\n", "y".repeat(100))).collect();
        save(&program, &format!("[flags.a]\n{wrong}"));
        eventually("it is seen", || {
            healthz(&program)["flags"]["problem"].to_string().contains(&format!("wrong_{n}_0"))
        });
    }
    save(&program, OFF);
    eventually("the good edit is heard", || !is_on(&program));
    assert!(program.stop().success());
    let sleeper = fs::read_to_string(program.path("sleeper")).unwrap();
    let sleeper = rustix::process::Pid::from_raw(sleeper.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(sleeper, Signal::TERM).unwrap();
}

// ── what the log looks like ──────────────────────────────────────────────────────────────────────────────────────

#[track_caller]
fn all_json(text: &str) -> Vec<Value> {
    let of = |line: &str| serde_json::from_str::<Value>(line).ok().filter(Value::is_object);
    text.lines().map(|line| of(line).unwrap_or_else(|| panic!("no object: {line}"))).collect()
}

#[test]
fn with_json_every_line_is_an_object() {
    let app = App::mirror();
    let mut program = Setup::to(&[app.address])
        .flags("[flags.a]\n")
        .key("log", "format = \"json\"\naccess = true")
        .env("FLAGSTAFF_LISTN", "1")
        .start();
    let mut raw = program.raw();
    raw.send("GET /odd HTTP/1.1\r\nHost: a\r\nUser-Agent: \u{9b}31m \u{202e} \u{2028}\r\nConnection: close\r\n\r\n");
    assert_eq!(raw.answer().status, 200);
    hears_an_edit_after_a_broken_one(&program);
    assert!(program.stop().success());
    let log = program.process.log();
    let lines = all_json(&log);
    let says = |key: &str, text: &str| lines.iter().any(|line| line[key].as_str().is_some_and(|s| s.contains(text)));
    assert!(says("message", "serving") && says("message", "FLAGSTAFF_LISTN") && says("message", "percent"), "{log}");
    assert!(says("target", "/odd"), "{log}");
    assert!(!log.contains(['\u{9b}', '\u{202e}', '\u{2028}']), "{log}");
}

#[test]
fn with_json_a_start_that_fails_says_so_in_objects() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("listen = \"{}\"\nledger = \"none\"\n", taken.local_addr().unwrap());
    for (settings, wanted) in [
        (listen.as_str(), "cannot listen"),
        ("listne = \"a\"\n", "did you mean `listen`"),
        ("flags = \"none.toml\"\n", "none.toml"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("flags.toml"), ON).unwrap();
        fs::write(folder.path().join("s.toml"), format!("{settings}[log]\nformat = \"json\"\n")).unwrap();
        let said = crate::harness::command::flagstaff(folder.path(), ["run", "--config", "s.toml"], &[]);
        assert_eq!(said.code, 2);
        let lines = all_json(&(said.out + &said.err));
        assert!(lines.iter().any(|line| line["message"].as_str().unwrap().contains(wanted)), "{wanted}: {lines:?}");
    }
}

// ── signals ──────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn sighup_under_load_reloads_and_loses_no_request() {
    let app = App::mirror();
    let program = Arc::new(Setup::to(&[app.address]).flags(ON).start());
    let done = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let (program, done) = (Arc::clone(&program), Arc::clone(&done));
            std::thread::spawn(move || {
                let mut answered = 0;
                while !done.load(SeqCst) {
                    assert_eq!(program.get("/").0, 200);
                    answered += 1;
                }
                answered
            })
        })
        .collect();
    for n in 0..200 {
        program.process.signal(Signal::HUP);
        save(&program, if n % 2 == 0 { OFF } else { ON });
    }
    save(&program, OFF);
    program.process.signal(Signal::HUP);
    eventually("the last edit is heard", || !is_on(&program));
    eventually("it says so", || program.process.log().contains("SIGHUP: flags and certificates are read again"));
    done.store(true, SeqCst);
    assert!(clients.into_iter().all(|client| client.join().unwrap() > 0));
}

#[test]
fn harmless_signals_do_not_end_the_program() {
    let app = App::mirror();
    let mut program = Setup::to(&[app.address]).flags(ON).start();
    let signals =
        [Signal::USR1, Signal::USR2, Signal::ALARM, Signal::VTALARM, Signal::PROF, Signal::IO, Signal::PIPE];
    for signal in signals.into_iter().cycle().take(50) {
        program.process.signal(signal);
        assert!(is_on(&program));
    }
    assert!(!program.process.has_ended());
    assert!(program.stop().success());
}

// ── the operators' address ───────────────────────────────────────────────────────────────────────────────────────

/// Connections that begin a request and never end it.
fn unfinished(address: std::net::SocketAddr, number: usize) -> Vec<TcpStream> {
    let connect = |_| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(b"G").unwrap();
        stream
    };
    (0..number).map(connect).collect()
}

#[test]
fn idle_connections_on_one_address_do_not_block_the_other() {
    let app = App::mirror();
    let program = Setup::to(&[app.address]).flags(ON).key("timeouts", "head = \"60s\"").open_files(256).start();
    let operators = unfinished(program.admin, 300);
    (0..3).for_each(|_| assert!(is_on(&program)));
    save(&program, OFF);
    eventually("an edit is heard", || !is_on(&program));
    // each has five seconds, 64 at once
    eventually("an operator is answered", || ask(&program, "/readyz").0 == 200);
    let mut first = &operators[0];
    first.set_read_timeout(Some(WAIT_LIMIT)).unwrap();
    assert_eq!(first.read(&mut [0; 64]).unwrap_or(0), 0, "the first is closed");
    drop(operators);
    let visitors = unfinished(program.address, 300);
    eventually("all seats are taken", || program.process.log().contains("all connections are in use"));
    assert_eq!(ask(&program, "/readyz").0, 200);
    assert_eq!(healthz(&program)["ready"], true);
    drop(visitors);
}

#[test]
fn operators_see_which_program_runs_and_every_counter() {
    let app = App::mirror();
    let program = Setup::to(&[app.address]).flags(ON).key("log", "access = true").start();
    let version = crate::harness::command::flagstaff(program.folder.path(), ["--version"], &[]);
    let version = version.out.trim().rsplit(' ').next().unwrap().to_owned();
    let health = healthz(&program);
    assert_eq!(health["version"], version.as_str());
    assert!(health["uptime_seconds"].is_u64() && health["flags"]["revision"].is_string(), "{health}");
    let (_, metrics) = ask(&program, "/metrics");
    assert!(metrics.contains(&format!("flagstaff_build_info{{version=\"{version}\"}} 1")), "{metrics}");
    for zero in [
        "flagstaff_ledger_dropped_total{reason=\"queue\"} 0",
        "flagstaff_guard_dropped_total 0",
        "flagstaff_access_log_dropped_total 0",
        "flagstaff_log_dropped_total 0",
        "flagstaff_reloads_total{result=\"rejected\"} 0",
        "flagstaff_thread_restarts_total{thread=\"flags-watch\"} 0",
        "flagstaff_thread_restarts_total{thread=\"operators\"} 0",
        "flagstaff_thread_restarts_total{thread=\"worker-0\"} 0",
    ] {
        assert!(metrics.lines().any(|line| line == zero), "{zero}: {metrics}");
    }
}
