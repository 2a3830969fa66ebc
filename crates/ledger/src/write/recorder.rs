//! The handle of those who record. It never waits.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use flagstaff_flags::{Decision, ExperimentId, Flag, FlagId, Holdout, Snapshot, Step, VariantId};
use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use crate::store::name::hash;
use crate::write::counts::Counts;
use crate::write::limits::Limits;
use crate::write::seen::Memory;
use crate::write::status::{Loss, Shared};
use crate::write::writer::{State, Writer, micros};
use crate::{Event, Experiment, Place, Status, stored_name};

/// How much is held, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Where.
    pub place: Place,
    /// Events that may wait; more are dropped.
    pub queue: usize,
    /// Exposures and visitors that are remembered as recorded.
    pub remembered: usize,
    /// Older rows are deleted; none: all are kept.
    pub keep: Option<Duration>,
}

impl Settings {
    /// A ledger at a place: 65,536 events may wait, 200,000 are remembered, all is kept.
    #[must_use]
    pub fn new(place: Place) -> Self {
        Self { place, queue: 65_536, remembered: 200_000, keep: None }
    }
}

/// Records what happened. Cheap to clone; every call returns at once.
#[derive(Clone)]
pub struct Recorder {
    queue: mpsc::Sender<Event>,
    counts: Arc<Counts>,
    memory: Arc<Memory>,
    shared: Arc<Shared>,
    limits: Arc<Limits>,
}

/// The queue was full, or the event is one no store takes. It is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped;

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the ledger did not take it")
    }
}

impl std::error::Error for Dropped {}

/// Holds the writer's thread. Dropping it ends the writer after what is under way.
#[derive(Debug)]
pub struct Keeper {
    stop: watch::Sender<bool>,
    ended: Mutex<std::sync::mpsc::Receiver<()>>,
}

impl Keeper {
    /// Writes what waits and closes the store. Returns whether that was done within `patience`.
    #[must_use]
    pub fn close(self, patience: Duration) -> bool {
        self.stop.send_replace(true);
        let ended = self.ended.into_inner().unwrap_or_else(PoisonError::into_inner);
        // the other end is dropped when the thread ends, however it does
        ended.recv_timeout(patience) != Err(std::sync::mpsc::RecvTimeoutError::Timeout)
    }
}

/// Starts a writer on a thread of its own. A store that is away now is waited for: this does not fail because of it.
///
/// # Errors
/// When the system gives no thread or no random number.
pub fn record(settings: Settings) -> std::io::Result<(Recorder, Keeper)> {
    let (queue, events) = mpsc::channel(settings.queue.max(1));
    let (stop, stopped) = watch::channel(false);
    let (end, ended) = std::sync::mpsc::channel();
    let recorder = Recorder {
        queue,
        counts: Arc::default(),
        memory: Arc::new(Memory::new(settings.remembered)),
        shared: Arc::default(),
        limits: Arc::new(Limits::new()),
    };
    Shared::begin();
    let (counts, memory, shared) = (&recorder.counts, &recorder.memory, &recorder.shared);
    let (counts, memory, shared) = (Arc::clone(counts), Arc::clone(memory), Arc::clone(shared));
    let boot = getrandom::u64().map_err(std::io::Error::other)?.cast_signed();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (place, keep) = (settings.place, settings.keep);
    let state = State::new();
    let mut writer = Writer { place, events, counts, memory, shared, stop: stopped, keep, boot, state };
    flagstaff_supervise::thread("ledger", move || {
        // dropped with the thread
        let _end = &end;
        runtime.block_on(writer.run());
    })?;
    Ok((recorder, Keeper { stop, ended: Mutex::new(ended) }))
}

impl Recorder {
    /// Gives an event to the writer.
    ///
    /// # Errors
    /// When the queue is full, the writer has ended, or the event is one no store takes.
    pub fn try_record(&self, event: Event) -> Result<(), Dropped> {
        let Some(event) = event.sound() else { return Err(self.dropped(Loss::Unsound)) };
        self.shared.takes();
        self.queue.try_send(event).map_err(|_| {
            self.shared.settled(1);
            self.dropped(Loss::Queue)
        })
    }

    fn dropped(&self, why: Loss) -> Dropped {
        self.shared.dropped(why, 1);
        Dropped
    }

