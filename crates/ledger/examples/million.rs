//! Records a million exposures and asks for the result: `cargo run --release -p flagstaff-ledger --example million [PLACE]`.
#![allow(clippy::unwrap_used, reason = "a measurement may fail loudly")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use flagstaff_flags::{Flag, Name, Percent, Snapshot, Subject};
use flagstaff_ledger::{GoalKind, Ledger, Place, Question, Settings, TallyGoal, record};
use jiff::Timestamp;

const VISITORS: u32 = 1_000_000;

fn main() {
    let folder = std::env::temp_dir().join(format!("flagstaff-million-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("ledger.db");
    let place = std::env::args().nth(1).map_or_else(|| Place::file(&file), |text| Place::new(&text)).unwrap();
    write(&place);
    if let Some(path) = place.path() {
        println!("file: {:.1} MB", std::fs::metadata(path).unwrap().len() as f64 / 1e6);
    }
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(read(&place));
    std::fs::remove_dir_all(&folder).unwrap();
}

fn write(place: &Place) {
    let flag = Flag { percent: Some(Percent::new(50.0).unwrap()), ..Flag::new(Name::new("form").unwrap()) };
    let snapshot = Arc::new(Snapshot::new("", vec![flag], vec![], vec![], vec![]).unwrap());
    let (recorder, keeper) =
        record(Settings { queue: 2 * VISITORS as usize, ..Settings::new(place.clone()) }).unwrap();
    let id = snapshot.find("form").unwrap();
    let start = Instant::now();
    for i in 0..VISITORS {
        let (visitor, now) = (format!("{:022x}", u64::from(i).wrapping_mul(0x9E37_79B9_7F4A_7C15)), Timestamp::now());
        let decision = snapshot.decide(&Subject::at(now).visitor(&visitor)).of(id);
        recorder.exposed(&snapshot, id, &visitor, decision, true, now);
        if i % 20 == 0 {
            recorder.converted("sent", &visitor, None, None, now).unwrap();
        }
    }
    let queued = start.elapsed();
    assert!(keeper.close(Duration::from_secs(600)));
    let all = start.elapsed();
    println!(
        "given to the queue: {:.2} µs each, deciding included",
        queued.as_secs_f64() * 1e6 / f64::from(VISITORS)
    );
    println!("written: {:.0} exposures a second", f64::from(VISITORS) / all.as_secs_f64());
    println!("{:?}", recorder.status());
    repeat(&recorder, &snapshot);
}

/// What a request costs whose visitor is recorded already.
fn repeat(recorder: &flagstaff_ledger::Recorder, snapshot: &Arc<Snapshot>) {
    let id = snapshot.find("form").unwrap();
    let visitor = format!("{:022x}", u64::from(VISITORS - 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let now = Timestamp::now();
    let decision = snapshot.decide(&Subject::at(now).visitor(&visitor)).of(id);
    let start = Instant::now();
    for _ in 0..VISITORS {
        std::hint::black_box(recorder.exposed(snapshot, id, &visitor, decision, true, now));
    }
    println!("a repeat: {:.0} ns", start.elapsed().as_secs_f64() * 1e9 / f64::from(VISITORS));
}

async fn read(place: &Place) {
    let goal = |name: &str, kind| TallyGoal { name: name.into(), kind };
    let goals = vec![goal("sent", GoalKind::Reached), goal("bounced", GoalKind::Bounced(Duration::from_secs(1800)))];
    let question = Question { flag: "form".into(), trial: None, goals, now: Timestamp::now() };
    let mut ledger = Ledger::open(place).await.unwrap();
    for _ in 0..2 {
        let start = Instant::now();
        let tally = ledger.tally(&question).await.unwrap();
        println!("tally: {:.2} s, {:?}", start.elapsed().as_secs_f64(), tally.steps.first().map(|s| &s.exposed));
    }
    ledger.close().await;
}
