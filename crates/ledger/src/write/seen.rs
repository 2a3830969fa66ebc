//! What this process has recorded already: it keeps repeats off the queue.

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};

use flagstaff_flags::{ExperimentId, VariantId};
use quick_cache::sync::Cache;

use crate::store::name::{hash, stored_name};

/// Pages of one unit that can tell a bounce.
const PAGES: u8 = 2;

/// Experiments and goals whose notes can be found again by their unit. Only flags make new ones, so there are never as many.
const MOST_KINDS: usize = 100_000;

pub(crate) struct SeenSet {
    known: Cache<Key, Note>,
    /// All that there are notes of, so that those of one unit are found.
    kinds: RwLock<HashSet<NoteKind>>,
}

/// 128 bits of a unit's name: two units that share them are not to be expected in the life of a machine.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    unit: u128,
    kind: NoteKind,
}

/// What a note is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum NoteKind {
    Exposure(ExperimentId),
    Visitor,
    Pages,
    Goal(u128),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Note {
    Exposed {
        variant: u8,
        confirmed: bool,
        crossed: bool,
    },
    /// A visitor whose cookie came back.
    Returned {
        /// What the last request exposed the visitor to, where all of it is known.
        told: Option<Exposures>,
    },
    Pages(u8),
    /// How often a goal was reached on a day.
    Reached {
        day: i64,
        times: u32,
    },
}

impl SeenSet {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { known: Cache::new(capacity.max(1)), kinds: RwLock::default() }
    }

    fn insert(&self, key: Key, note: Note) {
        if !self.kinds.read().unwrap_or_else(PoisonError::into_inner).contains(&key.kind) {
            let mut kinds = self.kinds.write().unwrap_or_else(PoisonError::into_inner);
            if kinds.len() >= MOST_KINDS {
                kinds.clear();
                self.known.clear();
            }
            kinds.insert(key.kind);
        }
        self.known.insert(key, note);
    }

    /// Runs `send` unless the exposure tells nothing new, and remembers it when that succeeds. Returns whether it is known now.
    pub(crate) fn exposed(
        &self,
        trial: ExperimentId,
        UnitHash(unit): UnitHash,
        variant: u8,
        confirmed: bool,
        send: impl FnOnce() -> bool,
    ) -> bool {
        let key = Key { unit, kind: NoteKind::Exposure(trial) };
        let new = match self.known.get(&key) {
            Some(Note::Exposed { crossed: true, .. }) => return true,
            Some(Note::Exposed { variant: before, confirmed: was, .. }) => {
                // where the visitor's cookie came back, that confirms what was recorded before
                let is_new = confirmed && !was && !self.has_returned(unit);
                if before == variant && !is_new {
                    return true;
                }
                Note::Exposed { variant: before, confirmed: was || confirmed, crossed: before != variant }
            }
            _ => Note::Exposed { variant, confirmed, crossed: false },
        };
        let sent = send();
        if sent {
            self.insert(key, new);
            // pages are counted from the exposure on
            self.known.remove(&Key { unit, kind: NoteKind::Pages });
        }
        sent
    }

    /// Runs `send` the first time a visitor's cookie comes back. Returns whether that is known now.
    pub(crate) fn returned(&self, UnitHash(unit): UnitHash, send: impl FnOnce() -> bool) -> bool {
        if self.has_returned(unit) {
            return true;
        }
        let sent = send();
        if sent {
            self.insert(Key { unit, kind: NoteKind::Visitor }, Note::Returned { told: None });
        }
        sent
    }

    fn has_returned(&self, unit: u128) -> bool {
        self.known.get(&Key { unit, kind: NoteKind::Visitor }).is_some()
    }

    /// Whether a visitor came back and all of this was told by the visitor's last request.
    pub(crate) fn has_told(&self, UnitHash(unit): UnitHash, exposures: Exposures) -> bool {
        let note = self.known.get(&Key { unit, kind: NoteKind::Visitor });
        matches!(note, Some(Note::Returned { told: Some(told) }) if told == exposures)
    }

    /// Remembers that all of this is known of a visitor who came back.
    pub(crate) fn told(&self, UnitHash(unit): UnitHash, exposures: Exposures) {
        self.insert(Key { unit, kind: NoteKind::Visitor }, Note::Returned { told: Some(exposures) });
    }

    /// Runs `send` for as many pages after an exposure as can tell a bounce.
    pub(crate) fn page(&self, UnitHash(unit): UnitHash, send: impl FnOnce() -> bool) {
        let key = Key { unit, kind: NoteKind::Pages };
        let pages = match self.known.get(&key) {
            Some(Note::Pages(pages)) => pages,
            _ => 0,
        };
        if pages < PAGES && send() {
            self.insert(key, Note::Pages(pages + 1));
        }
    }

    /// Counts that a unit reached a goal. Returns whether that was not more often than `most` on this day.
    pub(crate) fn reaches(&self, goal: &str, UnitHash(unit): UnitHash, day: i64, most: u32) -> bool {
        let key = Key { unit, kind: NoteKind::Goal(hash(goal)) };
        let before = match self.known.get(&key) {
            Some(Note::Reached { day: noted, times }) if noted == day => times,
            _ => 0,
        };
        if before < most {
            self.insert(key, Note::Reached { day, times: before + 1 });
        }
        before < most
    }

    /// Forgets everything about one unit, and nothing of any other.
    pub(crate) fn forget(&self, unit: u128) {
        let kinds = self.kinds.read().unwrap_or_else(PoisonError::into_inner);
        for kind in kinds.iter() {
            self.known.remove(&Key { unit, kind: *kind });
        }
    }

    /// Forgets everything: the store is another one.
    pub(crate) fn clear(&self) {
        self.known.clear();
    }
}

