//! What goes wrong with stores, and that recording goes on.

use std::path::Path;
use std::time::{Duration, Instant};

use flagstaff_ledger::{Location, StoreHealth};
use sqlx::{Connection, Executor};

use crate::desk::*;
use crate::postgres::{Server, database};

fn file(folder: &tempfile::TempDir) -> Location {
    Location::file(&folder.path().join("ledger.db")).unwrap()
}

fn visitors(place: &Location) -> u64 {
    tally_at(place, 10_000).variants.iter().map(|variant| variant.visitors).sum()
}

fn is_fine(desk: &Desk) -> bool {
    desk.recorder.status().health == StoreHealth::Fine
}

fn is_away_for(desk: &Desk, reason: &str) -> bool {
    matches!(desk.recorder.status().health, StoreHealth::Away { why, .. } if why.contains(reason))
}

fn remove(path: &Path) {
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    }
}

/// What is recorded in the meantime does not wait for the store.
fn record_some(desk: &Desk, from: usize, count: usize) {
    let half = snapshot(form(50.0));
    let start = Instant::now();
    for i in from..from + count {
        desk.meet(&half, &format!("v{i}"), 10);
    }
    assert!(start.elapsed() < Duration::from_secs(20), "recording waits");
}

#[test]
fn a_deleted_file_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(&file(&folder));
    record_some(&desk, 0, 100);
    wait_until("the first are written", || desk.recorder.status().written >= 100);
    remove(desk.place.path().unwrap());
    // also who was recorded in the file that is gone
    wait_until("a new file", || {
        record_some(&desk, 50, 100);
        desk.place.path().unwrap().exists() && is_fine(&desk)
    });
    record_some(&desk, 50, 100);
    assert_eq!(visitors(&desk.close()), 100);
}

#[test]
fn a_file_replaced_by_another_ledger_is_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let other = Desk::open(&Location::file(&folder.path().join("other.db")).unwrap());
    record_some(&other, 0, 30);
    let other = other.close();
    let desk = Desk::open(&file(&folder));
    record_some(&desk, 100, 10);
    wait_until("the first are written", || desk.recorder.status().written >= 10);
    remove(desk.place.path().unwrap());
    std::fs::rename(other.path().unwrap(), desk.place.path().unwrap()).unwrap();
    std::thread::sleep(Duration::from_secs(1));
    record_some(&desk, 100, 10);
    assert_eq!(visitors(&desk.close()), 40);
}

#[test]
fn a_file_that_is_no_ledger_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let place = file(&folder);
    let path = place.path().unwrap().to_owned();
    std::fs::write(&path, "this is a letter, not a database, and nobody may write over it\n".repeat(40)).unwrap();
    let before = std::fs::read(&path).unwrap();
    let desk = Desk::open(&place);
    record_some(&desk, 0, 100);
    wait_until("it says so", || is_away_for(&desk, "move the file away"));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    std::fs::remove_file(&path).unwrap();
    wait_until("it recovers", || is_fine(&desk));
    // nothing was lost meanwhile
    assert_eq!(visitors(&desk.close()), 100);
}

#[test]
fn a_locked_file_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(&file(&folder));
    record_some(&desk, 0, 10);
    wait_until("the first are written", || desk.recorder.status().written >= 10);
    block_on(async {
        let url = format!("sqlite://{}", desk.place.path().unwrap().display());
        let mut other = sqlx::SqliteConnection::connect(&url).await.unwrap();
        other.execute("BEGIN EXCLUSIVE").await.unwrap();
        record_some(&desk, 10, 50);
        wait_until("it says so", || is_away_for(&desk, "locked"));
        other.execute("ROLLBACK").await.unwrap();
        other.close().await.unwrap();
    });
    wait_until("it recovers", || is_fine(&desk));
    assert_eq!(visitors(&desk.close()), 60);
}

/// A disk that is full: files of this size and no larger (RLIMIT_FSIZE), in a process of its own.
#[test]
fn a_full_disk_is_waited_for() {
    if std::env::var_os("FLAGSTAFF_TEST_FULL_DISK").is_none() {
        return alone("faults::a_full_disk_is_waited_for", "FLAGSTAFF_TEST_FULL_DISK");
    }
    ignore_size_signal();
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(&file(&folder));
    record_some(&desk, 0, 10);
    wait_until("the first are written", || desk.recorder.status().written >= 10);
    let limit = |size: &str| {
        let id = std::process::id().to_string();
        let done =
            std::process::Command::new("prlimit").args(["--pid", &id, &format!("--fsize={size}:unlimited")]).status();
        assert!(done.unwrap().success());
    };
    limit("4096");
    record_some(&desk, 10, 5000);
    wait_until("it says so", || matches!(desk.recorder.status().health, StoreHealth::Away { .. }));
    println!("full: {:?}", desk.recorder.status().health);
    limit("unlimited");
    wait_until("it recovers", || is_fine(&desk));
    assert_eq!(visitors(&desk.close()), 5010);
}

