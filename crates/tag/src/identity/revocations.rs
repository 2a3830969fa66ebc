//! When the app last said something new of a visitor, as far as this process remembers.

use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::sync::{Mutex, PoisonError};

use flagstaff_flags::User;

use crate::identity::id::Id;

/// Visitors that are remembered at least, all shards together. The app's word alone adds one, not what a client sends.
const VISITORS: usize = 65_536;
const SHARDS: usize = 64;

/// The app's last word of a visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Last {
    /// What was said before, in microseconds since 1970, is void.
    void_before: i64,
    /// A hash of the person who was named.
    who: Option<u64>,
}

/// The latest words, of two generations: when one is full, it takes the place of the one before.
#[derive(Debug, Default)]
struct Shard {
    young: HashMap<Id, Last>,
    old: HashMap<Id, Last>,
}

impl Shard {
    fn get(&self, visitor: Id) -> Option<Last> {
        self.young.get(&visitor).or_else(|| self.old.get(&visitor)).copied()
    }

    fn put(&mut self, visitor: Id, last: Last) {
        if self.young.len() >= VISITORS / SHARDS && !self.young.contains_key(&visitor) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(visitor, last);
    }
}

/// What the app said last, by visitor.
#[derive(Debug)]
pub(crate) struct Statements {
    shards: Vec<Mutex<Shard>>,
    hasher: std::hash::RandomState,
}

impl Default for Statements {
    fn default() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, hasher: std::hash::RandomState::new() }
    }
}

impl Statements {
    /// Whether what was said then is void by now.
    pub(crate) fn voids(&self, visitor: Id, said: i64) -> bool {
        self.last(visitor).is_some_and(|last| said < last.void_before)
    }

    /// The app names another person than before: what it said earlier is void. Returns when it is said, which is later than all of that
    /// even where the clock was set back. The same word in several answers at once voids nothing: which of them a browser reads last
    /// nobody knows.
    pub(crate) fn name(&self, visitor: Id, user: &User, now: i64, before: Option<i64>) -> i64 {
        let who = self.hasher.hash_one((&user.id, &user.groups, &user.roles));
        match self.last(visitor).filter(|last| last.who == Some(who) && before.is_none()) {
            Some(last) => now.max(last.void_before),
            None => self.say(visitor, now, before, Some(who)),
        }
    }

    /// The app names nobody: what it said earlier is void. An app may say so on every page to people it never knew; that is not kept.
    pub(crate) fn end(&self, visitor: Id, now: i64, before: Option<i64>) -> i64 {
        let named = || self.last(visitor).is_some_and(|last| last.who.is_some());
        if before.is_none() && !named() { now } else { self.say(visitor, now, before, None) }
    }

    fn last(&self, visitor: Id) -> Option<Last> {
        self.with(visitor, |shard| shard.get(visitor)).flatten()
    }

    fn say(&self, visitor: Id, now: i64, before: Option<i64>, who: Option<u64>) -> i64 {
        self.with(visitor, |shard| {
            let last = shard.get(visitor).map(|last| last.void_before);
            let earlier = last.max(before);
            let said = earlier.map_or(now, |earlier| now.max(earlier.saturating_add(1)));
            shard.put(visitor, Last { void_before: said, who });
            said
        })
        .unwrap_or(now)
    }

    fn with<T>(&self, visitor: Id, look: impl FnOnce(&mut Shard) -> T) -> Option<T> {
        let place = self.hasher.hash_one(visitor) as usize % SHARDS;
        let shard = self.shards.get(place)?;
        Some(look(&mut shard.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: &str) -> User {
        User { id: id.into(), ..User::default() }
    }

    fn id(n: usize) -> Id {
        let [a, b, c, d, ..] = n.to_le_bytes();
        Id::of([a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    }

    #[test]
    fn a_later_word_voids_earlier_ones_of_that_visitor() {
        let statements = Statements::default();
        let first = statements.name(id(1), &user("42"), 100, None);
        assert!(!statements.voids(id(1), first) && statements.voids(id(1), first - 1));
        let second = statements.end(id(1), 200, Some(first));
        assert!(statements.voids(id(1), first) && !statements.voids(id(1), second));
        assert!(!statements.voids(id(2), 0));
    }

    #[test]
    fn a_clock_that_was_set_back_voids_all_the_same() {
        let statements = Statements::default();
        let first = statements.name(id(1), &user("42"), 1_000, None);
        let second = statements.name(id(1), &user("43"), 10, None);
        assert!(statements.voids(id(1), first) && !statements.voids(id(1), second));
        let third = statements.end(id(1), 10, Some(5_000));
        assert!(third > 5_000 && statements.voids(id(1), 5_000));
    }

    #[test]
    fn a_logout_without_the_cookie_voids_what_was_named_here() {
        let statements = Statements::default();
        let first = statements.name(id(1), &user("42"), 100, None);
        statements.end(id(1), 200, None);
        assert!(statements.voids(id(1), first));
        statements.end(id(2), 200, None);
        assert!(!statements.voids(id(2), 100), "of people it never knew nothing is kept");
    }

    #[test]
    fn the_same_word_in_several_answers_voids_none_of_them() {
        let statements = Statements::default();
        let said: Vec<_> = (0..3).map(|n| statements.name(id(1), &user("42"), 100 + n, None)).collect();
        assert!(said.iter().all(|said| !statements.voids(id(1), *said)));
        statements.name(id(1), &user("43"), 200, None);
        assert!(said.iter().all(|said| statements.voids(id(1), *said)));
    }

    #[test]
    fn memory_is_bounded_and_the_latest_are_kept() {
        let statements = Statements::default();
        let all = VISITORS * 4;
        for n in 0..all {
            statements.name(id(n), &user("42"), 100, None);
        }
        let kept = |shard: &Mutex<Shard>| shard.lock().map(|shard| shard.young.len() + shard.old.len()).unwrap();
        assert!(statements.shards.iter().map(kept).sum::<usize>() <= VISITORS * 2);
        assert!((all - 10_000..all).all(|n| statements.voids(id(n), 99)));
    }
}
