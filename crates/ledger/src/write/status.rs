//! How a ledger does.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use flagstaff_flags::LogThrottle;
use jiff::Timestamp;

use crate::store::fault::Fault;

/// How a ledger does, for a health page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriterStatus {
    /// Whether the store takes what is written.
    pub health: StoreHealth,
    /// Events written since the start.
    pub written: u64,
    /// Events lost since the start: the queue was full, or a store would not take them.
    pub dropped: u64,
    /// Events that wait in the queue.
    pub queued: usize,
    /// Events that were taken and are neither written nor lost yet.
    pub pending: u64,
    /// The machine's clock was set back by this much; times go on from the latest one known.
    pub clock_behind: Duration,
}

/// Whether a store takes what is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreHealth {
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

/// Why an event is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// Too many wait.
    Queue,
    /// It has no unit, or a value that no sum may have.
    Unsound,
    /// The store does not take it.
    Refused,
    /// The program ended before the store took it.
    Stopped,
    /// Visitors of its network make more rows than visitors do.
    Network,
    /// Its unit reaches a goal more often than anybody does.
    Unit,
}

impl Loss {
    const ALL: [Self; 6] = [Self::Queue, Self::Unsound, Self::Refused, Self::Stopped, Self::Network, Self::Unit];

    const fn label(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Unsound => "unsound",
            Self::Refused => "refused",
            Self::Stopped => "stopped",
            Self::Network => "network",
            Self::Unit => "unit",
        }
    }
}

/// Why a store takes nothing.
#[derive(Clone)]
struct Trouble {
    since: Instant,
    /// What the store says; none where its file was deleted or replaced.
    fault: Option<Fault>,
    why: String,
}

/// What writer and recorders share.
#[derive(Default)]
pub(crate) struct Shared {
    written: AtomicU64,
    dropped: AtomicU64,
    behind: AtomicI64,
    /// Events that were taken into the queue, and those of them that are written or lost.
    taken: AtomicU64,
    settled: AtomicU64,
    opened: AtomicBool,
    losses: [LogThrottle; Loss::ALL.len()],
    refusals: LogThrottle,
    trouble: Mutex<Option<Trouble>>,
}

impl Shared {
    /// An event is about to go into the queue.
    pub(crate) fn takes(&self) {
        self.taken.fetch_add(1, Ordering::SeqCst);
    }

    /// Events of the queue are written or lost; or it was full.
    pub(crate) fn settled(&self, events: u64) {
        self.settled.fetch_add(events, Ordering::SeqCst);
    }

    pub(crate) fn wrote(&self, events: u64) {
        self.settled(events);
        self.written.fetch_add(events, Ordering::Relaxed);
        metrics::counter!("flagstaff_ledger_written_total").increment(events);
    }

    /// Counters of what was lost are there before anything is.
    pub(crate) fn begin() {
        for loss in Loss::ALL {
            metrics::counter!("flagstaff_ledger_dropped_total", "reason" => loss.label()).increment(0);
        }
    }

    /// Counts what was lost, and tells it at most once a minute for each reason.
    pub(crate) fn dropped(&self, why: Loss, events: u64) {
        if events == 0 {
            return;
        }
        self.dropped.fetch_add(events, Ordering::Relaxed);
        let reason = why.label();
        metrics::counter!("flagstaff_ledger_dropped_total", "reason" => reason).increment(events);
        let throttle = self.losses.get(why as usize);
        if let Some(events) = throttle.and_then(|throttle| throttle.count(events, Timestamp::now())) {
            tracing::warn!(events, reason, "events did not get into the ledger and are lost");
        }
    }

    /// The store does not take a row.
    pub(crate) fn refused(&self, ledger: &str, why: &str) {
        if let Some(rows) = self.refusals.count(1, Timestamp::now()) {
            tracing::error!(ledger, why, rows, "the ledger refuses rows; they are lost, all others are kept");
        }
    }

    pub(crate) fn clock_is_behind(&self, micros: i64) {
        let before = self.behind.swap(micros, Ordering::Relaxed);
        if before == 0 && micros > 0 {
            let seconds = micros / 1_000_000;
            tracing::warn!(seconds, "the clock was set back; the ledger's times go on from the latest one known");
        }
    }

    /// The store took something, or was opened.
    pub(crate) fn is_fine(&self, ledger: &str) {
        self.opened.store(true, Ordering::Relaxed);
        metrics::gauge!("flagstaff_ledger_up").set(1.0);
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = trouble.take() {
            let seconds = before.since.elapsed().as_secs();
            tracing::info!(ledger, seconds, "the ledger is back");
        }
    }

    /// The store did not take something, or its file is another one (no fault). Logged once, until it does again or the fault
    /// is another one.
    pub(crate) fn is_away(&self, ledger: &str, fault: Option<Fault>, why: &str) {
        metrics::gauge!("flagstaff_ledger_up").set(0.0);
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble.as_ref().is_none_or(|before| before.fault != fault) {
            tracing::warn!(
                ledger,
                why,
                "the ledger takes nothing at the moment; requests go on, and it is tried again"
            );
        }
        let since = trouble.as_ref().map_or_else(Instant::now, |before| before.since);
        *trouble = Some(Trouble { since, fault, why: why.into() });
    }

    pub(crate) fn status(&self, queued: usize) -> WriterStatus {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let health = match trouble {
            Some(trouble) => StoreHealth::Away { since: trouble.since.elapsed(), why: trouble.why },
            None if self.opened.load(Ordering::Relaxed) => StoreHealth::Fine,
            None => StoreHealth::Opening,
        };
        WriterStatus {
            health,
            written: self.written.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            queued,
            // settled first: what is taken in between only makes it larger
            pending: {
                let settled = self.settled.load(Ordering::SeqCst);
                self.taken.load(Ordering::SeqCst).saturating_sub(settled)
            },
            clock_behind: Duration::from_micros(self.behind.load(Ordering::Relaxed).unsigned_abs()),
        }
    }
}
