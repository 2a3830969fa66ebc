//! The writer: one thread that takes what waits and writes it, and tries again when it cannot.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::Row;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::packs::packer::Packer;
use crate::revisions::add;
use crate::revisions::queue::RevisionQueue;
use crate::revisions::revision::NewRevision;
use crate::store::connection::{Identity, Store, in_time};
use crate::store::fault::{Fault, in_words};
use crate::store::forget::forget;
use crate::store::location::Location;
use crate::store::name::hash;
use crate::write::age::AgeClock;
use crate::write::batch::Batch;
use crate::write::clock::{Clock, DAY, micros};
use crate::write::event::RecordedEvent;
use crate::write::period::Periods;
use crate::write::piece::{Piece, Pieces, Waiting};
use crate::write::rows::write;
use crate::write::seen::SeenSet;
use crate::write::status::{Loss, Shared};

/// A batch is written this long after its first event, at the latest.
const BATCH_WITHIN: Duration = Duration::from_millis(400);
/// And as soon as it holds this many.
const BATCH_EVENTS: usize = 20_000;
/// How often it looks for more events of a batch. Only the first one wakes it: to be woken by each took requests more time than to give the event.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The first wait after a failure; doubled each time, up to the last.
const RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
/// A row that was late so often alone, while others were written, is lost.
const LATE_ALONE: u32 = 3;
/// All a writer works with.
pub(crate) struct Writer {
    pub(crate) location: Location,
    pub(crate) events: mpsc::Receiver<RecordedEvent>,
    pub(crate) seen: Arc<SeenSet>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) revisions: Arc<RevisionQueue>,
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) keep: Option<Duration>,
    pub(crate) boot: i64,
    pub(crate) state: WriterState,
}

/// What it holds between batches.
pub(crate) struct WriterState {
    pub(super) store: Option<Store>,
    pub(super) identity: Option<Option<Identity>>,
    pub(super) periods: Periods,
    pub(super) clock: Clock,
    pub(super) expire_at: Instant,
    /// When the clock of the store is to be measured again.
    pub(super) measure_at: Instant,
    /// By what rows are too old, where any are.
    pub(super) ages: Option<AgeClock>,
    /// How often somebody was forgotten, by the latest look.
    pub(super) forgotten: Option<i64>,
    /// The revision of the flags that is in force here, and its row once this store has it.
    pub(super) in_force: Option<(NewRevision, Option<i64>)>,
    pub(super) packer: Packer,
}

impl WriterState {
    pub(crate) fn new(unpacked: u32) -> Self {
        Self {
            store: None,
            identity: None,
            periods: Periods::default(),
            clock: Clock::after(0),
            expire_at: Instant::now(),
            measure_at: Instant::now(),
            ages: None,
            forgotten: None,
            in_force: None,
            packer: Packer::new(unpacked),
        }
    }
}

impl Writer {
    /// Writes until it is told to stop, and then what is left.
    pub(crate) async fn run(&mut self) {
        // after a panic nobody knows what the connection was about to do
        self.state.store = None;
        // a store that is there is opened at once, so that its state is known before the first event
        let _ = self.attempt(&mut Piece::Rows(Box::default())).await;
        while !self.is_stopping() {
            let batch = self.next_batch().await;
            self.persist(batch).await;
            self.record_revisions().await;
        }
        self.finish().await;
    }

    /// Whether it was told to stop, or nobody is left to tell.
    pub(super) fn is_stopping(&self) -> bool {
        *self.stop.borrow() || self.stop.has_changed().is_err()
    }

    /// What comes within a short while. Times are set right by the latest one the store knows, so it waits for the store.
    async fn next_batch(&mut self) -> Batch {
        let mut batch = Batch::default();
        let first = tokio::select! {
            first = timeout_at(Instant::now() + BATCH_WITHIN, self.events.recv()) => first,
            _ = self.stop.changed() => return batch,
        };
        match first {
            Ok(Some(event)) => batch.add(event, &mut self.state.clock),
            Ok(None) => {
                // no recorder is left
                sleep_unless(&mut self.stop, Instant::now() + BATCH_WITHIN).await;
                return batch;
            }
            Err(_) => return batch,
        }
        let until = Instant::now() + BATCH_WITHIN;
        while self.take_waiting(&mut batch) && Instant::now() < until && !self.is_stopping() {
            sleep_unless(&mut self.stop, until.min(Instant::now() + LOOK_EVERY)).await;
        }
        batch
    }

