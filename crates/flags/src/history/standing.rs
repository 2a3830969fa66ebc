//! The state that its facts leave a flag in.

use jiff::Timestamp;

use super::fact::{Fact, FactKind};
use crate::{Definition, Flag};

/// The state that its facts leave a flag in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The number of the newest fact: the next one has one more.
    pub number: u64,
    /// The definition that holds.
    pub definition: Definition,
    /// The number of the fact with which it began: its first sight, an edit or a reset. Evidence counts from there.
    pub epoch: u64,
    /// The time of that.
    pub began: Timestamp,
    /// The step of its rollout, from 0; the number of steps once all are behind it.
    pub step: usize,
    /// All steps are behind it.
    pub is_done: bool,
    /// The time at which that step was entered.
    pub since: Timestamp,
    /// A person keeps it at its step.
    pub paused: bool,
    /// Its guard rolled it back.
    pub trip: Option<Fact>,
    /// Definitions that it had before, without the present one: a program with an older file still has one of them.
    pub earlier: Vec<Definition>,
    /// Earlier definitions that were rolled back and never came again.
    pub tripped_before: Vec<Definition>,
    /// Its guard holds it where it is.
    pub hold: Option<Fact>,
    /// Its guard would have tripped.
    pub observed: Option<Fact>,
    /// The last recorded reason why its step does not go on.
    pub inconclusive: Option<Fact>,
    /// It is recorded that this step waits for an approval.
    pub approval_told: bool,
    /// It is recorded that it expired.
    pub expired_told: bool,
    /// It is no longer in the file.
    pub removed: bool,
    /// A person switched it off beside its file.
    pub switched_off: Option<Fact>,
    /// The file's `enabled`, as recorded last; none when nothing was recorded.
    pub enabled: Option<bool>,
    /// The number of the fact since which variants that visitors drew are remembered: its last reset, or the end of its last rollback;
    /// 0 without either. What was drawn before is void: that variant was taken from them.
    pub remembers_since: u64,
}

impl Standing {
    /// The state after these facts, in the order of their numbers; `None` without any.
    #[must_use]
    pub fn of<'a>(facts: impl IntoIterator<Item = &'a Fact>) -> Option<Self> {
        let mut facts = facts.into_iter().peekable();
        // a ledger that lost the first ones still says what the rest do
        let mut standing = Self::from(*facts.peek()?);
        facts.for_each(|fact| standing.add(fact));
        Some(standing)
    }

    /// The step as people count them, from 1; the last one once all are behind it.
    #[must_use]
    pub const fn shown_step(&self) -> usize {
        if self.is_done { self.step } else { self.step + 1 }
    }

    /// Whether this is where a flag stands as its file says it.
    #[must_use]
    pub fn is_about(&self, flag: &Flag) -> bool {
        !self.removed && [flag.definition, flag.former_definition].contains(&self.definition)
    }

    /// Whether the flag was once as its file says it: now, or at any time before.
    #[must_use]
    pub fn has_had(&self, flag: &Flag) -> bool {
        let both = [flag.definition, flag.former_definition];
        both.contains(&self.definition) || self.earlier.iter().any(|earlier| both.contains(earlier))
    }

    /// Whether a guard or a person stopped it.
    #[must_use]
    pub const fn is_stopped(&self) -> bool {
        self.trip.is_some() || self.hold.is_some() || self.switched_off.is_some() || self.paused
    }

    /// Takes over what only facts before its first one said.
    pub fn inherit(&mut self, before: &Self) {
        let is_other = |one: &Definition| *one != self.definition;
        self.earlier.extend(before.earlier.iter().copied().filter(is_other));
        self.tripped_before.extend(before.tripped_before.iter().copied().filter(is_other));
        self.remembers_since = self.remembers_since.max(before.remembers_since);
    }

    /// Adds the next fact.
    pub fn add(&mut self, fact: &Fact) {
        self.number = fact.number;
        match fact.kind {
            FactKind::Defined | FactKind::Changed | FactKind::Reset => self.begin(fact),
            FactKind::Removed => self.removed = true,
            FactKind::Step | FactKind::Done => {
                (self.step, self.since) = (fact.step, fact.at);
                self.is_done = fact.kind == FactKind::Done;
                (self.approval_told, self.inconclusive) = (false, None);
            }
            FactKind::ApprovalNeeded => self.approval_told = true,
            FactKind::Paused => self.paused = true,
            FactKind::Resumed => self.paused = false,
            FactKind::Inconclusive => self.inconclusive = Some(fact.clone()),
            FactKind::Recovered => self.inconclusive = None,
            FactKind::Tripped => self.trip = Some(fact.clone()),
            FactKind::Held => self.hold = Some(fact.clone()),
            FactKind::Observed => self.observed = Some(fact.clone()),
            FactKind::Expired => self.expired_told = true,
            FactKind::SwitchedOff => (self.switched_off, self.enabled) = (Some(fact.clone()), Some(false)),
            FactKind::Disabled => self.enabled = Some(false),
            FactKind::SwitchedOn | FactKind::Enabled => self.go_on(fact),
            FactKind::Continued => self.continue_as(fact.definition),
            FactKind::Unknown => {}
        }
    }

    /// It is on again: at the step where it was, and the time of that step starts again.
    fn go_on(&mut self, fact: &Fact) {
        (self.switched_off, self.enabled) = (None, Some(true));
        self.since = fact.at;
        (self.approval_told, self.inconclusive) = (false, None);
    }

    /// Goes on as it was, under another fingerprint of the same definition or after it was out of the file.
    fn continue_as(&mut self, definition: Definition) {
        self.removed = false;
        for before in [&mut self.tripped_before, &mut self.earlier] {
            before.retain(|before| *before != definition);
        }
        self.definition = definition;
    }

    /// Starts again. A definition that was rolled back stays so wherever it is still in force, as it is on programs that do not
    /// have the new file yet.
    fn begin(&mut self, fact: &Fact) {
        let mut tripped = std::mem::take(&mut self.tripped_before);
        tripped.extend(self.trip.as_ref().map(|_| self.definition));
        tripped.retain(|definition| *definition != fact.definition);
        tripped.dedup();
        let mut earlier = std::mem::take(&mut self.earlier);
        earlier.push(self.definition);
        earlier.retain(|definition| *definition != fact.definition);
        let (switched_off, enabled) = (self.switched_off.take(), self.enabled);
        let starts_again = fact.kind == FactKind::Reset || self.trip.is_some();
        // a ledger that lost its facts counts from 1 again
        let remembers_since = self.remembers_since;
        let remembers_since = if starts_again { fact.number.max(remembers_since + 1) } else { remembers_since };
        *self = Self { remembers_since, ..Self::from(fact) };
        (self.tripped_before, self.earlier) = (tripped, earlier);
        if fact.kind == FactKind::Reset {
            // a rollout that starts again does not switch its flag on
            (self.switched_off, self.enabled) = (switched_off, enabled);
        }
    }
}