    /// What comes from a visitor of a network: anybody can make up visitors, so a network is bounded in what it may add. Without a
    /// network there is no bound.
    #[must_use]
    pub const fn visit(&self, network: Option<IpAddr>) -> Visit<'_> {
        Visit { recorder: self, network }
    }

    /// As [`Visit::exposed`], of a network that nobody knows.
    pub fn exposed(
        &self,
        snapshot: &Snapshot,
        id: FlagId,
        unit: &str,
        decision: Decision,
        confirmed: bool,
        at: Timestamp,
    ) -> bool {
        self.visit(None).exposed(snapshot, id, unit, decision, confirmed, at)
    }

    /// Whether a unit, as [`flagstaff_flags::BucketBy::key`] names it, was exposed to an experiment, as far as this process remembers.
    #[must_use]
    pub fn has_met(&self, trial: ExperimentId, unit: &str) -> bool {
        self.memory.has_met(trial, unit)
    }

    /// As [`Visit::returned`], of a network that nobody knows.
    pub fn returned(&self, visitor: &str) {
        self.visit(None).returned(visitor);
    }

    /// As [`Visit::page`], of a network that nobody knows.
    pub fn page(&self, unit: &str, at: Timestamp) {
        self.visit(None).page(unit, at);
    }

    /// A unit reached a goal. `unit` as [`flagstaff_flags::BucketBy::key`] names it; with the same `key` it is the same
    /// conversion, told again.
    ///
    /// # Errors
    /// As [`Recorder::try_record`].
    pub fn converted(
        &self,
        goal: &str,
        unit: &str,
        value: Option<f64>,
        key: Option<&str>,
        at: Timestamp,
    ) -> Result<(), Dropped> {
        let (goal, unit, key) = (goal.into(), unit.into(), key.map(Into::into));
        self.try_record(Event::Converted { goal, unit, value, key, at: micros(at), met: None })
    }

    /// A request that met a flag was answered.
    pub fn answered(
        &self,
        flag: &Flag,
        variant: VariantId,
        status: u16,
        latency: Duration,
        slow: bool,
        at: Timestamp,
    ) {
        self.counts.add(flag, variant, status, latency, slow, micros(at));
    }

    /// Deletes everything of a unit, as [`flagstaff_flags::BucketBy::key`] names it, once what came before it is written.
    ///
    /// # Errors
    /// As [`Recorder::try_record`].
    pub fn forget(&self, unit: &str) -> Result<(), Dropped> {
        self.try_record(Event::Forget { unit: unit.into() })?;
        // a unit that is forgotten and comes back is new
        self.memory.forget(hash(&stored_name(unit)));
        Ok(())
    }

    /// Whether more than half of the queue is free: what anybody can send may not take the place of what visitors do.
    fn has_room(&self) -> bool {
        self.queue.capacity() > self.queue.max_capacity() / 2
    }

    /// How the ledger fares.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared.status(self.queue.max_capacity() - self.queue.capacity())
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("status", &self.status()).finish()
    }
}

/// What is recorded of the visitors of one network.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    recorder: &'a Recorder,
    network: Option<IpAddr>,
}

/// Why a page's word is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// Its unit said too much of the goal today.
    Unit,
    /// Its network said too much.
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

impl Visit<'_> {
    /// Records a row that anybody can make.
    fn row(&self, event: Event) -> Result<(), Dropped> {
        if self.recorder.limits.admits_row(self.network) {
            self.recorder.try_record(event)
        } else {
            Err(self.recorder.dropped(Loss::Network))
        }
    }

    /// A unit met a flag. Repeats cost a look into memory; who was not drawn, or has a variant that is not drawn any more, is
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
        let mut recorded = true;
        self.recorder.memory.exposed(snapshot.experiment_id(id), key, number, confirmed, || {
            let experiment = Experiment::of(snapshot, id, at);
            let event = experiment.map(|experiment| Event::Exposed {
                variant: number,
                place: flag.place(unit),
                held: decision.step() == Step::Sticky,
                experiment: Arc::new(experiment),
                unit: (*key).into(),
                confirmed,
                at: micros(at),
            });
            recorded = event.is_some_and(|event| self.row(event).is_ok());
            recorded
        });
        recorded
    }

    /// A visitor met an experiment, held out of all of them or not.
    pub fn met_experiment(&self, holdout: &Holdout, visitor: &str, confirmed: bool, at: Timestamp) {
        let place = holdout.place(visitor);
        let number = u8::from(!holdout.holds(place));
        self.recorder.memory.exposed(holdout.experiment_id(), visitor, number, confirmed, || {
            let event = Event::Exposed {
                experiment: Arc::new(Experiment::of_holdout(holdout)),
                unit: visitor.into(),
                variant: number,
                place,
                held: false,
                confirmed,
                at: micros(at),
            };
            self.row(event).is_ok()
        });
    }

    /// A visitor's cookie came back: all that was recorded of the visitor counts as confirmed. Once is enough. It is not recorded while
    /// more than half of the queue waits: the next request tells it again.
    pub fn returned(&self, visitor: &str) {
        let recorder = self.recorder;
        recorder
            .memory
            .returned(visitor, || recorder.has_room() && self.row(Event::Returned { unit: visitor.into() }).is_ok());
    }

    /// A unit looked at a page; only where some goal counts bounces. `unit` as [`flagstaff_flags::BucketBy::key`] names it. It is lost
    /// while more than half of the queue waits.
    pub fn page(&self, unit: &str, at: Timestamp) {
        let recorder = self.recorder;
        recorder.memory.page(unit, || {
            if !recorder.has_room() {
                recorder.shared.dropped(Loss::Queue, 1);
                return false;
            }
            self.row(Event::Page { unit: unit.into(), at: micros(at) }).is_ok()
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
        if !self.recorder.memory.reaches(goal, unit, day(at), REQUESTS_OF_UNIT) {
            return Err(self.recorder.dropped(Loss::Unit));
        }
        let (goal, unit, key) = (goal.into(), unit.into(), key.map(Into::into));
        self.row(Event::Converted { goal, unit, value, key, at: micros(at), met: None })
    }

    /// A page says that a unit reached a goal. It counts only if the unit met one of these experiments. `unit` as
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
        if !recorder.memory.reaches(goal, unit, day(at), PAGE_EVENTS_OF_UNIT) {
            return Err(NotTaken::Unit);
        }
        let (goal, unit, key) = (goal.into(), unit.into(), key.map(Into::into));
        let met = Some(Arc::clone(met));
        let event = Event::Converted { goal, unit, value, key, at: micros(at), met };
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
