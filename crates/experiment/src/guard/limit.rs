//! From which time to first byte on an answer is slow.

use std::time::Duration;

/// Answers of the control after which its 95th percentile is frozen for the step.
pub const ENOUGH: usize = 200;

/// The part of the control's answers that are not slow.
const PART: f64 = 0.95;

/// Slower than a stated time, or than the control's 95th percentile at the start of the step. It is frozen there: the control
/// as it was, before anything is counted by it, cannot follow the treatment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit(State);

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Stated(Duration),
    Gathering(Vec<Duration>),
    Frozen(Duration),
}

impl Limit {
    /// The same for every step.
    #[must_use]
    pub const fn stated(limit: Duration) -> Self {
        Self(State::Stated(limit))
    }

    /// The control's 95th percentile, of its first [`ENOUGH`] answers in each step.
    #[must_use]
    pub const fn of_control() -> Self {
        Self(State::Gathering(Vec::new()))
    }

    /// A step begins: what was frozen is gathered anew.
    pub fn begin_step(&mut self) {
        if !matches!(self.0, State::Stated(_)) {
            *self = Self::of_control();
        }
    }

    /// An answer of the control, with its time to first byte.
    pub fn control_answered(&mut self, latency: Duration) {
        let State::Gathering(latencies) = &mut self.0 else {
            return;
        };
        latencies.push(latency);
        if latencies.len() < ENOUGH {
            return;
        }
        let place = (PART * ENOUGH as f64).ceil() as usize - 1;
        let (_, frozen, _) = latencies.select_nth_unstable(place.min(ENOUGH - 1));
        self.0 = State::Frozen(*frozen);
    }

    /// The limit, where there is one yet.
    #[must_use]
    pub const fn value(&self) -> Option<Duration> {
        match &self.0 {
            State::Stated(limit) | State::Frozen(limit) => Some(*limit),
            State::Gathering(_) => None,
        }
    }

    /// Whether an answer is slow; none is while there is no limit yet.
    #[must_use]
    pub fn is_slow(&self, latency: Duration) -> bool {
        self.value().is_some_and(|limit| latency > limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stated_limit_stays() {
        let mut limit = Limit::stated(Duration::from_millis(800));
        (0..1000).for_each(|_| limit.control_answered(Duration::from_secs(9)));
        limit.begin_step();
        assert_eq!(limit.value(), Some(Duration::from_millis(800)));
        assert!(limit.is_slow(Duration::from_millis(801)) && !limit.is_slow(Duration::from_millis(800)));
    }

    #[test]
    fn the_control_s_limit_is_frozen_once_per_step() {
        let mut limit = Limit::of_control();
        for ms in (1..ENOUGH as u64).rev() {
            limit.control_answered(Duration::from_millis(ms));
            assert!(!limit.is_slow(Duration::from_secs(3600)), "nobody is slow before it is frozen");
        }
        limit.control_answered(Duration::from_millis(ENOUGH as u64));
        // 190 of 1 to 200 are at most 190
        assert_eq!(limit.value(), Some(Duration::from_millis(190)));
        limit.control_answered(Duration::from_secs(9));
        assert_eq!(limit.value(), Some(Duration::from_millis(190)));
        limit.begin_step();
        assert_eq!(limit.value(), None);
    }
}
