//! The writers of a hundred sidecars on one PostgreSQL: how many events it takes in a second, where it bends, and what the sidecars do then.
//! Each load is offered for a while, and then the queues run empty. `-- --test` does it with ten writers and few events, to see that it works.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a measurement may fail loudly")]

#[path = "../crates/ledger/tests/ledger/server.rs"]
#[allow(dead_code, reason = "tests stop servers as well")]
mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use flagstaff_flags::{Flag, Name, Percent, Snapshot, Subject};
use flagstaff_ledger::{Keeper, Ledger, LedgerSettings, Location, Question, Recorder};
use jiff::Timestamp;

/// Threads that make visitors.
const MAKERS: usize = 2;
/// How often each makes some.
const TICK: Duration = Duration::from_millis(10);
/// The longest that queues may take to run empty.
const LONGEST_WRITE: Duration = Duration::from_secs(900);
/// One visitor in so many reaches the goal.
const CONVERTS: usize = 20;

/// What is offered.
struct Plan {
    writers: usize,
    /// Visitors a second, of all sidecars together.
    loads: &'static [usize],
    each: Duration,
}

/// What came of one load.
struct Outcome {
    seconds: f64,
    slowest: Duration,
    mean: Duration,
    most_queued: usize,
    dropped: u64,
    written: u64,
    emptied: Duration,
}

fn main() {
    let plan = if std::env::args().any(|word| word == "--test") {
        Plan { writers: 10, loads: &[500], each: Duration::from_secs(1) }
    } else {
        Plan {
            writers: 100,
            loads: &[1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000],
            each: Duration::from_secs(20),
        }
    };
    let Some(server) = server::Server::start_with(&["-c", "fsync=on", "-c", "max_connections=200"]) else {
        return println!("PostgreSQL: not installed, done without");
    };
    let place = Location::new(&server.database()).unwrap();
    let flag = Flag { percent: Some(Percent::new(50.0).unwrap()), ..Flag::new(Name::new("form").unwrap()) };
    let snapshot = Arc::new(Snapshot::new("", vec![flag], vec![], vec![], vec![]).unwrap());
    let start = Instant::now();
    let sidecars: Vec<(Recorder, Keeper)> =
        (0..plan.writers).map(|_| Recorder::start(LedgerSettings::new(place.clone())).unwrap()).collect();
    let recorders: Vec<Recorder> = sidecars.iter().map(|(recorder, _)| recorder.clone()).collect();
    meet(&recorders[0], &snapshot, "first");
    while written(&recorders) < 1 {
        std::thread::sleep(TICK);
    }
    println!(
        "{} writers, PostgreSQL on this machine, fsync on; up after {:.1} s",
        plan.writers,
        start.elapsed().as_secs_f64()
    );
    let mut visitors = 1;
    for load in plan.loads {
        let outcome = offer(&recorders, &snapshot, *load, plan.each, &mut visitors);
        tell(*load, &outcome);
    }
    sidecars.into_iter().for_each(|(_, keeper)| assert!(keeper.close(LONGEST_WRITE)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(count(&place, visitors as u64, dropped(&recorders)));
}

fn tell(load: usize, outcome: &Outcome) {
    println!(
        "  {load:>6} visitors a second offered: {:>6.0} events a second written; queued at most {}; dropped {}; \
         {:.1} µs a visit, the slowest {:.1} ms; empty after {:.1} s",
        outcome.written as f64 / (outcome.seconds + outcome.emptied.as_secs_f64()),
        outcome.most_queued,
        outcome.dropped,
        outcome.mean.as_secs_f64() * 1e6,
        outcome.slowest.as_secs_f64() * 1e3,
        outcome.emptied.as_secs_f64(),
    );
}

fn written(recorders: &[Recorder]) -> u64 {
    recorders.iter().map(|recorder| recorder.status().written).sum()
}

fn dropped(recorders: &[Recorder]) -> u64 {
    recorders.iter().map(|recorder| recorder.status().dropped).sum()
}

fn queued(recorders: &[Recorder]) -> usize {
    recorders.iter().map(|recorder| recorder.status().queued).sum()
}

/// Offers a load for a while, and waits until all that was taken is written.
fn offer(
    recorders: &[Recorder],
    snapshot: &Arc<Snapshot>,
    load: usize,
    each: Duration,
    visitors: &mut usize,
) -> Outcome {
    let (before, lost) = (written(recorders), dropped(recorders));
    let (next, stop, most) = (AtomicUsize::new(*visitors), AtomicBool::new(false), AtomicUsize::new(0));
    let start = Instant::now();
    let made: Vec<(Duration, Duration, usize)> = std::thread::scope(|scope| {
        let makers: Vec<_> =
            (0..MAKERS).map(|_| scope.spawn(|| make(recorders, snapshot, (load, each), &next))).collect();
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                most.fetch_max(queued(recorders), Ordering::Relaxed);
                std::thread::sleep(TICK);
            }
        });
        let made = makers.into_iter().map(|maker| maker.join().unwrap()).collect();
        stop.store(true, Ordering::Relaxed);
        made
    });
    let seconds = start.elapsed().as_secs_f64();
    let start = Instant::now();
    while recorders.iter().any(|recorder| recorder.status().pending > 0) {
        assert!(start.elapsed() < LONGEST_WRITE, "the queues do not run empty");
        std::thread::sleep(TICK);
    }
    *visitors = next.into_inner();
    let visits: usize = made.iter().map(|(_, _, visits)| visits).sum();
    Outcome {
        seconds,
        slowest: made.iter().map(|(slowest, ..)| *slowest).max().unwrap_or_default(),
        mean: made.iter().map(|(_, all, _)| *all).sum::<Duration>() / u32::try_from(visits.max(1)).unwrap(),
        most_queued: most.into_inner(),
        dropped: dropped(recorders) - lost,
        written: written(recorders) - before,
        emptied: start.elapsed(),
    }
}