/// Which variants of which experiments one request exposes a visitor to, in 64 bits. Two lists differ in them but by a chance that is not
/// to be expected: the id of an experiment is a good hash itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Exposures(u64);

impl Exposures {
    /// These and one more.
    #[must_use]
    pub(crate) const fn and(self, trial: ExperimentId, variant: VariantId) -> Self {
        /// Odd, with its ones and zeros mixed: the golden ratio.
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        let one = trial.as_u64().wrapping_add(variant.index() as u64 + 1);
        Self((self.0 ^ one).wrapping_mul(FACTOR).rotate_left(29))
    }
}

/// The hash of a unit's name as stores keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnitHash(u128);

impl UnitHash {
    pub(crate) fn of(unit: &str) -> Self {
        Self(hash(&stored_name(unit)))
    }
}

#[cfg(test)]
mod tests {
    use flagstaff_flags::{Flag, Name, Percent, Snapshot};

    use super::*;

    fn half(name: &str) -> Flag {
        Flag { percent: Some(Percent::from_thousandths(50_000)), ..Flag::new(Name::new(name).unwrap()) }
    }

    #[test]
    fn only_what_is_new_is_sent() {
        let seen = SeenSet::new(100);
        let mut sent = Vec::new();
        let mut meet = |unit: &str, variant, confirmed, taken| {
            let mut was_sent = false;
            seen.exposed(ExperimentId::default(), UnitHash::of(unit), variant, confirmed, || {
                was_sent = true;
                taken
            });
            sent.push(was_sent);
        };
        meet("a", 0, false, false); // the queue was full: it is tried again
        meet("a", 0, false, true);
        meet("a", 0, false, true);
        meet("a", 0, true, true); // confirmed
        meet("a", 0, false, true);
        meet("a", 1, true, true); // crossed
        meet("a", 0, true, true);
        meet("b", 1, true, true);
        assert_eq!(sent, [true, true, false, true, false, true, false, true]);
    }

    #[test]
    fn a_cookie_that_came_back_confirms_what_was_known() {
        let seen = SeenSet::new(100);
        let [known, stranger] = ["a", "b"].map(UnitHash::of);
        let is_sent = |unit, variant, confirmed| {
            let mut is_sent = false;
            assert!(seen.exposed(ExperimentId::default(), unit, variant, confirmed, || {
                is_sent = true;
                true
            }));
            is_sent
        };
        assert!(is_sent(known, 0, false) && is_sent(stranger, 0, false));
        assert!(!seen.returned(known, || false), "the queue was full");
        assert!(seen.returned(known, || true));
        assert!(!is_sent(known, 0, true), "it is confirmed by that");
        assert!(is_sent(stranger, 0, true));
        assert!(is_sent(known, 1, true), "crossed");
    }

    #[test]
    fn what_was_told_last_is_known_until_it_differs() {
        let seen = SeenSet::new(100);
        let snapshot = Snapshot::new("", ["a", "b"].map(half).to_vec(), vec![], vec![], vec![]).unwrap();
        let (unit, none) = (UnitHash::of("a"), Exposures::default());
        let told = |variants: [VariantId; 2]| {
            let all = snapshot.ids().zip(variants);
            all.fold(none, |all, (id, variant)| all.and(snapshot.experiment_id(id), variant))
        };
        let [off, on] = [VariantId::OFF, VariantId::ON];
        let lists = [none, told([off, off]), told([off, on]), told([on, off]), told([on, on])];
        for (place, list) in lists.iter().enumerate() {
            seen.told(unit, *list);
            let known = lists.iter().position(|other| seen.has_told(unit, *other));
            assert_eq!(known, Some(place));
        }
        assert!(seen.returned(unit, || unreachable!("it is known")));
        seen.forget(hash("a"));
        assert!(!lists.iter().any(|list| seen.has_told(unit, *list)));
        assert!(seen.returned(unit, || true));
        assert!(!seen.has_told(unit, none), "the cookie came back, and nothing else is known");
    }

    #[test]
    fn two_pages_after_each_exposure() {
        let seen = SeenSet::new(100);
        let page = || {
            let mut was_sent = false;
            seen.page(UnitHash::of("a"), || {
                was_sent = true;
                true
            });
            was_sent
        };
        assert_eq!([page(), page(), page()], [true, true, false]);
        seen.exposed(ExperimentId::default(), UnitHash::of("a"), 0, true, || true);
        assert_eq!([page(), page(), page()], [true, true, false]);
        seen.clear();
        assert!(page());
    }

    #[test]
    fn forgetting_a_unit_keeps_others() {
        let seen = SeenSet::new(100);
        for unit in ["a", "b"] {
            seen.exposed(ExperimentId::default(), UnitHash::of(unit), 0, true, || true);
            seen.returned(UnitHash::of(unit), || true);
        }
        seen.forget(hash("a"));
        let mut sent = Vec::new();
        for unit in ["a", "b"] {
            seen.exposed(ExperimentId::default(), UnitHash::of(unit), 0, true, || {
                sent.push(unit);
                true
            });
            seen.returned(UnitHash::of(unit), || {
                sent.push(unit);
                true
            });
        }
        assert_eq!(sent, ["a", "a"], "exposed and returned anew");
    }

    #[test]
    fn a_unit_reaches_a_goal_so_often_a_day() {
        let seen = SeenSet::new(100);
        let taken = |unit: &str, day| (0..9).filter(|_| seen.reaches("paid", UnitHash::of(unit), day, 5)).count();
        assert_eq!((taken("a", 1), taken("a", 1), taken("b", 1), taken("a", 2)), (5, 0, 5, 5));
    }
}
