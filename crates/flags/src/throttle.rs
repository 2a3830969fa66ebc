//! A line in the log now and then, for what may happen very often.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use jiff::Timestamp;

/// How long nothing is told after something was.
const QUIET_SECONDS: u64 = 60;

/// Before the first time.
const NEVER: i64 = i64::MIN;

/// Counts what happens, and says at most once a minute that it is time to tell it. It never waits.
#[derive(Debug)]
pub struct Seldom {
    told: AtomicI64,
    untold: AtomicU64,
}

impl Seldom {
    /// Nothing happened yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { told: AtomicI64::new(NEVER), untold: AtomicU64::new(0) }
    }

    /// It happened so many times more. When it is time to tell it: how often it happened since it was told last.
    pub fn count(&self, times: u64, now: Timestamp) -> Option<u64> {
        self.untold.fetch_add(times, Relaxed);
        let (last, now) = (self.told.load(Relaxed), now.as_second());
        // a clock that is set back does not silence it
        if last != NEVER && now.abs_diff(last) < QUIET_SECONDS {
            return None;
        }
        let is_first = self.told.compare_exchange(last, now, Relaxed, Relaxed).is_ok();
        is_first.then(|| self.untold.swap(0, Relaxed))
    }
}

impl Default for Seldom {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_a_minute_with_a_count() {
        let seldom = Seldom::new();
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        let told = [(1, 1000), (1, 1001), (5, 1059), (1, 1060), (2, 1061), (1, 400)];
        let told = told.map(|(times, second)| seldom.count(times, at(second)));
        assert_eq!(told, [Some(1), None, None, Some(7), None, Some(3)]);
    }
}
