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
    /// The watch of a flag before its first event; every step is known, as a request of an earlier step may end after one of a later
    /// step. None without a guard, or where there is nothing to compare or to look at.
    #[must_use]
    pub fn of(flag: &Flag) -> Option<Self> {
        let mut watch = Self::new(GuardTestSettings::of(flag)?).ok()?;
        // once all steps are behind it, a flag is at one more
        let steps = flag.rollout.as_ref().map_or(0, |rollout| rollout.steps().len());
        for step in (0..=steps).chain([0]) {
            watch.begin_step(step, &shares(flag, step));
        }
        Some(watch)
    }

    /// The watch of a flag at a step (from 0) that saw these events, the earliest first. The same events make the same watch. None
    /// as with [`GuardTests::of`].
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
        let mut watch = Self::of(flag)?;
        for (number, event) in (1..).zip(events) {
            watch.follow(event);
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

    /// What is read again is what was seen, also where requests of an earlier step end later, and whenever one who sees the events as
    /// they come heard of a step.
    #[test]
    fn events_that_are_read_again_make_the_same_watch() {
        let flag = flag();
        for steps in [[0, 0, 1, 1, 2], [1, 0, 1, 2, 0], [2, 2, 1, 0, 2], [0, 2, 2, 1, 2], [2, 2, 2, 2, 2]] {
            let mut live = GuardTests::of(&flag).unwrap();
            let mut now = 0;
            let mut events = Vec::new();
            for (at, step) in (0..).zip(steps) {
                now = now.max(step);
                let event = GuardEvent { sign: Sign::Error, arm: u8::from(at % 2 == 0), step, unit: at };
                assert_eq!(live.foresee(&event), Seen::Counted);
                assert_eq!(live.follow(&event), Seen::Counted);
                assert_eq!(live.foresee(&event), Seen::Again);
                events.push(event);
            }
            assert_eq!(GuardTests::replay(&flag, now, &events).unwrap().evidence(), live.evidence(), "{steps:?}");
        }
    }
}
