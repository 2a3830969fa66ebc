//! What the visitors of one network may add.

use std::cell::Cell;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use flagstaff_flags::{Decision, DecisionStep, ExperimentId, FlagId, FormerDraw, Holdout, Snapshot};
use jiff::Timestamp;

use crate::write::event::RecordedEvent;
use crate::write::recorder::{Dropped, Recorder};
use crate::write::seen::{Exposures, UnitHash};
use crate::write::status::Loss;

impl Recorder {
    /// What comes from a visitor of a network: anybody can make up visitors, so a network is bounded in what it may add. Without a
    /// network there is no bound.
    #[must_use]
    pub const fn visit(&self, network: Option<IpAddr>) -> Visit<'_> {
        Visit { recorder: self, network, former_draws: &[], hashed: Cell::new(None) }
    }
}

/// What is recorded of the visitors of one network.
pub struct Visit<'a> {
    recorder: &'a Recorder,
    network: Option<IpAddr>,
    former_draws: &'a [FormerDraw],
    /// The unit that was hashed last: nearly always all that is recorded of a request is of one.
    hashed: Cell<Option<(Box<str>, UnitHash)>>,
}

impl fmt::Debug for Visit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visit").field("network", &self.network).finish_non_exhaustive()
    }
}

/// Why an event of a page is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// Its unit reached the goal too often today.
    Unit,
    /// Pages of its network sent too many events.
    Network,
    /// More than half of the queue waits.
    Queue,
    /// The event is one no store takes.
    Unsound,
}

/// A unit reaches a goal so often on a day by what its pages say; more does not count.
const PAGE_EVENTS_OF_UNIT: u32 = 100;
/// And so often by requests, or by what the app says of it.
const REQUESTS_OF_UNIT: u32 = 1_000;

impl<'a> Visit<'a> {
    /// The same, of a visitor who had another id before.
    #[must_use]
    pub fn with_former_draws(self, former_draws: &'a [FormerDraw]) -> Self {
        Self { former_draws, ..self }
    }

    fn hash(&self, unit: &str) -> UnitHash {
        let last = self.hashed.take().filter(|(text, _)| **text == *unit);
        let last = last.unwrap_or_else(|| (unit.into(), UnitHash::of(unit)));
        let hash = last.1;
        self.hashed.set(Some(last));
        hash
    }

    /// Records a row that anybody can make.
    fn row(&self, event: RecordedEvent) -> Result<(), Dropped> {
        if self.recorder.limits.admits_row(self.network) {
            self.recorder.try_record(event)
        } else {
            Err(self.recorder.dropped(Loss::Network))
        }
    }

    /// A unit saw a variant. Repeats cost a look into memory. A unit that was not drawn, or has a variant that is not drawn any more, is
    /// not recorded. `unit` is the id itself, as the flag hashes it. Returns whether it is recorded, or was before.
    pub fn exposed(
        &self,
        snapshot: &Snapshot,
        id: FlagId,
        unit: &str,
        decision: Decision,
        confirmed: bool,
        at: Timestamp,
    ) -> bool {
        let Some(flag) = snapshot.flag(id).filter(|_| decision.is_counted()) else {
            return false;
        };
        // the arms are what is drawn; where none has the variant, there is nothing to compare it with
        let Some(number) = flag.arm(decision.variant()) else {
            return false;
        };
        let key: &str = &flag.bucket_by.key(unit);
        self.recorder.seen.exposed(snapshot.experiment_id(id), self.hash(key), number, confirmed, || {
            let experiment = self.recorder.experiments.of_flag(snapshot, id, at);
            let event = experiment.map(|experiment| RecordedEvent::Exposed {
                variant: number,
                place: flag.place(unit, self.former_draws),
                held: decision.step() == DecisionStep::Sticky,
                experiment,
                unit: (*key).into(),
                confirmed,
                at: at.as_microsecond(),
            });
            event.is_some_and(|event| self.row(event).is_ok())
        })
    }

    /// The cookie of a visitor came back, and the request exposes the visitor to variants of flags that draw by visitors: all that
    /// [`Visit::returned`] and [`Visit::exposed`] do, with one look into memory where the last request of the visitor told the same.
    pub fn returned_and_exposed(
        &self,
        snapshot: &Snapshot,
        visitor: &str,
        exposures: impl Iterator<Item = (FlagId, Decision)> + Clone,
        at: Timestamp,
    ) {
        let add =
            |all: Exposures, (id, decision): (_, Decision)| all.and(snapshot.experiment_id(id), decision.variant());
        let (seen, told) = (&self.recorder.seen, exposures.clone().fold(Exposures::default(), add));
        if seen.has_told(self.hash(visitor), told) {
            return;
        }
        let mut are_known = self.returned(visitor);
        for (id, decision) in exposures {
            are_known &= self.exposed(snapshot, id, visitor, decision, true, at);
        }
        if are_known {
            seen.told(self.hash(visitor), told);
        }
    }

