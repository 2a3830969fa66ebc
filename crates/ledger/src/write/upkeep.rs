//! What a writer does besides writing, whenever it has written: it notices who was forgotten, deletes what is too old, and packs rows.

use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::Instant;

use crate::store::connection::{Store, in_time};
use crate::store::fault::in_words;
use crate::store::forget::{forgotten, forgotten_since};
use crate::write::age::{AgeClock, mark};
use crate::write::clock::{DAY, micros};
use crate::write::expire::expire;
use crate::write::writer::Writer;

/// How often the clock of a shared store is measured.
const MEASURE_EVERY: Duration = Duration::from_secs(60);
/// What differs by more is told: a clock that is set from the network differs by far less.
const TOLD_FROM: SignedDuration = SignedDuration::from_secs(5);

/// How often what is too old is deleted.
const EXPIRE_EVERY: Duration = Duration::from_secs(6 * 60 * 60);
/// And when that is tried again after it failed.
const EXPIRE_AGAIN: Duration = Duration::from_secs(60);

impl Writer {
    /// Units were forgotten or became too old, here or by another program: one that comes back is recorded again.
    pub(super) async fn notice(&mut self) -> Result<(), sqlx::Error> {
        let Some(store) = &mut self.state.store else { return Ok(()) };
        let number = in_time(forgotten(&mut store.connection)).await?;
        let Some(mut before) = self.state.forgotten.replace(number) else { return Ok(()) };
        while before < number {
            let (units, read) = forgotten_since(&mut store.connection, before).await?;
            units.iter().for_each(|unit| self.seen.forget(*unit));
            if read <= before {
                break;
            }
            before = read;
        }
        Ok(())
    }

    /// Measures how far the clock of a shared store is from this machine's, and says so where somebody should set one of the two right.
    pub(super) async fn measure_clock(&mut self, store: &mut Store) -> Result<(), sqlx::Error> {
        let (ahead, error) = store.clock_ahead().await?;
        self.state.measure_at = Instant::now() + MEASURE_EVERY;
        let is_another = self.state.clock.goes_by(whole_micros(ahead), whole_micros(error));
        if is_another && ahead.abs() >= TOLD_FROM {
            let (seconds, way) = (ahead.abs().as_secs(), if ahead.is_positive() { "behind" } else { "ahead of" });
            tracing::warn!(ledger = %self.location, seconds, "the clock of this machine is {way} the ledger's; rows get the ledger's time. Set the wrong one right");
        }
        Ok(())
    }

    /// The same of the store that is open, now and then.
    pub(super) async fn measure_clock_again(&mut self) -> Result<(), sqlx::Error> {
        if Instant::now() < self.state.measure_at {
            return Ok(());
        }
        let Some(mut store) = self.state.store.take() else { return Ok(()) };
        let measured = self.measure_clock(&mut store).await;
        self.state.store = Some(store);
        measured
    }

    /// Begins to count ages by what a store knows, where anything is ever too old.
    pub(super) async fn count_ages(&mut self, store: &mut Store, latest: i64) -> Result<(), sqlx::Error> {
        if self.keep.is_none() {
            return Ok(());
        }
        let ages = AgeClock::of(store, latest).await?;
        if !store.is_shared() && ages.lag() > 0 {
            let days = ages.lag() / micros(DAY) + 1;
            tracing::warn!(
                ledger = %self.location,
                days,
                "the clock is far beyond the newest time the ledger knows; what is too old is deleted later, and more slowly, in case the clock is wrong"
            );
        }
        self.state.ages = Some(ages);
        Ok(())
    }

    /// Deletes some of what is too old. That it cannot be deleted keeps nothing from being written.
    pub(super) async fn expire(&mut self) {
        let Some(keep) = self.keep.filter(|_| Instant::now() >= self.state.expire_at) else { return };
        let (Some(ages), Some(store)) = (&self.state.ages, &mut self.state.store) else { return };
        let wait = match expire_by(ages, store, keep).await {
            Ok(true) => Duration::ZERO,
            Ok(false) => EXPIRE_EVERY,
            Err(error) => {
                tracing::warn!(ledger = %self.location, why = in_words(&error), "what is too old cannot be deleted now");
                self.close().await;
                EXPIRE_AGAIN
            }
        };
        self.state.expire_at = Instant::now() + wait;
    }

    /// Packs some rows, so that results are read fast; as long as nothing waits, and else as long as the last rows took to be written, so that
    /// packs keep up with them. Where too much waits, it packs only a little. That they cannot be packed keeps nothing from being written.
    pub(super) async fn pack(&mut self, writing_took: Duration) {
        while let Some(store) = &mut self.state.store {
            let much_waits = self.events.len() > self.events.max_capacity() / 2;
            let time = if much_waits { Duration::ZERO } else { writing_took };
            match self.state.packer.work(store, time).await {
                Ok(has_more) if has_more && self.events.is_empty() && !self.is_stopping() => {}
                Ok(_) => return,
                Err(error) => {
                    tracing::warn!(ledger = %self.location, why = in_words(&error), "rows cannot be packed now");
                    // a store that says no is there: the connection is as good as before
                    if !matches!(error, sqlx::Error::Database(_)) {
                        self.close().await;
                    }
                    return;
                }
            }
        }
    }
}

/// Deletes some of what is older than it is to be kept. Returns whether there may be more.
async fn expire_by(ages: &AgeClock, store: &mut Store, keep: Duration) -> Result<bool, sqlx::Error> {
    let now = ages.now(store).await?;
    let more = expire(&mut store.connection, now.saturating_sub(micros(keep))).await?;
    if !store.is_shared() {
        mark(&mut store.connection, now).await?;
    }
    Ok(more)
}

fn whole_micros(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or_default()
}
