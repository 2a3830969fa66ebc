//! A controller on its thread, without a ledger.

use std::sync::Arc;
use std::time::{Duration, Instant};

use flagstaff_flags::{Flag, Publisher, Snapshot, publisher};

use super::{RunningController, Start};
use crate::fixtures::{FINE, Visitor, flag, is_tripped, snapshot};
use crate::monitor::{Answered, OutcomeMonitor};

#[track_caller]
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(20), "not within 20 s: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

struct Running {
    publisher: Arc<Publisher>,
    controller: RunningController,
    monitor: Arc<OutcomeMonitor>,
}

impl Running {
    fn start(flag: Flag) -> Self {
        let (publisher, _) = publisher(snapshot(flag));
        let publisher = Arc::new(publisher);
        let controller = RunningController::start(Arc::clone(&publisher), Start::default()).unwrap();
        let monitor = controller.monitor();
        Self { publisher, controller, monitor }
    }

    fn load(&self, flag: Flag) {
        self.publisher.publish(&snapshot(flag));
        self.controller.snapshots().send(&self.publisher.current());
    }

    /// Visitors of both arms come, and those with the flag fail.
    fn fail(&self, snapshot: &Arc<Snapshot>, visitors: std::ops::Range<u32>, shares_network: bool) {
        for number in visitors {
            for (has_flag, result) in [(false, FINE), (true, Answered::Error)] {
                Visitor { snapshot, number, has_flag, shares_network }.does(&self.monitor, result);
            }
        }
    }
}

#[test]
fn a_controller_keeps_trips_after_a_panic() {
    let running = Running::start(flag(1));
    running.fail(&running.publisher.current(), 0..4, false);
    eventually("it trips", || is_tripped(&running.publisher));
    running.controller.panic();
    eventually("its panic is shown", || flagstaff_supervise::ailing().contains(&"rollouts".into()));
    eventually("it is back", || !flagstaff_supervise::ailing().contains(&"rollouts".into()));
    assert!(is_tripped(&running.publisher), "what was decided stands");
    // it works as before: an edit clears the trip, and the next one comes
    running.load(flag(2));
    eventually("the edit is reconciled", || !is_tripped(&running.publisher));
    running.controller.panic();
    running.fail(&running.publisher.current(), 10..20, false);
    eventually("it trips again", || {
        running.fail(&running.publisher.current(), 20..24, false);
        is_tripped(&running.publisher)
    });
}

#[test]
fn answers_to_an_old_definition_are_ignored() {
    let running = Running::start(flag(1));
    let before = running.publisher.current();
    running.fail(&before, 0..2, false);
    running.load(flag(2));
    let now = running.publisher.current();
    running.fail(&now, 10..12, false);
    // late ones, of both kinds: neither starts the run of errors over nor adds to it
    for number in 30..50 {
        Visitor { snapshot: &before, number, has_flag: true, shares_network: false }.does(&running.monitor, FINE);
        Visitor { snapshot: &before, number, has_flag: true, shares_network: false }
            .does(&running.monitor, Answered::Error);
    }
    assert!(!is_tripped(&running.publisher));
    running.fail(&now, 12..14, false);
    eventually("the third in a row of the new one trips it", || is_tripped(&running.publisher));
}

#[test]
fn one_network_among_many_does_not_trip_a_guard() {
    let running = Running::start(flag(1));
    let snapshot = running.publisher.current();
    for number in 1_000..1_500 {
        for has_flag in [false, true] {
            Visitor { snapshot: &snapshot, number, has_flag, shares_network: false }.does(&running.monitor, FINE);
        }
    }
    let strangers = |visitors| {
        for number in visitors {
            Visitor { snapshot: &snapshot, number, has_flag: true, shares_network: true }
                .does(&running.monitor, Answered::Error);
            Visitor { snapshot: &snapshot, number: number + 9_000, has_flag: false, shares_network: false }
                .does(&running.monitor, FINE);
        }
    };
    strangers(0..50);
    eventually("it has heard of them", || running.controller.waiting() == 0);
    assert!(!is_tripped(&running.publisher));
    // the same from networks of their own
    running.fail(&snapshot, 5_000..5_010, false);
    eventually("it trips", || is_tripped(&running.publisher));
}
