//! The watch of a flag, as it is after what its guard saw before.

use flagstaff_flags::Flag;

use super::{GuardEvent, GuardTestSettings, GuardTests};

impl GuardTestSettings {
    /// What a flag's guard watches; none without a guard.
    #[must_use]
    pub fn of(flag: &Flag) -> Option<Self> {
        let guard = flag.guard.as_ref()?;
        let arms = if flag.variants.are_named() {
            flag.variants.weights().map(|(id, _)| flag.variants.name(id).to_owned()).collect()
        } else {
            vec!["off".into(), "on".into()]
        };
        Some(Self {
            arms,
            errors: guard.errors.is_some(),
            slow: guard.slower_than.is_some(),
            goals: guard.goals.iter().map(ToString::to_string).collect(),
            false_alarm: guard.false_alarm(),
        })
    }
}

impl GuardTests {
    /// The watch of a flag at a step (from 0) that saw these events, the earliest first. The same events make the same watch. None
    /// without a guard, or where there is nothing to compare or to look at.
    #[must_use]
    pub fn replay(flag: &Flag, step: usize, events: &[GuardEvent]) -> Option<Self> {
        Self::replay_with(flag, step, events, |_, _| ())
    }

    /// The same, for one who wants to see the watch after each event, the first being number 1.
    #[must_use]
    pub fn replay_with(
        flag: &Flag,
        step: usize,
        events: &[GuardEvent],
        mut seen: impl FnMut(usize, &Self),
    ) -> Option<Self> {
        let mut watch = Self::new(GuardTestSettings::of(flag)?).ok()?;
        // every step is known before the first event: a request of an earlier step may end after one of a later step
        let steps = flag.rollout.as_ref().map_or(1, |rollout| rollout.steps().len());
        let first = events.first().map_or(step, |event| event.step.min(step));
        for begun in (0..=step).take(steps).chain([first]) {
            watch.begin_step(begun, &shares(flag, begun));
        }
        let mut now = first;
        for (number, event) in (1..).zip(events) {
            // events of requests that began before a step may come after it
            if event.step > now {
                now = event.step;
                watch.begin_step(now, &shares(flag, now));
            }
            watch.observe(event);
            seen(number, &watch);
        }
        watch.begin_step(step, &shares(flag, step));
        Some(watch)
    }
}

/// Shares of the arms at a step, the control first.
fn shares(flag: &Flag, step: usize) -> Vec<f64> {
    flag.shares(step).into_iter().map(f64::from).collect()
}

#[cfg(test)]
mod tests {
    use flagstaff_flags::{Guard, Hold, Name, Percent, Rollout, RolloutStep, StatusSet};

    use super::*;
    use crate::guard::{Seen, Sign};

    fn flag() -> Flag {
        let step = |percent| RolloutStep {
            percent: Percent::new(percent).unwrap(),
            hold: Hold::Approval,
            min_visitors: None,
        };
        let mut guard = Guard::new(0.01).unwrap();
        guard.errors = Some(StatusSet::new("5xx").unwrap());
        let rollout = Rollout::new(None, [1.0, 10.0, 50.0].map(step).into()).unwrap();
        Flag { rollout: Some(rollout), guard: Some(guard), ..Flag::new(Name::new("checkout").unwrap()) }
    }

    /// What is read again is what was seen, also where requests of an earlier step end later.
    #[test]
    fn events_that_are_read_again_make_the_same_watch() {
        let flag = flag();
        for steps in [[0, 0, 1, 1, 2], [1, 0, 1, 2, 0], [2, 2, 1, 0, 2], [0, 2, 2, 1, 2], [2, 2, 2, 2, 2]] {
            let mut live = GuardTests::replay(&flag, 0, &[]).unwrap();
            let mut now = 0;
            let mut events = Vec::new();
            for (at, step) in (0..).zip(steps) {
                for begun in now + 1..=step {
                    live.begin_step(begun, &shares(&flag, begun));
                }
                now = now.max(step);
                let event = GuardEvent { sign: Sign::Error, arm: u8::from(at % 2 == 0), step, unit: at };
                assert_eq!(live.observe(&event), Seen::Counted);
                events.push(event);
            }
            assert_eq!(GuardTests::replay(&flag, now, &events).unwrap().evidence(), live.evidence(), "{steps:?}");
        }
    }
}
