//! A million exposures into a ledger and out again: how fast they are written, how large they are, how long the result takes. In a file, and
//! in PostgreSQL where it is installed. `-- --test` writes 20,000, to see that it works.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a measurement may fail loudly")]

mod packed;
#[path = "../crates/ledger/tests/ledger/server.rs"]
#[allow(dead_code, reason = "tests stop servers as well")]
mod server;

use std::sync::Arc;
use std::time::{Duration, Instant};

use flagstaff_flags::{EventGoal, Flag, Goal, Name, Percent, Snapshot, Subject, Trigger};
use flagstaff_ledger::{Ledger, LedgerSettings, Location, Question, Recorder};
use jiff::Timestamp;
use packed::{unpacked, until_packed};

/// The longest that the last of a million rows may take to be written.
const LONGEST_WRITE: Duration = Duration::from_secs(900);

fn main() {
    let visitors = if std::env::args().any(|word| word == "--test") { 20_000 } else { 1_000_000 };
    let folder = tempfile::tempdir().unwrap();
    let file = Location::file(&folder.path().join("ledger.db")).unwrap();
    println!("SQLite, {visitors} visitors, one in twenty converts");
    measure(&file, visitors);
    let size = std::fs::metadata(file.path().unwrap()).unwrap().len() as f64;
    println!("  {:.1} MB, {:.0} bytes a visitor", size / 1e6, size / f64::from(visitors));
    match server::Server::start() {
        Some(server) => {
            println!("PostgreSQL on this machine, fsync off");
            measure(&Location::new(&server.database()).unwrap(), visitors);
        }
        None => println!("PostgreSQL: not installed, done without"),
    }
}

fn measure(place: &Location, visitors: u32) {
    let flag = Flag { percent: Some(Percent::new(50.0).unwrap()), ..Flag::new(Name::new("form").unwrap()) };
    let snapshot = Arc::new(Snapshot::new("", vec![flag], vec![], vec![], vec![]).unwrap());
    let (recorder, keeper) =
        Recorder::start(LedgerSettings { queue: 2 * visitors as usize, ..LedgerSettings::new(place.clone()) })
            .unwrap();
    let start = Instant::now();
    for i in 0..visitors {
        meet(&recorder, &snapshot, i);
    }
    let queued = start.elapsed().as_secs_f64() / f64::from(visitors);
    assert!(keeper.close(LONGEST_WRITE));
    let written = f64::from(visitors) / start.elapsed().as_secs_f64();
    assert_eq!(recorder.status().dropped, 0);
    println!(
        "  given to the queue in {:.2} µs each, deciding included; {written:.0} a second are written",
        queued * 1e6
    );
    repeat(&recorder, &snapshot, visitors);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(ask(place, visitors));
}

fn visitor(i: u32) -> String {
    format!("{:022x}", u64::from(i).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

fn meet(recorder: &Recorder, snapshot: &Arc<Snapshot>, i: u32) {
    let (visitor, now, id) = (visitor(i), Timestamp::now(), snapshot.find("form").unwrap());
    let decision = snapshot.decide(&Subject::at(now).visitor(&visitor)).of(id);
    recorder.visit(None).exposed(snapshot, id, &visitor, decision, true, now);
    if i.is_multiple_of(20) {
        recorder.visit(None).told("sent", &visitor, (None, None), now).unwrap();
    }
}

/// Measures a request of a visitor who is recorded already.
fn repeat(recorder: &Recorder, snapshot: &Arc<Snapshot>, visitors: u32) {
    let (visitor, now, id) = (visitor(visitors - 1), Timestamp::now(), snapshot.find("form").unwrap());
    let decision = snapshot.decide(&Subject::at(now).visitor(&visitor)).of(id);
    let start = Instant::now();
    for _ in 0..visitors {
        std::hint::black_box(recorder.visit(None).exposed(snapshot, id, &visitor, decision, true, now));
    }
    println!(
        "  a visitor who is recorded already: {:.0} ns",
        start.elapsed().as_secs_f64() * 1e9 / f64::from(visitors)
    );
}

/// Asks as soon as all is written, and again when a writer has had the time to pack it.
async fn ask(place: &Location, visitors: u32) {
    read(place, visitors).await;
    let (_recorder, keeper) = Recorder::start(LedgerSettings::new(place.clone())).unwrap();
    let start = Instant::now();
    until_packed(place, visitors.into(), LONGEST_WRITE).await;
    println!("  packed {:.1} s later", start.elapsed().as_secs_f64());
    assert!(keeper.close(LONGEST_WRITE));
    read(place, visitors).await;
}

async fn read(place: &Location, visitors: u32) {
    let goal = |name: &str, trigger| Goal { name: Name::new(name).unwrap(), trigger };
    let bounce = Trigger::Bounce { after: Duration::from_secs(1800) };
    let goals = vec![goal("sent", Trigger::Event(EventGoal::new("sent"))), goal("bounced", bounce)];
    // of tomorrow, so that there is a day that is over
    let now = Timestamp::now() + Duration::from_secs(86_400);
    let question = Question { flag: "form".into(), trial: None, goals, now };
    let mut times = Vec::new();
    for _ in 0..5 {
        let mut ledger = Ledger::open(place).await.unwrap();
        let start = Instant::now();
        let counted = ledger.count(&question).await.unwrap();
        times.push(start.elapsed().as_secs_f64());
        ledger.close().await;
        let all: u64 = counted.observed.variants.iter().map(|variant| variant.visitors).sum();
        assert_eq!((all, counted.days.len()), (u64::from(visitors), 1));
    }
    times.sort_by(f64::total_cmp);
    let unpacked = unpacked(place).await;
    println!("  a result, two goals, {unpacked} visitors unpacked: {:.3} s", times[2]);
}
