//! How long a step has been held, by a clock that nobody sets.

use std::time::Duration;

use flagstaff_experiment::rollout::waited;
use flagstaff_flags::{Rollout, Standing};
use jiff::Timestamp;
use tokio::time::Instant;

/// Measures the hold of the present step: by the ledger's time until this program first looked, since then by a clock that nobody sets.
#[derive(Debug, Default)]
pub(crate) struct HoldClock(Option<Held>);

#[derive(Debug)]
struct Held {
    /// The epoch, the step, and when the step was entered.
    which: (u64, usize, Timestamp),
    /// So long, when this program first looked at it, and when that was.
    before: Duration,
    looked_at: Instant,
}

impl HoldClock {
    /// How long the present step has been held; nothing before the rollout starts.
    pub(crate) fn waited(&mut self, rollout: &Rollout, standing: &Standing, now: Timestamp) -> Duration {
        if rollout.start().is_some_and(|start| now < start) {
            return Duration::ZERO;
        }
        let which = (standing.epoch, standing.step, standing.since);
        let held = match self.0.take().filter(|held| held.which == which) {
            Some(held) => held,
            None => Held { which, before: waited(rollout, standing, now), looked_at: Instant::now() },
        };
        let waited = held.before.saturating_add(held.looked_at.elapsed());
        self.0 = Some(held);
        waited
    }
}

#[cfg(test)]
mod tests {
    use flagstaff_flags::{Definition, Fact, FactKind, Hold, Name, Percent, RolloutStep};
    use jiff::SignedDuration;

    use super::*;

    fn entered(at: Timestamp) -> Standing {
        let name = Name::new("checkout").unwrap();
        let (definition, by, why) = (Definition(1), String::new(), String::new());
        let fact =
            Fact { flag: name, number: 1, at, definition, kind: FactKind::Defined, step: 0, by, why, evidence: None };
        Standing::of(&[fact]).unwrap()
    }

    #[test]
    fn a_hold_uses_the_monotonic_clock() {
        let step = |percent, hold| RolloutStep { percent: Percent::new(percent).unwrap(), hold, min_visitors: None };
        let hour = Hold::For(Duration::from_secs(3600));
        let rollout = Rollout::new(None, vec![step(1.0, hour), step(100.0, Hold::End)]).unwrap();
        let start = Timestamp::now();
        let (mut clock, standing) = (HoldClock::default(), entered(start));
        let quarter = SignedDuration::from_mins(15);
        let is_quarter = |waited| waited >= Duration::from_secs(900) && waited < Duration::from_secs(1000);
        let waited = clock.waited(&rollout, &standing, start + quarter);
        assert!(is_quarter(waited), "a start within a hold: {waited:?}");
        for hours in [-1, 1] {
            let set = start + quarter + SignedDuration::from_hours(hours);
            let waited = clock.waited(&rollout, &standing, set);
            assert!(is_quarter(waited), "{hours} h: {waited:?}");
        }
        // a step that another program entered in what is the future here begins now
        let later = entered(start + SignedDuration::from_hours(1));
        assert!(HoldClock::default().waited(&rollout, &later, start) < Duration::from_secs(100));
    }
}
