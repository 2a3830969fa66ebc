//! What is recorded already, as far as this process remembers: it keeps repeats off the queue.

use std::hash::{BuildHasher, RandomState};

use flagstaff_flags::Trial;
use quick_cache::sync::Cache;

/// 128 bits of two keyed hashes: two units that share them are not to be expected in the life of a machine.
type Key = (u64, u64);

/// Pages of one unit that can tell a bounce.
const PAGES: u8 = 2;

pub(crate) struct Memory {
    known: Cache<Key, Note>,
    hashers: (RandomState, RandomState),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Note {
    Exposed { variant: u8, confirmed: bool, crossed: bool },
    Returned,
    Pages(u8),
}

impl Memory {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { known: Cache::new(capacity.max(1)), hashers: (RandomState::new(), RandomState::new()) }
    }

    fn key(&self, kind: u8, trial: Trial, unit: &str) -> Key {
        let what = (kind, trial, unit);
        (self.hashers.0.hash_one(what), self.hashers.1.hash_one(what))
    }

    /// Runs `send` unless the exposure tells nothing new, and remembers it when that succeeds.
    pub(crate) fn exposed(
        &self,
        trial: Trial,
        unit: &str,
        variant: u8,
        confirmed: bool,
        send: impl FnOnce() -> bool,
    ) {
        let key = self.key(0, trial, unit);
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
            self.known.insert(key, new);
            // pages are counted from the exposure on
            self.known.remove(&self.key(2, Trial::default(), unit));
        }
    }

    /// Whether an exposure is remembered.
    pub(crate) fn has_met(&self, trial: Trial, unit: &str) -> bool {
        self.known.get(&self.key(0, trial, unit)).is_some()
    }

    /// Runs `send` the first time a unit's cookie comes back.
    pub(crate) fn returned(&self, unit: &str, send: impl FnOnce() -> bool) {
        let key = self.key(1, Trial::default(), unit);
        if self.known.get(&key).is_none() && send() {
            self.known.insert(key, Note::Returned);
        }
    }

    /// Runs `send` for as many pages after an exposure as can tell a bounce.
    pub(crate) fn page(&self, unit: &str, send: impl FnOnce() -> bool) {
        let key = self.key(2, Trial::default(), unit);
        let seen = match self.known.get(&key) {
            Some(Note::Pages(seen)) => seen,
            _ => 0,
        };
        if seen < PAGES && send() {
            self.known.insert(key, Note::Pages(seen + 1));
        }
    }

    /// Forgets everything: the store is another one, or lost something.
    pub(crate) fn clear(&self) {
        self.known.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_new_is_sent() {
        let memory = Memory::new(100);
        let mut sent = Vec::new();
        let mut meet = |unit: &str, variant, confirmed, taken| {
            let mut was_sent = false;
            memory.exposed(Trial::default(), unit, variant, confirmed, || {
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
        let memory = Memory::new(100);
        let page = || {
            let mut was_sent = false;
            memory.page("a", || {
                was_sent = true;
                true
            });
            was_sent
        };
        assert_eq!([page(), page(), page()], [true, true, false]);
        memory.exposed(Trial::default(), "a", 0, true, || true);
        assert_eq!([page(), page(), page()], [true, true, false]);
        memory.clear();
        assert!(page());
    }
}
