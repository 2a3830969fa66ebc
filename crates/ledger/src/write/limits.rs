//! How many rows anybody can make: bounds by network, because one person may have as many ids as there are numbers.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Instant;

use quick_cache::sync::Cache;

/// Networks that are told apart; of more, those seen last.
const NETWORKS: usize = 10_000;

/// New rows that visitors of one network make by what they ask for: at once, and more each second.
const ROWS_OF_NETWORK: (i64, i64) = (300_000, 1_000);
/// Events that pages of one network send.
const PAGE_EVENTS_OF_NETWORK: (i64, i64) = (2_000, 10);
/// Visitors of one network who ask to be forgotten.
const FORGETS_OF_NETWORK: (i64, i64) = (100, 1);

/// The bounds of one program.
pub(crate) struct Limits {
    started: Instant,
    rows: Buckets,
    page_events: Buckets,
    forgets: Buckets,
}

impl Limits {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            rows: Buckets::new(ROWS_OF_NETWORK),
            page_events: Buckets::new(PAGE_EVENTS_OF_NETWORK),
            forgets: Buckets::new(FORGETS_OF_NETWORK),
        }
    }

    /// Whether a network may make one more row. One that nobody knows may.
    pub(crate) fn admits_row(&self, network: Option<IpAddr>) -> bool {
        self.rows.admits(network, self.now())
    }

    /// Whether a page of a network may send one more event.
    pub(crate) fn admits_page_event(&self, network: Option<IpAddr>) -> bool {
        self.page_events.admits(network, self.now())
    }

    /// Whether one more visitor of a network may be forgotten.
    pub(crate) fn admits_forget(&self, network: Option<IpAddr>) -> bool {
        self.forgets.admits(network, self.now())
    }

    fn now(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX)
    }
}

/// A bucket for each network.
struct Buckets {
    /// When (µs) the bucket is full again (the "theoretical arrival time" of the generic cell rate algorithm, ITU-T I.371).
    full_at: Cache<IpAddr, Arc<AtomicI64>>,
    at_once: i64,
    each: i64,
}

impl Buckets {
    fn new((at_once, per_second): (i64, i64)) -> Self {
        Self { full_at: Cache::new(NETWORKS), at_once, each: 1_000_000 / per_second }
    }

    fn admits(&self, network: Option<IpAddr>, now: i64) -> bool {
        let Some(network) = network else { return true };
        let full_at = self.full_at.get(&network).unwrap_or_else(|| {
            let new = Arc::new(AtomicI64::new(now));
            self.full_at.insert(network, Arc::clone(&new));
            new
        });
        let next =
            |full_at: i64| Some(full_at.max(now) + self.each).filter(|next| next - now <= self.at_once * self.each);
        full_at.try_update(Relaxed, Relaxed, next).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_a_network_are_rate_limited() {
        let buckets = Buckets::new((100, 10));
        let (one, other) = ("192.0.2.0".parse().ok(), "198.51.100.0".parse().ok());
        let taken = |network, now: i64| (0..1000).filter(|_| buckets.admits(network, now)).count();
        assert_eq!((taken(one, 0), taken(one, 0), taken(other, 0)), (100, 0, 100));
        assert_eq!((taken(one, 1_000_000), taken(one, 100_000_000)), (10, 100));
        assert_eq!(taken(None, 0), 1000);
    }
}
