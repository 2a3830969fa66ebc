//! What a writer does besides writing, whenever it has written: it notices who was forgotten, deletes what is too old, and packs rows.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::store::connection::in_time;
use crate::store::fault::in_words;
use crate::store::forget::{forgotten, forgotten_since};
use crate::write::clock::micros;
use crate::write::expire::expire;
use crate::write::writer::Writer;

/// How often what is too old is deleted.
const EXPIRE_EVERY: Duration = Duration::from_secs(6 * 60 * 60);
/// And when that is tried again after it failed.
const EXPIRE_AGAIN: Duration = Duration::from_secs(60);

impl Writer {
    /// Units were forgotten, here or by another program: one that comes back is recorded again.
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

    /// Deletes some of what is too old. That it cannot be deleted keeps nothing from being written.
    pub(super) async fn expire(&mut self) {
        let (Some(keep), Some(store)) = (self.keep, &mut self.state.store) else { return };
        if Instant::now() < self.state.expire_at {
            return;
        }
        let before = Timestamp::now().as_microsecond().saturating_sub(micros(keep));
        let wait = match expire(&mut store.connection, before).await {
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
