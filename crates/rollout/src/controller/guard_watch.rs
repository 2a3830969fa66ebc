//! The tests of one flag's guard, fed in the order in which the ledger numbers signs: so all programs that share it have the same tests.

use std::collections::HashMap;

use flagstaff_experiment::guard::{Evidence, GuardEvent, GuardTests, Seen, Sign};
use flagstaff_flags::{Definition, Flag};

/// The tests of one flag's guard, and what was seen here and still waits for its number.
#[derive(Debug)]
pub(crate) struct GuardWatch {
    tests: GuardTests,
    /// Of the flag that they fit.
    definition: Definition,
    /// The number up to which they were fed.
    fed: u64,
    /// Signs from here that they were not fed with.
    waiting: HashMap<(Sign, u128), Waiting>,
}

#[derive(Debug)]
struct Waiting {
    /// The order in which signs were seen here.
    at: i64,
    arm: u8,
    step: usize,
}

/// What becomes of a sign that was seen here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is new, and waits for its number.
    New,
    /// It is known, or says nothing.
    Passed,
    /// As many visitors as fit are remembered.
    Full,
    /// As many as may already wait.
    Dropped,
}

impl GuardWatch {
    /// One that has seen nothing; none without a guard.
    pub(crate) fn new(flag: &Flag) -> Option<Self> {
        let (definition, waiting) = (flag.definition, HashMap::new());
        Some(Self { tests: GuardTests::of(flag)?, definition, fed: 0, waiting })
    }

    /// Whether these are the tests of a definition.
    pub(crate) fn fits(&self, definition: Definition) -> bool {
        self.definition == definition
    }

    /// Takes a sign that was seen here, while fewer than `most` wait.
    pub(crate) fn take(&mut self, event: &GuardEvent, at: i64, most: usize) -> Taken {
        match self.tests.foresee(event) {
            Seen::Full => return Taken::Full,
            Seen::Again | Seen::Aside => return Taken::Passed,
            Seen::Counted | Seen::Alarm(_) => {}
        }
        let key = (event.sign.clone(), event.unit);
        if self.waiting.contains_key(&key) {
            return Taken::Passed;
        }
        if self.waiting.len() >= most {
            return Taken::Dropped;
        }
        self.waiting.insert(key, Waiting { at, arm: event.arm, step: event.step });
        Taken::New
    }

    /// The next signs of the ledger: those above one number and up to another. Those that do not follow on what is known are passed over:
    /// they were read before these tests began, and are read again.
    pub(crate) fn feed(&mut self, events: impl Iterator<Item = GuardEvent>, (after, up_to): (u64, u64)) {
        // the ledger is read from its beginning: it may be another one
        if after != 0 && after != self.fed {
            return;
        }
        self.fed = up_to;
        for event in events {
            self.tests.follow(&event);
            self.waiting.remove(&(event.sign, event.unit));
        }
    }

    /// Counts what was seen here without waiting for numbers: nobody else counts, or the ledger gives none now.
    pub(crate) fn feed_waiting(&mut self) {
        let mut waiting: Vec<_> = self.waiting.drain().collect();
        waiting.sort_unstable_by_key(|(_, waiting)| waiting.at);
        for ((sign, unit), Waiting { arm, step, .. }) in waiting {
            self.tests.follow(&GuardEvent { sign, arm, step, unit });
        }
    }

    /// The alarm that there is, if any.
    pub(crate) fn alarm(&self) -> Option<&Evidence> {
        self.tests.alarms().next()
    }

    /// What its tests rest on now.
    pub(crate) fn evidence(&self) -> Vec<Evidence> {
        self.tests.evidence()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::flag;

    fn event(unit: u128) -> GuardEvent {
        GuardEvent { sign: Sign::Error, arm: u8::from(!unit.is_multiple_of(3)), step: 0, unit }
    }

    fn fed(watch: &mut GuardWatch, numbers: std::ops::RangeInclusive<u64>) {
        let range = (numbers.start() - 1, *numbers.end());
        watch.feed(numbers.map(|number| event(number.into())), range);
    }

    /// Whatever a program saw itself, and in whatever pieces it hears of the others, its tests are those of all.
    #[test]
    fn tests_go_by_the_order_of_the_ledger() {
        let [mut all, mut pieces] = [0; 2].map(|_| GuardWatch::new(&flag(1)).unwrap());
        fed(&mut all, 1..=20);
        for unit in [7, 3, 90] {
            assert_eq!(pieces.take(&event(unit), 0, 9), Taken::New);
            assert_eq!(pieces.take(&event(unit), 0, 9), Taken::Passed, "once");
        }
        fed(&mut pieces, 1..=5);
        fed(&mut pieces, 7..=20);
        assert_ne!(pieces.evidence(), all.evidence(), "6 is missing, so these were of an earlier reading");
        fed(&mut pieces, 6..=6);
        fed(&mut pieces, 7..=20);
        assert_eq!(pieces.evidence(), all.evidence());
        fed(&mut pieces, 1..=20);
        assert_eq!(pieces.evidence(), all.evidence(), "another ledger, with the same signs");
        assert_eq!(pieces.take(&event(20), 0, 9), Taken::Passed, "the ledger has it");
        assert_eq!(pieces.waiting.len(), 1, "90 still waits for its number");
    }

    #[test]
    fn what_waits_is_bounded_and_can_be_counted_without_numbers() {
        let [mut waits, mut all] = [0; 2].map(|_| GuardWatch::new(&flag(1)).unwrap());
        let taken: Vec<_> = (1..=5).map(|unit| waits.take(&event(unit), -i64::try_from(unit).unwrap(), 4)).collect();
        assert_eq!(taken, [Taken::New, Taken::New, Taken::New, Taken::New, Taken::Dropped]);
        assert_eq!(waits.evidence()[0].treatment_visitors, 0);
        waits.feed_waiting();
        all.feed([4, 3, 2, 1].into_iter().map(event), (0, 4));
        assert_eq!(waits.evidence(), all.evidence());
        assert_eq!(waits.take(&event(5), 0, 4), Taken::New, "there is room again");
    }
}