    /// Tries until the store takes all of the batch, or it is time to stop. What it refuses is halved until the row that it does not
    /// take stands alone, and that one is lost.
    async fn persist(&mut self, batch: Batch) {
        let mut pieces = Pieces::default();
        pieces.add(batch);
        // a store is looked after also when there is nothing to write
        pieces.push_back(Piece::Rows(Box::default()));
        let (mut wait, mut wrote) = (RETRY.0, false);
        while let Some(mut waiting) = pieces.next() {
            let Err(error) = self.attempt(&mut waiting.piece).await else {
                (wait, wrote) = (RETRY.0, wrote || waiting.piece.len() > 0);
                continue;
            };
            if Fault::of(&error) == Fault::Refused {
                if let Some(alone) = pieces.halved(waiting) {
                    self.give_up(&alone.piece, &error);
                }
                continue;
            }
            // the connection is as good as before, and what was remembered still holds
            if Fault::of(&error) != Fault::GaveWay {
                self.away(&error).await;
            }
            self.put_back(&mut pieces, waiting, &error, &mut wrote);
            if self.is_stopping() {
                return self.lose_all(pieces);
            }
            sleep_unless(&mut self.stop, Instant::now() + wait).await;
            wait = (wait * 2).min(RETRY.1);
        }
    }

    /// What could not be written waits. What is late may be too much for the store: it is halved; and a row that is late alone, again
    /// and again, while others are written in between, is lost. Where nothing is written, the store is silent, and nothing is lost.
    fn put_back(&mut self, pieces: &mut Pieces, waiting: Waiting, error: &sqlx::Error, wrote: &mut bool) {
        if Fault::of(error) != Fault::Late {
            return pieces.again(waiting);
        }
        let Some(mut alone) = pieces.halved(waiting).filter(|alone| alone.piece.len() > 0) else { return };
        // only what is written between two tries shows that the store takes others
        alone.late = if std::mem::take(wrote) { alone.late + 1 } else { 0 };
        if alone.late >= LATE_ALONE {
            return self.give_up(&alone.piece, error);
        }
        pieces.again_later(alone);
        if pieces.rows() < BATCH_EVENTS {
            let more = self.waiting();
            pieces.add(more);
        }
    }

    /// Opens the store where it must, and writes.
    async fn attempt(&mut self, piece: &mut Piece) -> Result<(), sqlx::Error> {
        if self.open().await.map_err(away)?
            && let Piece::Rows(batch) = piece
        {
            // another store numbers its periods by itself
            batch.exposures.values_mut().for_each(|exposure| exposure.period = None);
        }
        self.measure_clock_again().await.map_err(away)?;
        self.shared.clock_is_behind(self.state.clock.ahead());
        self.notice().await.map_err(away)?;
        let WriterState { store, periods, clock, .. } = &mut self.state;
        let Some(store) = store else { return Ok(()) };
        let began = Instant::now();
        match piece {
            Piece::Forget(units) => {
                let units: Vec<_> = units.iter().map(|unit| &**unit).collect();
                in_time(forget(store, &units)).await.map(|_| ())?;
            }
            Piece::Rows(batch) if batch.events() > 0 => {
                in_time(async {
                    periods.assign(batch, &mut store.connection).await?;
                    write(store, batch, (self.boot, clock.latest())).await
                })
                .await?;
            }
            Piece::Rows(_) => {}
        }
        self.shared.wrote(piece.events() as u64);
        self.state.packer.wrote(piece.len());
        let writing_took = began.elapsed();
        self.expire().await;
        self.pack(writing_took).await;
        self.shared.is_fine(&self.location.to_string());
        Ok(())
    }

    /// A store that is open stays so, unless its file is another one by now. Returns whether it is another than before.
    async fn open(&mut self) -> Result<bool, sqlx::Error> {
        if self.state.store.as_ref().is_some_and(Store::is_gone) {
            let location = self.location.to_string();
            self.shared.is_away(&location, None, "its file was deleted or replaced; a new one is begun");
            self.close().await;
        }
        if self.state.store.is_some() {
            return Ok(false);
        }
        let mut store = Store::open(&self.location).await?;
        self.measure_clock(&mut store).await?;
        let latest = latest(&mut store).await?;
        self.go_on_from(latest);
        self.count_ages(&mut store, latest).await?;
        let is_another = self.state.identity.replace(store.identity()) != Some(store.identity());
        if is_another && let Some((_, number)) = &mut self.state.in_force {
            *number = None;
        }
        self.state.store = Some(store);
        Ok(is_another)
    }

    fn go_on_from(&mut self, latest: i64) {
        let now = self.state.clock.of_ledger(Timestamp::now().as_microsecond());
        if latest > now.saturating_add(micros(DAY)) {
            tracing::warn!(ledger = %self.location, "the ledger has times in the future; they are not gone on from");
        } else {
            self.state.clock.knows(latest);
        }
    }

