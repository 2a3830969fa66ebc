//! How a ledger fares.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How a ledger fares, for a health page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Whether the store takes what is written.
    pub health: Health,
    /// Events written since the start.
    pub written: u64,
    /// Events lost since the start: the queue was full, or a store would not take them.
    pub dropped: u64,
    /// Events that wait.
    pub queued: usize,
    /// The machine's clock was set back by this much; times go on from the latest one known.
    pub clock_behind: Duration,
}

/// Whether a store takes what is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It is being opened for the first time.
    Opening,
    /// It does.
    Fine,
    /// It does not; the writer keeps trying.
    Away {
        /// For how long.
        since: Duration,
        /// Why.
        why: String,
    },
}

/// What writer and recorders share.
#[derive(Default)]
pub(crate) struct Shared {
    written: AtomicU64,
    dropped: AtomicU64,
    behind: AtomicI64,
    opened: AtomicBool,
    trouble: Mutex<Option<(Instant, String)>>,
}

impl Shared {
    pub(crate) fn wrote(&self, events: u64) {
        self.written.fetch_add(events, Ordering::Relaxed);
        metrics::counter!("flagstaff_ledger_written_total").increment(events);
    }

    pub(crate) fn dropped(&self, events: u64) {
        self.dropped.fetch_add(events, Ordering::Relaxed);
        metrics::counter!("flagstaff_ledger_dropped_total").increment(events);
    }

    pub(crate) fn clock_is_behind(&self, micros: i64) {
        let before = self.behind.swap(micros, Ordering::Relaxed);
        if before == 0 && micros > 0 {
            let seconds = micros / 1_000_000;
            tracing::warn!(seconds, "the clock was set back; the ledger's times go on from the latest one known");
        }
    }

    /// The store took something, or was opened.
    pub(crate) fn is_fine(&self, place: &str) {
        self.opened.store(true, Ordering::Relaxed);
        metrics::gauge!("flagstaff_ledger_up").set(1.0);
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((since, _)) = trouble.take() {
            let seconds = since.elapsed().as_secs();
            tracing::info!(ledger = place, seconds, "the ledger is back");
        }
    }

    /// The store did not take something. Told once in the log, until it does again or the reason changes.
    pub(crate) fn is_away(&self, place: &str, why: &str) {
        metrics::gauge!("flagstaff_ledger_up").set(0.0);
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble.as_ref().is_none_or(|(_, before)| before != why) {
            tracing::warn!(
                ledger = place,
                why,
                "the ledger takes nothing at the moment; requests go on, and it is tried again"
            );
        }
        let since = trouble.as_ref().map_or_else(Instant::now, |(since, _)| *since);
        *trouble = Some((since, why.into()));
    }

    pub(crate) fn status(&self, queued: usize) -> Status {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let health = match trouble {
            Some((since, why)) => Health::Away { since: since.elapsed(), why },
            None if self.opened.load(Ordering::Relaxed) => Health::Fine,
            None => Health::Opening,
        };
        Status {
            health,
            written: self.written.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            queued,
            clock_behind: Duration::from_micros(self.behind.load(Ordering::Relaxed).unsigned_abs()),
        }
    }
}
