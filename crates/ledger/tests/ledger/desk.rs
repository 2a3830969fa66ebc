//! What the tests record with, and read with.

use std::sync::Arc;
use std::time::{Duration, Instant};

use flagstaff_experiment::Observed;
use flagstaff_flags::*;
use flagstaff_ledger::{Keeper, Ledger, LedgerSettings, Location, Question, Recorder};
use jiff::Timestamp;

/// No step of a test takes longer.
pub(crate) const STEP_WITHIN: Duration = Duration::from_secs(60);

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn form(percent: f64) -> Flag {
    let goals = vec![name("sent"), name("bounced")];
    Flag {
        percent: Some(Percent::new(percent).unwrap()),
        sticky: Some(Sticky::None),
        goals,
        ..Flag::new(name("form"))
    }
}

pub(crate) fn snapshot(flag: Flag) -> Arc<Snapshot> {
    Arc::new(Snapshot::new("test", vec![flag], goals(), vec![], vec![]).unwrap())
}

/// Seconds after a fixed point in time.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_760_000_000 + seconds).unwrap()
}

/// A recorder with its keeper.
pub(crate) struct Desk {
    pub(crate) recorder: Recorder,
    pub(crate) keeper: Keeper,
    pub(crate) place: Location,
}

impl Desk {
    pub(crate) fn open(place: &Location) -> Self {
        Self::with(LedgerSettings::new(place.clone()))
    }

    pub(crate) fn with(settings: LedgerSettings) -> Self {
        let place = settings.location.clone();
        let (recorder, keeper) = Recorder::start(settings).unwrap();
        Self { recorder, keeper, place }
    }

    /// A visitor meets the flag. Returns the variant.
    pub(crate) fn meet(&self, snapshot: &Arc<Snapshot>, visitor: &str, seconds: i64) -> String {
        self.meet_as(snapshot, visitor, true, seconds)
    }

    pub(crate) fn meet_as(&self, snapshot: &Arc<Snapshot>, visitor: &str, confirmed: bool, seconds: i64) -> String {
        let decisions = snapshot.decide(&Subject::at(at(seconds)).visitor(visitor));
        for (id, _, decision) in decisions.exposed("GET", "/", true) {
            assert!(self.recorder.visit(None).exposed(snapshot, id, visitor, decision, confirmed, at(seconds)));
        }
        decisions.variant("form").into()
    }

    pub(crate) fn convert(&self, goal: &str, visitor: &str, seconds: i64) {
        self.recorder.visit(None).told(goal, visitor, (None, None), at(seconds)).unwrap();
    }

    pub(crate) fn close(self) -> Location {
        assert!(self.keeper.close(STEP_WITHIN));
        self.place
    }
}

/// The visitor numbered so whose place for the flag lies in a range.
pub(crate) fn visitor_at(places: std::ops::Range<u32>, number: usize) -> String {
    let flag = form(50.0);
    (0..).map(|i| format!("visitor-{i}")).filter(|id| places.contains(&flag.position(id))).nth(number).unwrap()
}

pub(crate) fn goals() -> Vec<Goal> {
    let event = |text: &str| Goal { name: name(text), trigger: Trigger::Event(EventGoal::new(text)) };
    let bounced = Goal { name: name("bounced"), trigger: Trigger::Bounce { after: Duration::from_secs(1800) } };
    vec![event("sent"), bounced, event("paid")]
}

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

pub(crate) fn tally_at(place: &Location, seconds: i64) -> Observed {
    let question = Question { flag: "form".into(), trial: None, goals: goals(), now: at(seconds) };
    block_on(async {
        let mut ledger = Ledger::open(place).await.unwrap();
        let tally = ledger.count(&question).await.unwrap().observed;
        ledger.close().await;
        tally
    })
}

/// Waits for something that must come.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < STEP_WITHIN, "{what} did not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}