    /// What was known of the store may not hold for the next one.
    pub(super) async fn close(&mut self) {
        if let Some(store) = self.state.store.take() {
            store.close().await;
        }
        self.state.periods = Periods::default();
        self.state.forgotten = None;
        self.seen.clear();
    }

    async fn away(&mut self, error: &sqlx::Error) {
        self.shared.is_away(&self.location.to_string(), Some(Fault::of(error)), &in_words(error));
        self.close().await;
    }

    /// The store is there, and does not take this row: better to lose it than all that follow.
    fn give_up(&mut self, piece: &Piece, error: &sqlx::Error) {
        self.shared.refused(&self.location.to_string(), &in_words(error));
        self.lose(piece, Loss::Refused);
        self.state.periods = Periods::default();
    }

    fn lose_all(&self, mut pieces: Pieces) {
        while let Some(waiting) = pieces.next() {
            self.lose(&waiting.piece, Loss::Stopped);
        }
    }

    /// What is lost is not remembered as recorded.
    fn lose(&self, piece: &Piece, why: Loss) {
        self.shared.dropped(why, piece.len().max(piece.events()) as u64);
        self.shared.settled(piece.events() as u64);
        if let Piece::Rows(batch) = piece {
            batch.units().for_each(|unit| self.seen.forget(hash(unit)));
        }
    }

    /// Records the revisions of the flags that wait. What the store does not take now waits on; what it refuses is lost, and told.
    async fn record_revisions(&mut self) {
        // another store than before does not know what is in force
        let is_gone = self.state.store.as_ref().is_some_and(Store::is_gone);
        if let Some((revision, number)) = &self.state.in_force
            && self.revisions.is_empty()
            && (is_gone || number.is_none())
        {
            self.revisions.again(revision.clone());
        }
        while let Some(revision) = self.revisions.pop() {
            match self.record(&revision).await {
                Ok(number) => self.state.in_force = Some((revision, Some(number))),
                Err(error) if Fault::of(&error) == Fault::Refused => {
                    let (ledger, why) = (self.location.to_string(), in_words(&error));
                    tracing::error!(ledger, why, "the ledger refuses a revision of the flags; it is lost");
                    self.state.in_force = None;
                }
                Err(error) => {
                    self.revisions.again(revision);
                    return self.away(&error).await;
                }
            }
        }
    }

    /// Records a revision. Returns its row.
    async fn record(&mut self, revision: &NewRevision) -> Result<i64, sqlx::Error> {
        self.open().await?;
        let position = self.state.in_force.as_ref().and_then(|(_, number)| *number);
        let Some(store) = &mut self.state.store else { return Ok(0) };
        let added = in_time(add(store, revision, position)).await?;
        if added.dropped > 0 {
            let (ledger, revisions) = (self.location.to_string(), added.dropped);
            tracing::info!(ledger, revisions, "the oldest revisions of the flags are no longer kept");
        }
        Ok(added.number)
    }

    /// What waits in the queue, as much as one batch holds.
    fn waiting(&mut self) -> Batch {
        let mut batch = Batch::default();
        self.take_waiting(&mut batch);
        batch
    }

    /// Adds what waits in the queue. Returns whether the batch has room for more.
    fn take_waiting(&mut self, batch: &mut Batch) -> bool {
        while batch.events() < BATCH_EVENTS {
            let Ok(event) = self.events.try_recv() else { return true };
            batch.add(event, &mut self.state.clock);
        }
        false
    }

    /// Writes what is left, tries once.
    async fn finish(&mut self) {
        self.events.close();
        loop {
            let batch = self.waiting();
            let is_last = batch.events() == 0;
            self.persist(batch).await;
            if is_last {
                break;
            }
        }
        self.record_revisions().await;
        self.close().await;
    }
}

/// What gives no answer before anything is written is away: there was nothing that could be too much for it.
fn away(error: sqlx::Error) -> sqlx::Error {
    if Fault::of(&error) == Fault::Late {
        return sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::NotConnected, error.to_string()));
    }
    error
}

/// Waits, but not longer than until it is time to stop.
async fn sleep_unless(stop: &mut watch::Receiver<bool>, until: Instant) {
    tokio::select! {
        () = sleep_until(until) => {}
        // an error is the keeper's end, which means to stop as well
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

/// The latest time the store knows of.
async fn latest(store: &mut Store) -> Result<i64, sqlx::Error> {
    let select = "SELECT COALESCE(MAX(latest), 0) FROM boots";
    sqlx::query(select).fetch_one(&mut store.connection).await?.try_get(0)
}
