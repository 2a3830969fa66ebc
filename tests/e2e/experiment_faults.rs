//! What becomes of requests, and of what is known, when the ledger or the program fails.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::experiment_flow::{FLAGS, said};
use crate::harness::crowd::{form, look};
use crate::harness::eventually;
use crate::harness::program::{Program, Setup};

/// Everybody the ledger knows, each once; nobody while it is not there yet.
#[track_caller]
fn known(program: &Program) -> BTreeSet<String> {
    rows(program).into_keys().collect()
}

fn visitor(i: usize) -> String {
    format!("visitor-number-{i:07}")
}

#[test]
fn kill_9_loses_the_last_moment_alone_and_nobody_is_counted_twice() {
    let app = form();
    let mut program = Setup::to(&[app.address]).flags(FLAGS).start();
    let mut raw = program.raw();
    for i in 0..1_000 {
        look(&mut raw, &visitor(i));
    }
    eventually("what was told is written", || {
        let ledger = &program.health()["ledger"];
        ledger["queued"] == 0 && known(&program).len() == 1_000
    });
    // in the middle of something
    for i in 900..1_500 {
        look(&mut raw, &visitor(i));
    }
    program.process.signal(rustix::process::Signal::KILL);
    program.process.wait();
    let after = known(&program);
    assert!((0..1_000).all(|i| after.contains(&visitor(i))), "{} are left", after.len());

    program.restart();
    let mut raw = program.raw();
    for i in 0..1_500 {
        look(&mut raw, &visitor(i));
    }
    assert!(program.stop().success());
    assert_eq!(known(&program).len(), 1_500);
}

#[test]
fn a_ledger_that_is_deleted_fails_no_request_and_comes_back() {
    let app = form();
    let mut program = Setup::to(&[app.address]).flags(FLAGS).start();
    let mut raw = program.raw();
    let mut next = 0;
    let mut look_at = |count: usize| {
        for _ in 0..count {
            next += 1;
            assert_eq!(look(&mut raw, &visitor(next)).status, 200);
        }
        next
    };
    look_at(200);
    eventually("it is there", || known(&program).len() == 200);
    for name in ["flagstaff.db", "flagstaff.db-wal", "flagstaff.db-shm"] {
        let _ = fs::remove_file(program.path(name));
    }
    eventually("a new one is there, and somebody in it", || {
        look_at(20);
        !known(&program).is_empty()
    });
    let last = look_at(100);
    assert!(program.stop().success());
    let known = known(&program);
    assert!((last - 99..=last).all(|i| known.contains(&visitor(i))), "{} are known", known.len());
}

#[test]
fn a_ledger_that_cannot_be_opened_is_told_and_keeps_nobody_out() {
    let app = form();
    let program = Setup::to(&[app.address]).flags(FLAGS).top("ledger = \"no/such/folder/flagstaff.db\"").start();
    let mut raw = program.raw();
    eventually("it is told", || {
        assert_eq!(look(&mut raw, &visitor(1)).status, 200);
        program.health()["ledger"]["status"] == "away"
    });
    let health = program.health();
    assert_eq!(health["status"], "degraded");
    assert!(health["ledger"]["problem"].as_str().is_some_and(|why| !why.is_empty()), "{health}");
    assert_eq!(program.metric("flagstaff_ledger_up", ""), 0.0);
    fs::create_dir_all(program.path("no/such/folder")).unwrap();
    eventually("it comes by itself", || {
        look(&mut raw, &visitor(2));
        program.health()["ledger"]["status"] == "ok"
    });
    assert_eq!(program.health()["status"], "ok");
}

/// Who was answered, and when.
#[derive(Default)]
struct Answered {
    visitors: Vec<(String, Instant)>,
    conversions: Vec<(String, Instant)>,
}

/// Visitors come one after the other, every fourth sends the form, until the program is gone.
fn come_until_killed(program: &Program, round: usize, killed: &AtomicBool) -> Answered {
    let mut answered = Answered::default();
    let mut stream = TcpStream::connect(program.address).unwrap();
    stream.set_nodelay(true).unwrap();
    for i in 0.. {
        let visitor = visitor(round * 1_000_000 + i);
        let mut send = |method: &str| {
            let request = format!(
                "{method} /form HTTP/1.1\r\nHost: shop\r\nUser-Agent: Firefox/140.0\r\nAccept: text/html\r\nContent-Length: 0\r\nCookie: flagstaff_visitor={visitor}\r\n\r\n"
            );
            let mut answer = [0; 4096];
            let came = stream.write_all(request.as_bytes()).and_then(|()| stream.read(&mut answer));
            came.is_ok_and(|length| length > 0)
        };
        if !send("GET") {
            break;
        }
        answered.visitors.push((visitor.clone(), Instant::now()));
        if i % 4 == 0 {
            if !send("POST") {
                break;
            }
            answered.conversions.push((visitor.clone(), Instant::now()));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(killed.load(Ordering::SeqCst), "the connection ended before its time");
    answered
}

/// How long this machine lets a thread wait that wants to go on after a millisecond: a machine that stands still says nothing of the
/// program.
fn longest_stall(until: &AtomicBool) -> Duration {
    let mut longest = Duration::ZERO;
    while !until.load(Ordering::SeqCst) {
        let start = Instant::now();
        std::thread::sleep(Duration::from_millis(1));
        longest = longest.max(start.elapsed());
    }
    longest
}

/// A visitor's row of an export, for each.
fn rows(program: &Program) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for line in said(program, "export --flag form --format jsonl").out.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let before = all.insert(row["visitor"].as_str().unwrap().to_owned(), row);
        assert!(before.is_none(), "twice: {before:?}");
    }
    all
}

#[test]
fn what_was_answered_a_second_before_kill_9_is_there_once() {
    let app = form();
    let mut program = Setup::to(&[app.address]).flags(FLAGS).start();
    let mut judged = 0;
    for round in 0..9 {
        let killed = AtomicBool::new(false);
        let (answered, stall, death) = std::thread::scope(|scope| {
            let visits = scope.spawn(|| come_until_killed(&program, round, &killed));
            let stall = scope.spawn(|| longest_stall(&killed));
            std::thread::sleep(Duration::from_millis(1_800 + 150 * round as u64));
            killed.store(true, Ordering::SeqCst);
            let death = Instant::now();
            program.process.signal(rustix::process::Signal::KILL);
            (visits.join().unwrap(), stall.join().unwrap(), death)
        });
        program.process.wait();
        let rows = rows(&program);
        let is_old = |at: &Instant| death.duration_since(*at) > Duration::from_secs(1);
        if stall < Duration::from_millis(200) {
            judged += 1;
            for (visitor, _) in answered.visitors.iter().filter(|(_, at)| is_old(at)) {
                assert!(rows.contains_key(visitor), "{visitor} is missing");
            }
            for (visitor, _) in answered.conversions.iter().filter(|(_, at)| is_old(at)) {
                assert_eq!(rows[visitor]["sent"], 1, "{visitor}");
            }
        }
        assert!(rows.values().all(|row| row["sent"].as_u64() <= Some(1)), "a conversion is there twice");
        if judged == 3 {
            return;
        }
        program.restart();
    }
    panic!("this machine stood still in every round; nothing can be said");
}
