//! What becomes of requests, and of what is known, when the ledger or the program fails.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::experiment_flow::{FLAGS, said};
use crate::harness::crowd::{form, look};
use crate::harness::eventually;
use crate::harness::program::{Program, Setup};

/// Everybody the ledger knows, each once; nobody while it is not there yet.
#[track_caller]
fn known(program: &Program) -> BTreeSet<String> {
    let said = said(program, "export --flag form --format jsonl");
    let mut all = BTreeSet::new();
    for line in said.out.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        assert!(all.insert(row["visitor"].as_str().unwrap().to_owned()), "twice: {row}");
    }
    all
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