/// A flag that starts, again or for the first time, with this fact.
impl From<&Fact> for Standing {
    fn from(fact: &Fact) -> Self {
        Self {
            number: fact.number,
            definition: fact.definition,
            epoch: fact.number,
            began: fact.at,
            step: fact.step,
            is_done: false,
            since: fact.at,
            paused: false,
            trip: None,
            earlier: Vec::new(),
            tripped_before: Vec::new(),
            hold: None,
            observed: None,
            inconclusive: None,
            approval_told: false,
            expired_told: false,
            removed: false,
            switched_off: None,
            enabled: None,
            remembers_since: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Name;

    fn recorded(kinds: &[(FactKind, u64, usize)]) -> Vec<Fact> {
        let fact = |(number, (kind, definition, step)): (u64, &(FactKind, u64, usize))| Fact {
            flag: Name::new("checkout").unwrap(),
            number,
            at: Timestamp::from_second(number.cast_signed()).unwrap(),
            definition: Definition(*definition),
            kind: *kind,
            step: *step,
            by: "test".into(),
            why: String::new(),
            evidence: None,
        };
        (1..).zip(kinds).map(fact).collect()
    }

    #[test]
    fn nothing_leaves_nothing() {
        assert_eq!(Standing::of(&[]), None);
    }

    #[test]
    fn a_trip_stays_until_an_edit_or_a_reset() {
        use FactKind::{Changed, Defined, Reset, Step, Tripped};
        let history = recorded(&[(Defined, 7, 0), (Step, 7, 1), (Tripped, 7, 1)]);
        let standing = Standing::of(&history).unwrap();
        assert_eq!(standing.trip.as_ref().map(|fact| fact.number), Some(3));
        assert_eq!((standing.number, standing.epoch, standing.step), (3, 1, 1));
        for end in [(Changed, 8, 0), (Reset, 7, 0)] {
            let history = recorded(&[(Defined, 7, 0), (Step, 7, 1), (Tripped, 7, 1), end]);
            let standing = Standing::of(&history).unwrap();
            assert_eq!((&standing.trip, standing.step, standing.epoch), (&None, 0, 4));
            assert_eq!(standing.definition, Definition(end.1));
            assert_eq!(standing.remembers_since, 4, "the variant was taken from those who had drawn it");
        }
    }

    #[test]
    fn what_was_drawn_is_remembered_through_edits_and_forgotten_by_a_reset() {
        use FactKind::{Changed, Defined, Removed, Reset, Step, Tripped};
        let since = |kinds: &[_]| Standing::of(&recorded(kinds)).unwrap().remembers_since;
        assert_eq!(since(&[(Defined, 7, 0), (Step, 7, 1), (Changed, 8, 0), (Step, 8, 1)]), 0);
        assert_eq!(since(&[(Defined, 7, 0), (Step, 7, 1), (Reset, 7, 0), (Step, 7, 1), (Changed, 8, 0)]), 3);
        assert_eq!(since(&[(Defined, 7, 0), (Tripped, 7, 0), (Removed, 7, 0), (Defined, 7, 0)]), 4);
        let mut late = Standing::of(&recorded(&[(Defined, 7, 0)])).unwrap();
        late.inherit(&Standing::of(&recorded(&[(Defined, 7, 0), (Reset, 7, 0)])).unwrap());
        assert_eq!(late.remembers_since, 2);
    }

    #[test]
    fn a_definition_that_was_rolled_back_stays_so_until_it_comes_again() {
        use FactKind::{Changed, Defined, Step, Tripped, Unknown};
        let history = recorded(&[(Defined, 7, 0), (Tripped, 7, 0), (Changed, 8, 0), (Unknown, 8, 0), (Step, 8, 1)]);
        let standing = Standing::of(&history).unwrap();
        assert_eq!((&standing.trip, standing.tripped_before.as_slice()), (&None, &[Definition(7)][..]));
        assert_eq!((standing.step, standing.number), (1, 5), "an unknown fact says nothing");
        let history = recorded(&[(Defined, 7, 0), (Tripped, 7, 0), (Changed, 8, 0), (Changed, 7, 0)]);
        assert!(Standing::of(&history).unwrap().tripped_before.is_empty());
    }

    #[test]
    fn a_ledger_that_lost_the_first_facts_says_what_the_rest_do() {
        use FactKind::{Step, Tripped};
        let rest = recorded(&[(Step, 7, 3), (Tripped, 7, 3)]);
        let standing = Standing::of(&rest).unwrap();
        assert_eq!((standing.step, standing.trip.is_some()), (3, true));
    }

    #[test]
    fn off_stays_until_it_is_on_again_or_edited() {
        use FactKind::{Changed, Defined, Enabled, Held, Reset, Step, SwitchedOff, SwitchedOn};
        let history = recorded(&[(Defined, 7, 0), (Step, 7, 2), (SwitchedOff, 7, 2), (Held, 7, 2)]);
        assert_eq!(Standing::of(&history).unwrap().switched_off.map(|fact| fact.number), Some(3));
        let after = |kind, definition| {
            let history = recorded(&[(Defined, 7, 0), (Step, 7, 2), (SwitchedOff, 7, 2), (kind, definition, 2)]);
            Standing::of(&history).unwrap()
        };
        assert!(after(Reset, 7).switched_off.is_some(), "a reset is no switch");
        assert!(after(Changed, 8).switched_off.is_none());
        for on in [after(SwitchedOn, 7), after(Enabled, 7)] {
            assert_eq!((&on.switched_off, on.step, on.epoch), (&None, 2, 1), "at the step where it was");
            assert_eq!(on.since.as_second(), 4, "whose time begins anew");
        }
    }

    #[test]
    fn the_same_definition_under_another_fingerprint_goes_on() {
        use FactKind::{Changed, Continued, Defined, Step, Tripped};
        let history = recorded(&[(Defined, 7, 0), (Step, 7, 2), (Tripped, 7, 2), (Continued, 9, 2)]);
        let standing = Standing::of(&history).unwrap();
        assert_eq!((standing.definition, standing.step, standing.epoch), (Definition(9), 2, 1));
        assert!(standing.trip.is_some());
        let history = recorded(&[(Defined, 7, 0), (Tripped, 7, 2), (Continued, 9, 2), (Changed, 8, 0)]);
        assert_eq!(Standing::of(&history).unwrap().tripped_before, [Definition(9)]);
    }

    #[test]
    fn a_step_is_a_new_chance() {
        use FactKind::{ApprovalNeeded, Defined, Inconclusive, Step};
        let mut history = recorded(&[(Defined, 7, 0), (Inconclusive, 7, 0), (ApprovalNeeded, 7, 0)]);
        let standing = Standing::of(&history).unwrap();
        assert!(standing.approval_told && standing.inconclusive.is_some());
        history.extend(recorded(&[(Step, 7, 1)]));
        let standing = Standing::of(&history).unwrap();
        assert!(!standing.approval_told && standing.inconclusive.is_none());
    }

    #[test]
    fn a_flag_that_comes_back_begins_anew() {
        use FactKind::{Changed, Defined, Paused, Removed};
        let mut history = recorded(&[(Defined, 7, 0), (Paused, 7, 0), (Removed, 7, 0)]);
        assert!(Standing::of(&history).unwrap().removed);
        history.extend(recorded(&[(Changed, 7, 0)]));
        let standing = Standing::of(&history).unwrap();
        assert!(!standing.removed && !standing.paused);
    }
}
