//! How many answers of both arms were errors in the last minute.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::numbers::{percent, thousands};

/// Length of a bucket in microseconds, and how many make up the last minute.
const BUCKET: i64 = 5_000_000;
const BUCKETS: usize = 12;

/// Answers of the control below which nothing is said of it.
pub const FEWEST: u64 = 20;

/// The part of the control's answers that must be bad to speak of an outage.
pub const BAD: f64 = 0.1;

/// Answers of both arms in the last minute, in buckets of five seconds. It takes no lock; at the very moment when a bucket is used
/// anew some of its answers may be lost.
#[derive(Debug)]
pub struct ErrorRateWindow {
    buckets: [Bucket; BUCKETS],
}

/// Five seconds.
#[derive(Debug)]
struct Bucket {
    /// Their number since the clock began.
    number: AtomicI64,
    control: Counts,
    treatment: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    answers: AtomicU64,
    bad: AtomicU64,
}

impl Default for ErrorRateWindow {
    fn default() -> Self {
        let bucket =
            |_| Bucket { number: AtomicI64::new(i64::MIN), control: Counts::default(), treatment: Counts::default() };
        Self { buckets: std::array::from_fn(bucket) }
    }
}

/// Answers of an arm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// All.
    pub answers: u64,
    /// Those that are errors.
    pub bad: u64,
}

/// Answers of both arms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// The control's.
    pub control: Rate,
    /// Those of every other variant.
    pub treatment: Rate,
}

/// The control fails by itself: no variant is the cause of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage(pub Rates);

impl ErrorRateWindow {
    /// An answer at a time in microseconds, by a clock that nobody sets. One more than a minute older than the newest is left out.
    pub fn answered(&self, treated: bool, bad: bool, at: i64) {
        let number = at.div_euclid(BUCKET);
        let place = usize::try_from(number.rem_euclid(BUCKETS as i64)).unwrap_or_default();
        let Some(bucket) = self.buckets.get(place).filter(|bucket| bucket.is_of(number)) else {
            return;
        };
        let counts = if treated { &bucket.treatment } else { &bucket.control };
        counts.answers.fetch_add(1, Ordering::Relaxed);
        if bad {
            counts.bad.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The answers of the minute before `now`, in microseconds by the same clock.
    #[must_use]
    pub fn rates(&self, now: i64) -> Rates {
        let newest = now.div_euclid(BUCKET);
        let oldest = newest.saturating_sub(BUCKETS as i64);
        let recent = self.buckets.iter().filter(|bucket| {
            let number = bucket.number.load(Ordering::Relaxed);
            oldest < number && number <= newest
        });
        recent.fold(Rates::default(), |sum, bucket| sum.with(&bucket.rates()))
    }

    /// The outage there is when the control had at least [`FEWEST`] answers in the last minute, and a part of [`BAD`] or more
    /// were errors. A few visitors who ask again and again can look like one; a rollout then waits, no more.
    #[must_use]
    pub fn shared_outage(&self, now: i64) -> Option<Outage> {
        let rates = self.rates(now);
        let fails = rates.control.answers >= FEWEST && rates.control.part() >= BAD;
        fails.then_some(Outage(rates))
    }
}

impl Bucket {
    /// Whether it is the bucket of this number; an older one becomes it, and begins empty.
    fn is_of(&self, number: i64) -> bool {
        let held = self.number.load(Ordering::Relaxed);
        if held >= number {
            return held == number;
        }
        if self.number.compare_exchange(held, number, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.control.clear();
            self.treatment.clear();
        }
        self.number.load(Ordering::Relaxed) == number
    }

    fn rates(&self) -> Rates {
        Rates { control: self.control.rate(), treatment: self.treatment.rate() }
    }
}

impl Counts {
    fn clear(&self) {
        self.answers.store(0, Ordering::Relaxed);
        self.bad.store(0, Ordering::Relaxed);
    }

    fn rate(&self) -> Rate {
        let answers = self.answers.load(Ordering::Relaxed);
        // they are counted one after the other, and never are more bad than there are
        Rate { answers, bad: self.bad.load(Ordering::Relaxed).min(answers) }
    }
}

impl Rate {
    /// The part that is bad, 0 to 1; 0 of none.
    #[must_use]
    pub fn part(&self) -> f64 {
        if self.answers == 0 { 0.0 } else { self.bad as f64 / self.answers as f64 }
    }

    fn with(self, other: Self) -> Self {
        Self { answers: self.answers + other.answers, bad: self.bad + other.bad }
    }

    fn words(&self) -> String {
        let (bad, all) = (thousands(self.bad as f64), thousands(self.answers as f64));
        format!("{bad} of {all} answers ({})", percent(self.part()))
    }
}

impl Rates {
    fn with(self, other: &Self) -> Self {
        Self { control: self.control.with(other.control), treatment: self.treatment.with(other.treatment) }
    }
}

impl Outage {
    /// The evidence in one sentence.
    #[must_use]
    pub fn words(&self) -> String {
        let (control, treatment) = (self.0.control.words(), self.0.treatment.words());
        format!("the control fails by itself: {control} in the last minute were errors, with the flag {treatment}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn fed(answers: u64, bad: u64, at: i64) -> ErrorRateWindow {
        let window = ErrorRateWindow::default();
        (0..answers).for_each(|n| window.answered(false, n < bad, at));
        window
    }

    #[test]
    fn an_outage_takes_enough_answers_and_enough_errors() {
        for (answers, bad, is_one) in
            [(19, 19, false), (20, 2, true), (20, 1, false), (1000, 99, false), (0, 0, false)]
        {
            let outage = fed(answers, bad, SECOND).shared_outage(2 * SECOND);
            assert_eq!(outage.is_some(), is_one, "{bad} of {answers}");
        }
        // the treatment alone is none
        let window = fed(100, 1, SECOND);
        (0..100).for_each(|_| window.answered(true, true, SECOND));
        assert_eq!(window.shared_outage(SECOND), None);
        assert_eq!(window.rates(SECOND).treatment, Rate { answers: 100, bad: 100 });
    }

    #[test]
    fn only_the_last_minute_counts() {
        for start in [-90 * SECOND, 0, 1_763_670_000 * SECOND] {
            let window = fed(30, 30, start);
            assert_eq!(window.rates(start + 59 * SECOND).control.answers, 30);
            assert_eq!(window.rates(start + 60 * SECOND), Rates::default());
            assert_eq!(window.rates(start - 10 * SECOND), Rates::default(), "the future is not the last minute");
            window.answered(false, false, start + 60 * SECOND);
            window.answered(false, true, start);
            assert_eq!(
                window.rates(start + 60 * SECOND).control,
                Rate { answers: 1, bad: 0 },
                "late answers are left out"
            );
        }
        let edges = ErrorRateWindow::default();
        for at in [i64::MAX, i64::MIN] {
            edges.answered(true, true, at);
            assert!(edges.rates(at).treatment.answers <= 1);
        }
    }

    #[test]
    fn an_outage_is_told_in_numbers() {
        let window = fed(400, 312, 0);
        (0..51).for_each(|n| window.answered(true, n < 40, 0));
        let words = window.shared_outage(0).unwrap().words();
        let told = "the control fails by itself: 312 of 400 answers (78 %) in the last minute were errors, with the flag 40 of 51 \
                    answers (78.4 %)";
        assert_eq!(words, told);
    }
}
