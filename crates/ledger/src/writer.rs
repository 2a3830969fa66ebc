//! The writer: one thread that takes what waits and writes it, and tries again when it cannot.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::Row;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::batch::Batch;
use crate::clock::Clock;
use crate::counts::{Counts, Minutes};
use crate::expire::expire;
use crate::forget::forgotten;
use crate::memory::Memory;
use crate::period::Periods;
use crate::status::Shared;
use crate::store::{Identity, Store, in_time};
use crate::write::write;
use crate::{Event, Place};

/// A batch is written this long after its first event, at the latest.
const GATHER: Duration = Duration::from_millis(400);
/// And as soon as it holds this many.
const EVENTS: usize = 20_000;
/// The first wait after a failure; doubled each time, up to the last.
const RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
/// How often what is too old is deleted.
const EXPIRE_EVERY: Duration = Duration::from_secs(6 * 60 * 60);
/// And when that is tried again after it failed.
const EXPIRE_AGAIN: Duration = Duration::from_secs(60);

/// All a writer works with.
pub(crate) struct Writer {
    pub(crate) place: Place,
    pub(crate) events: mpsc::Receiver<Event>,
    pub(crate) counts: Arc<Counts>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) keep: Option<Duration>,
    pub(crate) boot: i64,
    pub(crate) state: State,
}

/// What it holds between batches.
pub(crate) struct State {
    store: Option<Store>,
    identity: Option<Option<Identity>>,
    periods: Periods,
    minutes: Minutes,
    clock: Clock,
    expire_at: Instant,
    /// How often somebody was forgotten, by the latest look.
    forgotten: Option<i64>,
}

impl State {
    pub(crate) fn new() -> Self {
        Self {
            store: None,
            identity: None,
            periods: Periods::default(),
            minutes: Minutes::default(),
            clock: Clock::after(0),
            expire_at: Instant::now(),
            forgotten: None,
        }
    }
}

impl Writer {
    /// Writes until it is told to stop, and then what is left.
    pub(crate) async fn run(mut self) {
        // a store that is there is opened at once, so that its state is known before the first event
        let _ = self.attempt(&mut Batch::default()).await;
        while !self.is_stopping() {
            let mut batch = self.gather().await;
            self.persist(&mut batch).await;
        }
        self.finish().await;
    }

    /// Whether it was told to stop, or nobody is left to tell.
    fn is_stopping(&self) -> bool {
        *self.stop.borrow() || self.stop.has_changed().is_err()
    }

    /// What comes within a short while. Times are set right by the latest one the store knows, so it waits for the store.
    async fn gather(&mut self) -> Batch {
        let mut batch = Batch::default();
        let mut until = Instant::now() + GATHER;
        let mut some = Vec::new();
        while batch.events() < EVENTS {
            let room = EVENTS - batch.events();
            let wait = timeout_at(until, self.events.recv_many(&mut some, room));
            let received = tokio::select! {
                received = wait => received.unwrap_or(0),
                _ = self.stop.changed() => 0,
            };
            if received == 0 {
                // nothing more in this while, or no recorder is left
                sleep_unless(&mut self.stop, until).await;
                break;
            }
            if batch.events() == 0 {
                until = Instant::now() + GATHER;
            }
            some.drain(..).for_each(|event| batch.add(event, &mut self.state.clock));
        }
        batch
    }

    /// Tries until the store takes the batch, it turns out that it never will, or it is time to stop.
    async fn persist(&mut self, batch: &mut Batch) {
        let mut wait = RETRY.0;
        loop {
            self.state.minutes.absorb(self.counts.take());
            match self.attempt(batch).await {
                Ok(()) => return,
                Err(error) if is_refusal(&error) => return self.give_up(batch, &error),
                Err(error) => self.away(&error).await,
            }
            if self.is_stopping() {
                return self.lost(batch);
            }
            sleep_unless(&mut self.stop, Instant::now() + wait).await;
            wait = (wait * 2).min(RETRY.1);
        }
    }

    /// Opens the store where it must, and writes.
    async fn attempt(&mut self, batch: &mut Batch) -> Result<(), sqlx::Error> {
        if self.open().await? {
            // another store numbers its periods by itself
            batch.exposures.values_mut().for_each(|exposure| exposure.period = None);
        }
        self.shared.clock_is_behind(self.state.clock.ahead());
        self.notice().await?;
        let State { store, periods, minutes, clock, .. } = &mut self.state;
        let Some(store) = store else { return Ok(()) };
        if batch.events() > 0 || !minutes.changed().is_empty() {
            in_time(async {
                periods.assign(batch, &mut store.connection).await?;
                write(store, batch, minutes, (self.boot, clock.latest())).await
            })
            .await?;
            minutes.wrote();
            self.shared.wrote(batch.events() as u64);
        }
        self.expire().await;
        self.shared.is_fine(&self.place.to_string());
        Ok(())
    }