/// Makes visitors in their turn at each sidecar. Returns the slowest visit, and how long all took.
fn make(
    recorders: &[Recorder],
    snapshot: &Arc<Snapshot>,
    (load, each): (usize, Duration),
    next: &AtomicUsize,
) -> (Duration, Duration, usize) {
    let (start, mut slowest, mut all, mut visits) = (Instant::now(), Duration::ZERO, Duration::ZERO, 0);
    while start.elapsed() < each {
        let due = (start.elapsed().as_secs_f64() * load as f64) as usize / MAKERS;
        while visits < due {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let (recorder, visitor) = (&recorders[number % recorders.len()], visitor(number));
            let begin = Instant::now();
            meet(recorder, snapshot, &visitor);
            if number.is_multiple_of(CONVERTS) {
                let _ = recorder.visit(None).told("sent", &visitor, (None, None), Timestamp::now());
            }
            let took = begin.elapsed();
            (slowest, all, visits) = (slowest.max(took), all + took, visits + 1);
        }
        std::thread::sleep(TICK);
    }
    (slowest, all, visits)
}

fn visitor(number: usize) -> String {
    format!("{:022x}", (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

fn meet(recorder: &Recorder, snapshot: &Arc<Snapshot>, visitor: &str) {
    let (now, id) = (Timestamp::now(), snapshot.find("form").unwrap());
    let decision = snapshot.decide(&Subject::at(now).visitor(visitor)).of(id);
    recorder.visit(None).exposed(snapshot, id, visitor, decision, true, now);
}

/// What was written is what was offered, without what was dropped.
async fn count(place: &Location, visitors: u64, dropped: u64) {
    let question = Question { flag: "form".into(), trial: None, goals: Vec::new(), now: Timestamp::now() };
    let mut ledger = Ledger::open(place).await.unwrap();
    let tally = ledger.count(&question).await.unwrap().observed;
    ledger.close().await;
    let counted: u64 = tally.variants.iter().map(|variant| variant.visitors).sum();
    assert!(counted <= visitors && counted + dropped >= visitors, "{counted} of {visitors}, {dropped} dropped");
    println!("  {counted} of {visitors} visitors are in the ledger; {dropped} events were dropped and counted");
}
