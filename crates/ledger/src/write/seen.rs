//! What this process has recorded already: it keeps repeats off the queue.

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};

use flagstaff_flags::ExperimentId;
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
    Returned,
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
    Returned,
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

    /// Runs `send` unless the exposure tells nothing new, and remembers it when that succeeds.
    pub(crate) fn exposed(
        &self,
        trial: ExperimentId,
        UnitHash(unit): UnitHash,
        variant: u8,
        confirmed: bool,
        send: impl FnOnce() -> bool,
    ) {
        let key = Key { unit, kind: NoteKind::Exposure(trial) };
        let new = match self.known.get(&key) {
            Some(Note::Exposed { crossed: true, .. }) => return,
            Some(Note::Exposed { variant: before, confirmed: was, .. }) => {
                if before == variant && (was || !confirmed) {
                    return;
                }
                Note::Exposed { variant: before, confirmed: was || confirmed, crossed: before != variant }
            }
            _ => Note::Exposed { variant, confirmed, crossed: false },
        };
        if send() {
            self.insert(key, new);
            // pages are counted from the exposure on
            self.known.remove(&Key { unit, kind: NoteKind::Pages });
        }
    }

    /// Runs `send` the first time a unit's cookie comes back.
    pub(crate) fn returned(&self, UnitHash(unit): UnitHash, send: impl FnOnce() -> bool) {
        let key = Key { unit, kind: NoteKind::Returned };
        if self.known.get(&key).is_none() && send() {
            self.insert(key, Note::Returned);
        }
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
    use super::*;

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
