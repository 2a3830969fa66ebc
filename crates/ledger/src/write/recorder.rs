//! The handle with which events are recorded. It never waits.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use flagstaff_flags::{ExperimentId, Snapshot};
use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::revisions::queue::RevisionQueue;
use crate::revisions::revision::NewRevision;
use crate::store::name::{hash, stored_name};
use crate::write::event::RecordedEvent;
use crate::write::experiment::Experiments;
use crate::write::limits::Limits;
use crate::write::seen::SeenSet;
use crate::write::status::{Loss, Shared, WriterStatus};

/// Records what happened. Cheap to clone; every call returns at once.
#[derive(Clone)]
pub struct Recorder {
    queue: mpsc::Sender<RecordedEvent>,
    pub(crate) seen: Arc<SeenSet>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) experiments: Arc<Experiments>,
    revisions: Arc<RevisionQueue>,
    /// Experiments that somebody is drawn for.
    drawn: Arc<Mutex<HashSet<ExperimentId>>>,
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

impl Recorder {
    /// A recorder that puts events into a writer's queue.
    pub(crate) fn new(
        queue: mpsc::Sender<RecordedEvent>,
        seen: Arc<SeenSet>,
        shared: Arc<Shared>,
        revisions: Arc<RevisionQueue>,
    ) -> Self {
        let (limits, experiments) = (Arc::new(Limits::new()), Arc::default());
        Self { queue, seen, shared, limits, experiments, revisions, drawn: Arc::default() }
    }

    /// Gives an event to the writer.
    ///
    /// # Errors
    /// When the queue is full, the writer has ended, or the event is one no store takes.
    pub fn try_record(&self, event: RecordedEvent) -> Result<(), Dropped> {
        let Some(event) = event.sound() else { return Err(self.dropped(Loss::Unsound)) };
        self.shared.takes();
        self.queue.try_send(event).map_err(|_| {
            self.shared.settled(1);
            self.dropped(Loss::Queue)
        })
    }

    pub(crate) fn dropped(&self, why: Loss) -> Dropped {
        self.shared.dropped(why, 1);
        Dropped
    }

    /// A snapshot of the flags is about to be in force. Where nobody is drawn any more, a step of the experiment ends: whoever comes when somebody is
    /// drawn again has seen something else meanwhile.
    pub fn follow(&self, snapshot: &Snapshot) {
        let now = Timestamp::now();
        let drawn = snapshot.drawn_experiments(now);
        let before =
            std::mem::replace(&mut *self.drawn.lock().unwrap_or_else(PoisonError::into_inner), drawn.clone());
        for trial in before.difference(&drawn) {
            // where too much waits, it is counted as lost
            let _ = self.try_record(RecordedEvent::NotDrawn { trial: *trial, at: now.as_microsecond() });
        }
    }

    /// Deletes everything of a unit, as [`flagstaff_flags::BucketBy::key`] names it, once what came before it is written.
    ///
    /// # Errors
    /// As [`Recorder::try_record`].
    pub fn forget(&self, unit: &str) -> Result<(), Dropped> {
        self.try_record(RecordedEvent::Forget { unit: unit.into() })?;
        // a unit that is forgotten and comes back is new
        self.seen.forget(hash(&stored_name(unit)));
        Ok(())
    }

    /// A revision of the flags is in force. It waits for the store in a queue of its own, which holds a few dozen.
    pub fn record_revision(&self, revision: NewRevision) {
        if self.revisions.push(revision) {
            tracing::warn!("the ledger is away for long: a revision of the flags is not recorded");
        }
    }

    /// Whether more than half of the queue is free: what anybody can send may not take the place of what visitors do.
    pub(crate) fn has_room(&self) -> bool {
        self.queue.capacity() > self.queue.max_capacity() / 2
    }

    /// How the ledger does.
    #[must_use]
    pub fn status(&self) -> WriterStatus {
        self.shared.status(self.queue.max_capacity() - self.queue.capacity())
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("status", &self.status()).finish()
    }
}