    /// Somebody was forgotten, here or by another program: whoever comes back is recorded again.
    async fn notice(&mut self) -> Result<(), sqlx::Error> {
        let Some(store) = &mut self.state.store else { return Ok(()) };
        let number = in_time(forgotten(&mut store.connection)).await?;
        if self.state.forgotten.replace(number).is_some_and(|before| before != number) {
            self.memory.clear();
        }
        Ok(())
    }

    /// Deletes some of what is too old. That it cannot be deleted keeps nothing from being written.
    async fn expire(&mut self) {
        let (Some(keep), Some(store)) = (self.keep, &mut self.state.store) else { return };
        if Instant::now() < self.state.expire_at {
            return;
        }
        let before = micros(Timestamp::now()).saturating_sub(whole_micros(keep));
        let wait = match expire(&mut store.connection, before).await {
            Ok(true) => Duration::ZERO,
            Ok(false) => EXPIRE_EVERY,
            Err(error) => {
                tracing::warn!(ledger = %self.place, why = in_words(&error), "what is too old cannot be deleted now");
                self.close().await;
                EXPIRE_AGAIN
            }
        };
        self.state.expire_at = Instant::now() + wait;
    }

    /// A store that is open stays so, unless its file is another one by now. Returns whether it is another than before.
    async fn open(&mut self) -> Result<bool, sqlx::Error> {
        if self.state.store.as_ref().is_some_and(Store::is_gone) {
            self.shared.is_away(&self.place.to_string(), "its file was deleted or replaced; a new one is begun");
            self.close().await;
        }
        if self.state.store.is_some() {
            return Ok(false);
        }
        let mut store = Store::open(&self.place).await?;
        self.go_on_from(latest(&mut store).await?);
        let is_another = self.state.identity.replace(store.identity()) != Some(store.identity());
        self.state.store = Some(store);
        Ok(is_another)
    }

    fn go_on_from(&mut self, latest: i64) {
        if latest > micros(Timestamp::now()).saturating_add(whole_micros(DAY)) {
            tracing::warn!(ledger = %self.place, "the ledger has times in the future; they are not gone on from");
        } else {
            self.state.clock.knows(latest);
        }
    }

    /// What was known of the store may not hold for the next one.
    async fn close(&mut self) {
        if let Some(store) = self.state.store.take() {
            store.close().await;
        }
        self.state.periods = Periods::default();
        self.state.minutes.rewrite();
        self.state.forgotten = None;
        self.memory.clear();
    }

    async fn away(&mut self, error: &sqlx::Error) {
        self.shared.is_away(&self.place.to_string(), &in_words(error));
        self.close().await;
    }

    /// The store is there, and does not take this batch: better to lose it than all that follow.
    fn give_up(&mut self, batch: &Batch, error: &sqlx::Error) {
        tracing::error!(ledger = %self.place, %error, events = batch.events(), "the ledger refuses events; they are lost");
        self.lost(batch);
        self.state.minutes.wrote();
        self.state.periods = Periods::default();
    }

    fn lost(&self, batch: &Batch) {
        self.shared.dropped(batch.events() as u64);
        self.memory.clear();
    }

    /// Writes what is left, tries once.
    async fn finish(mut self) {
        self.events.close();
        loop {
            let mut batch = Batch::default();
            while batch.events() < EVENTS {
                let Ok(event) = self.events.try_recv() else { break };
                batch.add(event, &mut self.state.clock);
            }
            self.persist(&mut batch).await;
            if batch.events() == 0 {
                break;
            }
        }
        self.close().await;
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

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

pub(crate) fn micros(time: Timestamp) -> i64 {
    time.as_microsecond()
}

fn whole_micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// Whether the store is there and says that these rows can never be (SQLSTATE classes 22 and 23; SQLite's CONSTRAINT,
/// MISMATCH and TOOBIG).
fn is_refusal(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    let code = code.as_deref().unwrap_or_default();
    let primary = code.parse::<u32>().ok().filter(|_| code.len() != 5).map(|code| code & 0xff);
    matches!(primary, Some(18..=20)) || (code.len() == 5 && (code.starts_with("22") || code.starts_with("23")))
}

/// What is wrong, and what to do about it where that can be told.
fn in_words(error: &sqlx::Error) -> String {
    let text = error.to_string();
    let help = match () {
        () if text.contains("disk is full") => "make room",
        () if text.contains("is locked") => "another program holds it; it is tried again",
        () if text.contains("not a database") || text.contains("malformed") => {
            "move the file away, and a new one is begun"
        }
        () if text.contains("readonly") || text.contains("unable to open") => "look at the folder's rights",
        () => return text,
    };
    format!("{text}; {help}")
}
