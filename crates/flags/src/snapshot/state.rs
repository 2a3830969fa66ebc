//! All that decides besides the subject, as one number.

use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;

use crate::{Conditions, Rollout, Snapshot};

impl Snapshot {
    /// A number that changes when flags may be decided in another way: with the text they were made from, with what is recorded of them,
    /// and with the time, by steps of rollouts and conditions on dates. Versions of the program differ in it.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> u64 {
        let mut state = DefaultHasher::new();
        self.revision().hash(&mut state);
        for id in self.ids() {
            self.share(id, now).thousandths().hash(&mut state);
            self.fact(id).hash(&mut state);
        }
        for time in self.dates() {
            (now >= time).hash(&mut state);
        }
        state.finish()
    }

    /// The times at which flags begin to be decided in another way by themselves: those of conditions, and the starts of rollouts.
    pub fn turns(&self) -> impl Iterator<Item = Timestamp> {
        let rollouts = self.flags().iter().filter_map(|flag| flag.rollout.as_ref());
        self.dates().chain(rollouts.filter_map(Rollout::start))
    }

    fn dates(&self) -> impl Iterator<Item = Timestamp> {
        let rules = self.flags().iter().flat_map(|flag| &flag.rules).map(|rule| &rule.when);
        let segments = self.segments.iter().flat_map(|segment| &segment.any);
        rules.chain(segments).flat_map(Conditions::times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Condition, Definition, Flag, Name, RecordedFacts, Rule, Serve};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn snapshot(revision: &str, rules: Vec<Rule>) -> Snapshot {
        let flag = Flag { rules, ..Flag::new(Name::new("f").unwrap()) };
        Snapshot::new(revision, vec![flag], vec![], vec![], vec![]).unwrap()
    }

    #[test]
    fn changes_with_text_facts_and_dates() {
        let day = at("2026-06-01T00:00:00Z");
        let first = snapshot("a", vec![]);
        assert_eq!(
            first.state(day),
            snapshot("a", vec![]).state(at("2027-06-01T00:00:00Z")),
            "time alone is no change"
        );
        assert_ne!(first.state(day), snapshot("b", vec![]).state(day));
        let tripped = vec![(Name::new("f").unwrap(), Definition(0))];
        let facts = RecordedFacts { tripped, ..RecordedFacts::default() };
        assert_ne!(first.state(day), first.with_facts(&facts).state(day));
        let off = vec![(Name::new("g").unwrap(), "somebody".to_owned())];
        let other = RecordedFacts { switched_off: off, ..RecordedFacts::default() };
        assert_eq!(first.state(day), first.with_facts(&other).state(day), "a fact about no flag of these");
        let dated = |condition| {
            let when = Conditions(vec![Condition::Not(Box::new(condition))]);
            snapshot("a", vec![Rule::new(when, Serve::OFF)])
        };
        for condition in [Condition::After(day), Condition::Before(day)] {
            let dated = dated(condition);
            assert_ne!(dated.state(at("2026-05-31T23:59:59Z")), dated.state(day));
            assert_eq!(dated.state(day), dated.state(at("2026-06-02T00:00:00Z")));
        }
    }
}
