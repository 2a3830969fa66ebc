//! Stores other than a file on a disk with room: PostgreSQL, and a disk that is full.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::Value;

use crate::experiment_flow::{FLAGS, results, said, told};
use crate::harness::command::flagstaff;
use crate::harness::crowd::{Crowd, Done, form, look};
use crate::harness::eventually;
use crate::harness::postgres::Server;
use crate::harness::program::{Program, Setup};

/// Visitors and conversions of both variants, as two crowds saw them.
fn both(one: &Done, other: &Done) -> ([u64; 2], [u64; 2]) {
    let add = |a: [u64; 2], b: [u64; 2]| [a[0] + b[0], a[1] + b[1]];
    (add(one.visitors, other.visitors), add(one.conversions, other.conversions))
}

fn comes(program: &Program, visitors: usize) -> Done {
    Crowd { address: program.address, visitors, rates: [0.1, 0.2], noise: false }.comes()
}

fn health(program: &Program) -> String {
    program.health()["ledger"]["status"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn postgresql_counts_across_restarts() {
    let Some(server) = Server::start() else {
        return eprintln!("SKIPPED: PostgreSQL is not installed; tests/postgresql unpacks it");
    };
    let app = form();
    let ledger = format!("ledger = \"{}\"", server.database());
    let mut program = Setup::to(&[app.address]).flags(FLAGS).top(&ledger).top("workers = 2").start();
    let first = comes(&program, 1_500);
    assert!(program.stop().success());
    assert_eq!(told(&results(&program)), (first.visitors, first.conversions));
    assert!(!program.path("flagstaff.db").exists(), "nothing is kept elsewhere");

    program.restart();
    let second = comes(&program, 500);
    // who came before is known by the database, not by the process
    let rows = said(&program, "export --flag form --format jsonl").out;
    let before: Value = serde_json::from_str(rows.lines().next().unwrap()).unwrap();
    look(&mut program.raw(), before["visitor"].as_str().unwrap());
    assert!(program.stop().success());
    let results = results(&program);
    assert_eq!(told(&results), both(&first, &second));
    assert_eq!(results["verdict"]["kind"], "ship", "{results}");
    let forgotten = said(&program, &format!("forget {}", before["visitor"].as_str().unwrap()));
    assert_eq!(forgotten.code, 0, "{forgotten:?}");
}

#[test]
fn requests_do_not_wait_for_a_postgresql_that_is_away() {
    let Some(server) = Server::start() else {
        return eprintln!("SKIPPED: PostgreSQL is not installed; tests/postgresql unpacks it");
    };
    let app = form();
    let ledger = format!("ledger = \"{}\"", server.database());
    let mut program = Setup::to(&[app.address]).flags(FLAGS).top(&ledger).start();
    let first = comes(&program, 300);
    eventually("they are written", || program.health()["ledger"]["queued"] == 0 && health(&program) == "ok");
    server.down();
    let second = comes(&program, 300);
    eventually("it is told", || health(&program) == "away");
    assert_eq!(program.health()["status"], "degraded");
    server.up();
    eventually("it is back", || health(&program) == "ok");
    assert_eq!(program.health()["ledger"]["dropped"], 0);
    assert!(program.stop().success());
    let (visitors, conversions) = told(&results(&program));
    let (wanted, reached) = both(&first, &second);
    assert_eq!((visitors, conversions), (wanted, reached));
}

/// Where the ledger is in these tests.
const SMALL: &str = "ledger = \"small/flagstaff.db\"";

/// What the ledger in a folder counts: of a copy, since the disk may be the program's own.
fn counted(program: &Program, folder: &Path) -> ([u64; 2], [u64; 2]) {
    fs::create_dir_all(program.path("copy")).unwrap();
    for name in ["flagstaff.db", "flagstaff.db-wal"] {
        let _ = fs::copy(folder.join(name), program.path("copy").join(name));
    }
    let said = said(program, "results form --json --ledger copy/flagstaff.db");
    let results = serde_json::from_str::<Value>(&said.out).unwrap_or_default();
    // nobody, while nothing is written yet
    if results["goals"][0]["variants"][1].is_object() { told(&results) } else { Default::default() }
}

/// What happens while there is no room, and after. The ledger is in `folder`.
fn no_room(mut program: Program, folder: &Path, fill: impl FnOnce(&Program), free: impl FnOnce(&Program)) {
    let first = comes(&program, 300);
    eventually("they are written", || counted(&program, folder) == (first.visitors, first.conversions));
    fill(&program);
    let second = comes(&program, 700);
    eventually("it is told", || health(&program) == "away");
    let health_now = program.health();
    assert_eq!(health_now["status"], "degraded");
    let why = health_now["ledger"]["problem"].as_str().unwrap();
    assert!(why.contains("full") || why.contains("too large") || why.contains("I/O"), "{why}");
    assert_eq!(program.metric("flagstaff_ledger_up", ""), 0.0);
    let third = comes(&program, 300);
    free(&program);
    eventually("it recovers by itself", || health(&program) == "ok");
    let fourth = comes(&program, 300);
    assert_eq!(program.health()["ledger"]["dropped"], 0);
    let (early, late) = (both(&first, &second), both(&third, &fourth));
    let all = ([0, 1].map(|i| early.0[i] + late.0[i]), [0, 1].map(|i| early.1[i] + late.1[i]));
    eventually("everybody is counted", || counted(&program, folder) == all);
    assert!(program.stop().success());
}

#[test]
fn a_full_disk_fails_no_request_and_counting_goes_on() {
    // a disk of the program's own, which is gone when the program is
    let own = r#"mkdir -p small; exec unshare --map-root-user --mount sh -c 'mount -t tmpfs -o size=8m tmpfs small && exec "$0" "$@"' "$0" "$@""#;
    let can = Command::new("unshare")
        .args(["--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"])
        .output();
    if !can.is_ok_and(|output| output.status.success()) {
        return eprintln!("SKIPPED: nothing can be mounted here; a limit on the size of files stands in for it");
    }
    let app = form();
    let program = Setup::to(&[app.address]).flags(FLAGS).top(SMALL).through(own).start();
    let seen = format!("/proc/{}/root{}/small", program.process.id(), program.folder.path().display());
    let seen = PathBuf::from(seen);
    let filler = seen.join("filler");
    let fill = |_: &Program| {
        let mut file = fs::File::create(&filler).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
    };
    no_room(program, &seen, fill, |_| fs::remove_file(&filler).unwrap());
}

#[test]
fn files_that_may_not_grow_fail_no_request_and_counting_goes_on() {
    // without the signal, a write beyond the limit fails as one to a full disk does
    let quiet = r#"mkdir -p small; trap '' XFSZ; exec "$0" "$@""#;
    let app = form();
    let program = Setup::to(&[app.address]).flags(FLAGS).top(SMALL).through(quiet).start();
    let limit = |program: &Program, current: Option<u64>| {
        let id = Pid::from_raw(program.process.id().cast_signed());
        prlimit(id, Resource::Fsize, Rlimit { current, maximum: None }).unwrap();
    };
    let folder = program.path("small");
    no_room(program, &folder, |program| limit(program, Some(4096)), |program| limit(program, None));
}

/// Everything that the program says of its replica.
fn replica(program: &Program) -> String {
    program.health()["ledger"]["replica"]["problem"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn results_are_read_from_a_replica_and_from_the_ledger_while_it_is_away() {
    let Some(server) = Server::start() else {
        return eprintln!("SKIPPED: PostgreSQL is not installed; tests/postgresql unpacks it");
    };
    let address = server.database();
    let standby = server.standby();
    let app = form();
    let lines = format!("ledger = \"{address}\"\nledger_read = \"{}\"", standby.same(&address));
    let mut program = Setup::to(&[app.address]).with_token().flags(FLAGS).top(&lines).start();
    let counted = || {
        let results = results(&program);
        // nobody, while nothing is written yet
        if results["goals"][0]["variants"][1].is_object() { told(&results) } else { Default::default() }
    };
    let first = comes(&program, 300);
    eventually("the replica has them", || counted() == (first.visitors, first.conversions));
    let said_now = said(&program, "results form --json");
    assert!(!said_now.err.contains("replica"), "{said_now:?}");
    // what was recorded is read from there: it has no more than it got before the ledger went away
    server.down();
    assert_eq!(counted(), (first.visitors, first.conversions));
    server.up();
    eventually("the ledger is back", || health(&program) == "ok");
    standby.down();
    let second = comes(&program, 100);
    eventually("the ledger is read", || counted() == both(&first, &second));
    let said_now = said(&program, "results form --json");
    assert!(said_now.err.contains("the ledger itself is read"), "{said_now:?}");
    assert_eq!(program.asks("GET", "/api/v1/history", "").status, 200);
    assert!(replica(&program).contains("gives no answer"), "{}", program.health());
    assert_eq!(program.health()["status"], "degraded");
    assert!(program.stop().success());
}

#[test]
fn a_database_without_tables_is_no_ledger_yet() {
    let Some(server) = Server::start() else {
        return eprintln!("SKIPPED: PostgreSQL is not installed");
    };
    let ledger = server.database();
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("flags.toml"),
        "[flags.form]\npercent = 50\ngoals = [\"sent\"]\n[goals.sent]\nevent = \"sent\"\n",
    )
    .unwrap();
    for line in ["fleet", "results form", "history", "export --flag form"] {
        let said =
            flagstaff(folder.path(), line.split(' ').chain(["--flags", "flags.toml", "--ledger", &ledger]), &[]);
        assert!(
            said.code == 2 && said.err.contains("is no ledger yet, or an old one; `flagstaff run`"),
            "{line}: {said:?}"
        );
    }
}

/// What happened to a flag cannot be read, so an edit that may clear a rollback is asked about. To switch off is always possible.
#[test]
fn an_edit_asks_where_a_silent_ledger_cannot_say_what_it_undoes() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let ledger = format!("postgres://u:p@{}/x", silent.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let flags = "[flags.watched]\npercent = 20\nguard = { errors = \"5xx\" }\n\n[flags.plain]\npercent = 20\n";
    let file = folder.path().join("flags.toml");
    fs::write(&file, flags).unwrap();
    let run = |line: &str| {
        let words = line.split(' ').chain(["--flags", "flags.toml", "--ledger", &ledger]);
        flagstaff(folder.path(), words, &[])
    };
    let text = || fs::read_to_string(&file).unwrap();
    let asked = run("set watched percent=30");
    let told = format!("{}{}", asked.out, asked.err);
    assert!(asked.code == 1 && told.contains("it is not known whether a rollback"), "{asked:?}");
    assert_eq!(text(), flags);
    assert_eq!(run("set watched description=new").code, 0, "this decides nothing");
    assert_eq!(run("set plain percent=30").code, 0, "nothing moves this flag");
    assert_eq!(run("set watched percent=30 --yes").code, 0);
    let off = run("off watched");
    assert!(off.code == 0 && text().contains("enabled = false"), "{off:?}");
    fs::write(&file, "[flags.watched\n").unwrap();
    let off = run("off watched");
    let told = format!("{}{}", off.out, off.err);
    assert!(off.code == 1 && told.contains("did not answer") && !told.contains("there is no ledger"), "{off:?}");
}
