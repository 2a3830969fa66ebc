//! From which time to first byte on an answer is slow.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::networks::{NetworkKey, Quota};

/// Answers of the control after which its 95th percentile is frozen for the step.
pub const ENOUGH: usize = 200;

/// The part of the control's answers that are not slow.
const PART: f64 = 0.95;

/// Answers of a network that is limited: half as many as lie above the percentile, so it cannot say where that lies.
const LIMITED: u32 = 5;

/// Slower than a stated time, or than the control's 95th percentile at the start of the step. It is frozen there: the control
/// as it was, before anything is counted by it, cannot follow the treatment. Each step has one of its own.
#[derive(Debug)]
pub struct Limit(LimitSource);

#[derive(Debug)]
enum LimitSource {
    Stated(Duration),
    OfControl { latencies_so_far: Mutex<ControlLatencies>, frozen: OnceLock<Duration> },
}

#[derive(Debug, Default)]
struct ControlLatencies {
    latencies: Vec<Duration>,
    quota: Quota,
}

impl Limit {
    /// A stated time.
    #[must_use]
    pub const fn stated(limit: Duration) -> Self {
        Self(LimitSource::Stated(limit))
    }

    /// The control's 95th percentile, of its first [`ENOUGH`] answers.
    #[must_use]
    pub fn of_control() -> Self {
        Self(LimitSource::OfControl { latencies_so_far: Mutex::default(), frozen: OnceLock::new() })
    }

    /// An answer of the control, with its time to first byte. Of a network that is limited, few count.
    pub fn control_answered(&self, latency: Duration, limited: impl FnOnce() -> Option<NetworkKey>) {
        let LimitSource::OfControl { latencies_so_far, frozen } = &self.0 else { return };
        if frozen.get().is_some() {
            return;
        }
        let limited = limited();
        let mut latencies_so_far = latencies_so_far.lock().unwrap_or_else(PoisonError::into_inner);
        latencies_so_far.add(latency, limited);
        if latencies_so_far.latencies.len() >= ENOUGH {
            frozen.get_or_init(|| latencies_so_far.percentile());
        }
    }

    /// The limit, where there is one yet.
    #[must_use]
    pub fn value(&self) -> Option<Duration> {
        match &self.0 {
            LimitSource::Stated(limit) => Some(*limit),
            LimitSource::OfControl { frozen, .. } => frozen.get().copied(),
        }
    }

    /// Whether an answer is slow; none is while there is no limit yet.
    #[must_use]
    pub fn is_slow(&self, latency: Duration) -> bool {
        self.value().is_some_and(|limit| latency > limit)
    }
}

impl ControlLatencies {
    fn add(&mut self, latency: Duration, limited: Option<NetworkKey>) {
        if self.latencies.len() < ENOUGH && self.quota.has_room(limited, LIMITED) {
            self.quota.brought(limited);
            self.latencies.push(latency);
        }
    }

    fn percentile(&mut self) -> Duration {
        let place = (PART * ENOUGH as f64).ceil() as usize - 1;
        let (_, frozen, _) = self.latencies.select_nth_unstable(place.min(ENOUGH - 1));
        *frozen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stated_limit_stays() {
        let limit = Limit::stated(Duration::from_millis(800));
        (0..1000).for_each(|_| limit.control_answered(Duration::from_secs(9), || None));
        assert_eq!(limit.value(), Some(Duration::from_millis(800)));
        assert!(limit.is_slow(Duration::from_millis(801)) && !limit.is_slow(Duration::from_millis(800)));
    }

    #[test]
    fn the_control_s_limit_is_frozen_once() {
        let limit = Limit::of_control();
        for ms in (1..ENOUGH as u64).rev() {
            limit.control_answered(Duration::from_millis(ms), || None);
            assert!(!limit.is_slow(Duration::from_secs(3600)), "nobody is slow before it is frozen");
        }
        limit.control_answered(Duration::from_millis(ENOUGH as u64), || None);
        // 190 of 1 to 200 are at most 190
        assert_eq!(limit.value(), Some(Duration::from_millis(190)));
        limit.control_answered(Duration::from_secs(9), || None);
        assert_eq!(limit.value(), Some(Duration::from_millis(190)));
    }

    #[test]
    fn one_network_does_not_set_the_latency_limit() {
        let limit = Limit::of_control();
        (0..1000).for_each(|_| limit.control_answered(Duration::from_secs(60), || Some(NetworkKey(1))));
        assert_eq!(limit.value(), None);
        (0..195).for_each(|_| limit.control_answered(Duration::from_millis(5), || None));
        assert_eq!(limit.value(), Some(Duration::from_millis(5)));
    }
}