/// Runs one test in a process of its own, where it may set limits.
fn alone(test: &str, variable: &str) {
    let program = std::env::current_exe().unwrap();
    // a signal that is ignored stays so in the program that is started
    let script = "trap '' XFSZ; exec \"$0\" \"$@\"";
    let output = std::process::Command::new("sh")
        .args(["-c", script])
        .arg(program)
        .args(["--exact", test, "--nocapture"])
        .env(variable, "1")
        .output();
    let output = output.unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    assert!(text.contains("full: Away"), "{text}");
}

/// The shell that started this process ignores the signal, so a write that is too large fails like one to a full disk.
fn ignore_size_signal() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    let ignored = u64::from_str_radix(ignored.trim(), 16).unwrap();
    assert!(ignored & (1 << 24) != 0, "SIGXFSZ is not ignored");
}

#[test]
fn a_clock_set_back_loses_no_conversion() {
    let folder = tempfile::tempdir().unwrap();
    let half = snapshot(form(50.0));
    let desk = Desk::open(&file(&folder));
    desk.meet(&half, "a", 7200);
    desk.meet(&half, "b", 7201);
    desk.convert("sent", "a", 3600); // an hour earlier, so says the clock
    wait_until("it is written", || desk.recorder.status().written >= 3);
    assert_eq!(desk.recorder.status().clock_behind.as_secs(), 3601);
    let place = desk.close();
    // and after a restart
    let desk = Desk::open(&place);
    wait_until("it is open", || is_fine(&desk));
    desk.convert("sent", "b", 3700);
    let tally = tally_at(&desk.close(), 10_000);
    assert_eq!(tally.goals[0].totals.iter().map(|goal| goal.conversions).sum::<u64>(), 2);
}

#[test]
fn a_database_that_goes_away_is_waited_for() {
    let Some(server) = Server::start() else {
        return eprintln!("SKIPPED: PostgreSQL is not installed; tests/postgresql unpacks it");
    };
    let desk = Desk::open(&database(&server));
    record_some(&desk, 0, 100);
    wait_until("the first are written", || desk.recorder.status().written >= 100);
    server.down();
    record_some(&desk, 100, 100);
    wait_until("it says so", || matches!(desk.recorder.status().health, StoreHealth::Away { .. }));
    record_some(&desk, 200, 100);
    server.up();
    wait_until("it recovers", || is_fine(&desk) && desk.recorder.status().written >= 300);
    assert_eq!(visitors(&desk.close()), 300);
}

#[test]
fn a_database_that_is_away_from_the_start_is_waited_for() {
    let Some(server) = Server::start() else {
        return eprintln!("SKIPPED: PostgreSQL is not installed; tests/postgresql unpacks it");
    };
    let place = database(&server);
    server.down();
    let desk = Desk::open(&place);
    record_some(&desk, 0, 100);
    wait_until("it says so", || matches!(desk.recorder.status().health, StoreHealth::Away { .. }));
    server.up();
    wait_until("it recovers", || is_fine(&desk));
    assert_eq!(visitors(&desk.close()), 100);
}

#[test]
fn two_instances_write_to_one_database() {
    let Some(server) = Server::start() else {
        return eprintln!("SKIPPED: PostgreSQL is not installed; tests/postgresql unpacks it");
    };
    let place = database(&server);
    let (one, other) = (Desk::open(&place), Desk::open(&place));
    std::thread::scope(|scope| {
        scope.spawn(|| record_some(&one, 0, 5000));
        scope.spawn(|| record_some(&other, 2500, 5000));
    });
    one.close();
    let place = other.close();
    assert_eq!(visitors(&place), 7500);
    assert_eq!(tally_at(&place, 10_000).steps.len(), 1);
}

/// A trigger refuses one value, as a constraint or a full partition would.
#[test]
fn one_refused_row_is_lost_alone() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(&file(&folder));
    record_some(&desk, 0, 10);
    wait_until("the first are written", || desk.recorder.status().written >= 10);
    block_on(async {
        let url = format!("sqlite://{}", desk.place.path().unwrap().display());
        let mut other = sqlx::AnyConnection::connect(&url).await.unwrap();
        let trigger = "CREATE TRIGGER refuse BEFORE INSERT ON conversions WHEN NEW.value > 1000
                       BEGIN SELECT RAISE(ABORT, 'refused'); END";
        other.execute(trigger).await.unwrap();
    });
    for i in 0..200 {
        let value = if i == 77 || i == 150 { 5_000.0 } else { 20.0 };
        desk.recorder
            .visit(None)
            .told("paid", &format!("v{}", i % 10), (Some(value), Some(&i.to_string())), at(20))
            .unwrap();
    }
    record_some(&desk, 10, 90);
    let recorder = desk.recorder.clone();
    let place = desk.close();
    assert_eq!(recorder.status().dropped, 2);
    let tally = tally_at(&place, 10_000);
    assert_eq!(tally.variants.iter().map(|variant| variant.visitors).sum::<u64>(), 100);
    let sum: f64 = tally.goals[2].totals.iter().map(|goal| goal.sum).sum();
    assert!((sum - 198.0 * 20.0).abs() < 1e-6, "{sum}");
}