    /// A visitor saw an experiment, held out of all of them or not.
    pub fn exposed_to_holdout(&self, holdout: &Holdout, visitor: &str, confirmed: bool, at: Timestamp) {
        let place = holdout.position(visitor);
        let number = u8::from(!holdout.holds(place));
        self.recorder.seen.exposed(holdout.experiment_id(), self.hash(visitor), number, confirmed, || {
            let event = RecordedEvent::Exposed {
                experiment: self.recorder.experiments.of_holdout(holdout),
                unit: visitor.into(),
                variant: number,
                place,
                held: false,
                confirmed,
                at: at.as_microsecond(),
            };
            self.row(event).is_ok()
        });
    }

    /// A visitor's cookie came back: all that was recorded of the visitor counts as confirmed. Once is enough. It is not recorded while
    /// more than half of the queue waits: the next request tells it again. Returns whether it is recorded, or was before.
    pub fn returned(&self, visitor: &str) -> bool {
        let recorder = self.recorder;
        recorder.seen.returned(self.hash(visitor), || {
            recorder.has_room() && self.row(RecordedEvent::Returned { unit: visitor.into() }).is_ok()
        })
    }

    /// A unit looked at a page; only where some goal counts bounces. `unit` as [`flagstaff_flags::BucketBy::key`] names it. It is lost
    /// while more than half of the queue waits.
    pub fn page(&self, unit: &str, at: Timestamp) {
        let recorder = self.recorder;
        recorder.seen.page(self.hash(unit), || {
            if !recorder.has_room() {
                recorder.shared.dropped(Loss::Queue, 1);
                return false;
            }
            self.row(RecordedEvent::Page { unit: unit.into(), at: at.as_microsecond() }).is_ok()
        });
    }

    /// A unit reached a goal by a request. `unit` as [`flagstaff_flags::BucketBy::key`] names it.
    ///
    /// # Errors
    /// As [`Recorder::try_record`]; and when the unit did so very often on this day, or its network makes too many rows.
    pub fn reached(&self, goal: &str, unit: &str, at: Timestamp) -> Result<(), Dropped> {
        self.told(goal, unit, (None, None), at)
    }

    /// The app says that a unit reached a goal, with a value and a key where it has them: with the same key it is the same conversion,
    /// told again. Visitors can make the app say so, so it is bounded as [`Visit::reached`] is.
    ///
    /// # Errors
    /// As [`Visit::reached`].
    pub fn told(
        &self,
        goal: &str,
        unit: &str,
        (value, key): (Option<f64>, Option<&str>),
        at: Timestamp,
    ) -> Result<(), Dropped> {
        if !self.recorder.seen.reaches(goal, self.hash(unit), day(at), REQUESTS_OF_UNIT) {
            return Err(self.recorder.dropped(Loss::Unit));
        }
        let (goal, unit, key) = (goal.into(), unit.into(), key.map(Into::into));
        self.row(RecordedEvent::Converted { goal, unit, value, key, at: at.as_microsecond(), met: None })
    }

    /// A page says that a unit reached a goal. It counts only if the unit was exposed to one of these experiments. `unit` as
    /// [`flagstaff_flags::BucketBy::key`] names it; with the same `key` it is the same conversion, told again.
    ///
    /// # Errors
    /// When that is more than pages may say, or the event is one no store takes.
    pub fn page_said(
        &self,
        goal: &str,
        unit: &str,
        met: &Arc<[ExperimentId]>,
        (value, key): (Option<f64>, Option<&str>),
        at: Timestamp,
    ) -> Result<(), NotTaken> {
        let recorder = self.recorder;
        if !recorder.limits.admits_page_event(self.network) {
            return Err(NotTaken::Network);
        }
        if !recorder.has_room() {
            return Err(NotTaken::Queue);
        }
        if !recorder.seen.reaches(goal, self.hash(unit), day(at), PAGE_EVENTS_OF_UNIT) {
            return Err(NotTaken::Unit);
        }
        let (goal, unit, key) = (goal.into(), unit.into(), key.map(Into::into));
        let met = Some(Arc::clone(met));
        let event = RecordedEvent::Converted { goal, unit, value, key, at: at.as_microsecond(), met };
        recorder.try_record(event).map_err(|_| NotTaken::Unsound)
    }

    /// Deletes everything of some units of one visitor, as [`Recorder::forget`] does.
    ///
    /// # Errors
    /// When visitors of its network ask for that too often, or too much waits: then it is to be asked again later.
    pub fn forget(&self, units: &[&str]) -> Result<(), Dropped> {
        let recorder = self.recorder;
        if !recorder.has_room() || !recorder.limits.admits_forget(self.network) {
            return Err(Dropped);
        }
        units.iter().try_for_each(|unit| recorder.forget(unit))
    }
}

fn day(at: Timestamp) -> i64 {
    at.as_second().div_euclid(86_400)
}
