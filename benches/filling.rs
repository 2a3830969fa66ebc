//! Fills a ledger with visitors of an experiment, through the recorder: `filling LEDGER VISITORS FLAGS`, where the file FLAGS has the flag `form` with the goal
//! `sent`. The visitors come evenly over the last four weeks, and one in twenty reaches the goal. It ends when results are
//! read from packs. `benches/growth.py` uses it.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench may fail loudly")]

mod packed;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flagstaff_flags::{Snapshot, Subject};
use flagstaff_ledger::{LedgerSettings, Location, Recorder};
use flagstaff_source::{ParseOptions, load};
use jiff::{SignedDuration, Timestamp};

/// The time over which visitors come, in seconds.
const WEEKS: i64 = 28 * 86_400;
/// Visitors between two looks at the queue.
const PIECE: u64 = 1_000;
/// Events that may wait: less than half of the queue, so that none is dropped, and packing keeps up.
const WAITING: u64 = 25_000;
/// How often it is looked whether all is written.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// The longest that packing may take behind the last rows.
const LONGEST_PACKING: Duration = Duration::from_secs(7_200);
/// The longest that the last rows may take to be written.
const LONGEST_WRITE: Duration = Duration::from_secs(900);

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [ledger, visitors, flags] = words.as_slice() else {
        eprintln!("filling LEDGER VISITORS FLAGS");
        std::process::exit(2);
    };
    let location = if ledger.contains("://") { Location::new(ledger) } else { Location::file(Path::new(ledger)) };
    let (location, visitors) = (location.unwrap(), visitors.parse().unwrap());
    let (recorder, keeper) = Recorder::start(LedgerSettings::new(location.clone())).unwrap();
    let snapshot = load(Path::new(flags), &ParseOptions::default()).unwrap().snapshot;
    fill(&recorder, &Arc::new(snapshot), visitors);
    wait_for_packs(&recorder, &location, visitors);
    assert!(keeper.close(LONGEST_WRITE), "the last rows were not written in time");
    assert_eq!(recorder.status().dropped, 0, "events were dropped");
}

fn fill(recorder: &Recorder, snapshot: &Arc<Snapshot>, visitors: u64) {
    let start = Timestamp::now() - SignedDuration::from_secs(WEEKS);
    for i in 0..visitors {
        if i.is_multiple_of(PIECE) {
            wait(recorder);
        }
        let since = i128::from(WEEKS) * 1_000_000 * i128::from(i) / i128::from(visitors);
        meet(recorder, snapshot, i, start + SignedDuration::from_micros(i64::try_from(since).unwrap()));
    }
}

/// Until the queue has room.
fn wait(recorder: &Recorder) {
    while recorder.status().pending > WAITING {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Until all is written, and so much of it packed as a program leaves unpacked.
fn wait_for_packs(recorder: &Recorder, location: &Location, visitors: u64) {
    while recorder.status().pending > 0 {
        std::thread::sleep(LOOK_EVERY);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(packed::until_packed(location, visitors, LONGEST_PACKING));
}

fn meet(recorder: &Recorder, snapshot: &Arc<Snapshot>, i: u64, now: Timestamp) {
    let visitor = format!("{:022x}", i.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let id = snapshot.find("form").unwrap();
    let decision = snapshot.decide(&Subject::at(now).visitor(&visitor)).of(id);
    recorder.visit(None).exposed(snapshot, id, &visitor, decision, true, now);
    if i.is_multiple_of(20) {
        recorder.visit(None).told("sent", &visitor, (None, None), now).unwrap();
    }
}
