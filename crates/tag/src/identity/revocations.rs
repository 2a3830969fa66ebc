//! Which cookies of a person are revoked by a later login or logout, as far as this process remembers.

use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::sync::{Mutex, PoisonError};

use flagstaff_flags::User;

use crate::identity::id::Id;

/// Visitors that are remembered at least, all shards together. Only what the app says adds one, not what a client sends.
const MIN_VISITORS: usize = 65_536;
const SHARDS: usize = 64;

/// The last login or logout of a visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Latest {
    /// Cookies issued before, in microseconds since 1970, are revoked.
    valid_from: i64,
    /// A hash of the person who logged in.
    user: Option<u64>,
}

/// Two generations: when the young one is full, it replaces the old one.
#[derive(Debug, Default)]
struct Shard {
    young: HashMap<Id, Latest>,
    old: HashMap<Id, Latest>,
}

impl Shard {
    fn get(&self, visitor: Id) -> Option<Latest> {
        self.young.get(&visitor).or_else(|| self.old.get(&visitor)).copied()
    }

    fn put(&mut self, visitor: Id, latest: Latest) {
        if self.young.len() >= MIN_VISITORS / SHARDS && !self.young.contains_key(&visitor) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(visitor, latest);
    }
}

/// The latest logins and logouts, by visitor.
#[derive(Debug)]
pub(crate) struct Revocations {
    shards: Vec<Mutex<Shard>>,
    hasher: std::hash::RandomState,
}

impl Default for Revocations {
    fn default() -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, hasher: std::hash::RandomState::new() }
    }
}

impl Revocations {
    /// Whether a cookie that was issued then is revoked.
    pub(crate) fn is_revoked(&self, visitor: Id, issued_at: i64) -> bool {
        self.latest(visitor).is_some_and(|latest| issued_at < latest.valid_from)
    }

    /// When the visitor's last person logged out; `None` for one who is logged in, or of whom nothing is remembered.
    pub(crate) fn logged_out_at(&self, visitor: Id) -> Option<i64> {
        self.latest(visitor).filter(|latest| latest.user.is_none()).map(|latest| latest.valid_from)
    }

    /// Whether this person's login was the last word about the visitor.
    pub(crate) fn is_logged_in(&self, visitor: Id, user: &User) -> bool {
        self.latest(visitor).is_some_and(|latest| latest.user == Some(self.hash(user)))
    }

    /// A person logs in: earlier cookies of the visitor are revoked. Returns when the new cookie is issued, which is later than all of
    /// them even where the clock was set back. The same login in several answers at once revokes nothing, because it is not known which
    /// of them a browser reads last.
    pub(crate) fn log_in(&self, visitor: Id, user: &User, now: i64, before: Option<i64>) -> i64 {
        let user = self.hash(user);
        let is_same =
            |latest: &Latest| latest.user == Some(user) && before.is_none_or(|before| before < latest.valid_from);
        match self.latest(visitor).filter(is_same) {
            Some(latest) => now.max(latest.valid_from),
            None => self.set(visitor, now, before, Some(user)),
        }
    }

    /// The person logs out: earlier cookies of the visitor are revoked. An app may say so on every page to people it never knew; that is
    /// not kept. Returns when a cookie that names nobody is issued.
    pub(crate) fn log_out(&self, visitor: Id, now: i64, before: Option<i64>) -> i64 {
        match self.latest(visitor) {
            None if before.is_none() => now,
            Some(Latest { valid_from, user: None }) if before.is_none() => now.max(valid_from),
            _ => self.set(visitor, now, before, None),
        }
    }

    fn hash(&self, user: &User) -> u64 {
        self.hasher.hash_one((&user.id, &user.groups, &user.roles))
    }

    fn latest(&self, visitor: Id) -> Option<Latest> {
        self.with(visitor, |shard| shard.get(visitor)).flatten()
    }

    fn set(&self, visitor: Id, now: i64, before: Option<i64>, user: Option<u64>) -> i64 {
        self.with(visitor, |shard| {
            let latest = shard.get(visitor).map(|latest| latest.valid_from);
            let earlier = latest.max(before);
            let issued_at = earlier.map_or(now, |earlier| now.max(earlier.saturating_add(1)));
            shard.put(visitor, Latest { valid_from: issued_at, user });
            issued_at
        })
        .unwrap_or(now)
    }

    fn with<T>(&self, visitor: Id, look: impl FnOnce(&mut Shard) -> T) -> Option<T> {
        let shard = self.shards.get(self.hasher.hash_one(visitor) as usize % SHARDS)?;
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
    fn a_later_login_revokes_earlier_ones_of_that_visitor() {
        let revocations = Revocations::default();
        let first = revocations.log_in(id(1), &user("42"), 100, None);
        assert!(!revocations.is_revoked(id(1), first) && revocations.is_revoked(id(1), first - 1));
        let second = revocations.log_out(id(1), 200, Some(first));
        assert!(revocations.is_revoked(id(1), first) && !revocations.is_revoked(id(1), second));
        assert!(!revocations.is_revoked(id(2), 0));
    }

    #[test]
    fn a_clock_that_was_set_back_revokes_all_the_same() {
        let revocations = Revocations::default();
        let first = revocations.log_in(id(1), &user("42"), 1_000, None);
        let second = revocations.log_in(id(1), &user("43"), 10, None);
        assert!(revocations.is_revoked(id(1), first) && !revocations.is_revoked(id(1), second));
        let third = revocations.log_out(id(1), 10, Some(5_000));
        assert!(third > 5_000 && revocations.is_revoked(id(1), 5_000));
    }

    #[test]
    fn a_logout_without_the_cookie_revokes_what_was_issued_here() {
        let revocations = Revocations::default();
        let first = revocations.log_in(id(1), &user("42"), 100, None);
        revocations.log_out(id(1), 200, None);
        assert!(revocations.is_revoked(id(1), first));
        revocations.log_out(id(2), 200, None);
        assert!(!revocations.is_revoked(id(2), 100), "of people it never knew nothing is kept");
    }

    #[test]
    fn the_same_login_in_several_answers_revokes_none_of_them() {
        let revocations = Revocations::default();
        let issued: Vec<_> = (0..3).map(|n| revocations.log_in(id(1), &user("42"), 100 + n, None)).collect();
        assert!(issued.iter().all(|at| !revocations.is_revoked(id(1), *at)));
        revocations.log_in(id(1), &user("43"), 200, None);
        assert!(issued.iter().all(|at| revocations.is_revoked(id(1), *at)));
    }

    #[test]
    fn memory_is_bounded_and_the_latest_are_kept() {
        let revocations = Revocations::default();
        let all = MIN_VISITORS * 4;
        for n in 0..all {
            revocations.log_in(id(n), &user("42"), 100, None);
        }
        let kept = |shard: &Mutex<Shard>| shard.lock().map(|shard| shard.young.len() + shard.old.len()).unwrap();
        assert!(revocations.shards.iter().map(kept).sum::<usize>() <= MIN_VISITORS * 2);
        assert!((all - 10_000..all).all(|n| revocations.is_revoked(id(n), 99)));
    }
}
