//! At most one line in the log a minute, for what may happen very often.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use jiff::Timestamp;

/// How long nothing is reported after something was, in seconds.
const QUIET_SECONDS: u64 = 60;

/// Before the first time.
const NEVER: i64 = i64::MIN;

/// Counts what happens, and says at most once a minute that it is time to report it. It never waits.
#[derive(Debug)]
pub struct LogThrottle {
    reported: AtomicI64,
    unreported: AtomicU64,
}

impl LogThrottle {
    /// Nothing happened yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { reported: AtomicI64::new(NEVER), unreported: AtomicU64::new(0) }
    }

    /// It happened so many times more. When it is time to report it: how often it happened since it was reported last.
    pub fn count(&self, times: u64, now: Timestamp) -> Option<u64> {
        self.unreported.fetch_add(times, Relaxed);
        let (last, now) = (self.reported.load(Relaxed), now.as_second());
        // a clock that is set back does not silence it
        if last != NEVER && now.abs_diff(last) < QUIET_SECONDS {
            return None;
        }
        let is_first = self.reported.compare_exchange(last, now, Relaxed, Relaxed).is_ok();
        is_first.then(|| self.unreported.swap(0, Relaxed))
    }
}

impl Default for LogThrottle {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_a_minute_with_a_count() {
        let throttle = LogThrottle::new();
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let reported = [(1, 1000), (1, 1001), (5, 1059), (1, 1060), (2, 1061), (1, 400)];
        let reported = reported.map(|(times, second)| throttle.count(times, at(second)));
        assert_eq!(reported, [Some(1), None, None, Some(7), None, Some(3)]);
    }
}
