//! Time that does not go back.

use std::time::Duration;

/// A day: clocks differ by less, where somebody looks after them.
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What comes later by less than this is the order of threads, not the clock.
const JITTER: i64 = 5_000_000;

/// Keeps times in the order in which things happened, also when the machine's clock is set back: then time goes on from the
/// latest one known, until the clock has caught up. Goals count only after exposure, so the order matters more than the hour.
#[derive(Debug)]
pub(crate) struct Clock {
    latest: i64,
    ahead: i64,
    /// By how much the ledger's clock is ahead of the machine's, where that is known to differ.
    of_ledger: i64,
}

impl Clock {
    /// A clock that knows of times (µs since 1970) up to `latest`.
    pub(crate) fn after(latest: i64) -> Self {
        Self { latest, ahead: 0, of_ledger: 0 }
    }

    /// It has come to know of a later time.
    pub(crate) fn knows(&mut self, latest: i64) {
        self.latest = self.latest.max(latest);
    }

    /// The ledger's clock is so much (µs) ahead of the machine's, as exactly as that can be told: programs that share a ledger write its time, so that a
    /// goal comes after its exposure whichever of them saw the two. Returns whether it is another than before.
    pub(crate) fn goes_by(&mut self, ahead: i64, error: i64) -> bool {
        let is_another = ahead.saturating_sub(self.of_ledger).saturating_abs() > error;
        if is_another {
            self.of_ledger = ahead;
        }
        is_another
    }

    /// The time of the ledger for a time that was read from the machine.
    pub(crate) fn of_ledger(&self, wall: i64) -> i64 {
        wall.saturating_add(self.of_ledger)
    }

    /// The time to write for a time that was read from the machine.
    pub(crate) fn read(&mut self, wall: i64) -> i64 {
        let wall = self.of_ledger(wall);
        if wall >= self.latest {
            self.ahead = 0;
        } else if wall.saturating_add(self.ahead) < self.latest.saturating_sub(JITTER) {
            self.ahead = self.latest.saturating_sub(wall);
        }
        let time = wall.saturating_add(self.ahead);
        self.latest = self.latest.max(time);
        time
    }

    /// The latest time known.
    pub(crate) fn latest(&self) -> i64 {
        self.latest
    }

    /// By how much (µs) times are ahead of the machine's clock; 0 as long as it was not set back.
    pub(crate) fn ahead(&self) -> i64 {
        self.ahead
    }
}

/// A stretch of time in the unit of the ledger's times.
pub(crate) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    #[test]
    fn a_clock_set_back_goes_on_and_catches_up() {
        let mut clock = Clock::after(0);
        assert_eq!(clock.read(1000 * SECOND), 1000 * SECOND);
        // back by 900 seconds: the order holds, and seconds stay seconds
        assert_eq!(clock.read(100 * SECOND), 1000 * SECOND);
        assert_eq!(clock.read(130 * SECOND), 1030 * SECOND);
        assert_eq!(clock.ahead(), 900 * SECOND);
        // set right again
        assert_eq!(clock.read(1040 * SECOND), 1040 * SECOND);
        assert_eq!(clock.ahead(), 0);
    }

    #[test]
    fn threads_out_of_order_are_no_clock_set_back() {
        let mut clock = Clock::after(0);
        clock.read(10 * SECOND);
        assert_eq!(clock.read(10 * SECOND - 300), 10 * SECOND - 300);
        assert_eq!(clock.ahead(), 0);
    }

    #[test]
    fn times_are_those_of_the_ledger_where_the_two_can_be_told_apart() {
        let mut clock = Clock::after(0);
        assert!(!clock.goes_by(3, 5), "the way takes longer");
        assert_eq!(clock.read(10 * SECOND), 10 * SECOND);
        assert!(clock.goes_by(-2 * SECOND, 5));
        assert_eq!(clock.read(20 * SECOND), 18 * SECOND);
        assert!(!clock.goes_by(-2 * SECOND + 4, 5));
        assert_eq!((clock.read(21 * SECOND), clock.ahead()), (19 * SECOND, 0));
        // set right: times go on
        assert!(clock.goes_by(0, 5));
        assert_eq!((clock.read(19 * SECOND), clock.ahead()), (19 * SECOND, 0));
    }

    #[test]
    fn what_the_store_knows_counts_too() {
        let mut clock = Clock::after(50 * SECOND);
        assert_eq!(clock.read(20 * SECOND), 50 * SECOND);
        clock.knows(90 * SECOND);
        assert_eq!(clock.read(21 * SECOND), 90 * SECOND);
    }
}
