//! Requests per flag, variant and minute.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flagstaff_flags::{Definition, Flag, Name, VariantId};

use crate::Latency;

pub(crate) const MINUTE: i64 = 60_000_000;
/// Shards, so that requests on different threads do not wait for each other.
const SHARDS: usize = 16;

/// What is counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) flag: Name,
    pub(crate) definition: Definition,
    pub(crate) variant: VariantId,
    pub(crate) minute: i64,
}

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) variant: String,
    pub(crate) requests: i64,
    /// 1xx to 5xx.
    pub(crate) classes: [i64; 5],
    pub(crate) slow: i64,
    pub(crate) latency: Latency,
}

impl Count {
    fn add(&mut self, status: u16, latency: Duration, slow: bool) {
        self.requests += 1;
        if let Some(class) = self.classes.get_mut(usize::from(status / 100).wrapping_sub(1)) {
            *class += 1;
        }
        self.slow += i64::from(slow);
        self.latency.add(latency);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.classes.iter_mut().zip(other.classes).for_each(|(sum, more)| *sum += more);
        self.slow += other.slow;
        self.latency.merge(&other.latency);
    }
}

type Shard = HashMap<Key, Count>;

/// Counts of requests that are not yet with the writer. It never waits for a store, only for another thread's addition.
#[derive(Default)]
pub(crate) struct Counts([Mutex<Shard>; SHARDS]);

impl Counts {
    pub(crate) fn add(&self, flag: &Flag, variant: VariantId, status: u16, latency: Duration, slow: bool, at: i64) {
        let minute = at.div_euclid(MINUTE);
        let key = Key { flag: flag.name.clone(), definition: flag.definition, variant, minute };
        let mut shard = self.shard();
        let count = shard.entry(key).or_default();
        if count.requests == 0 {
            count.variant = flag.variants.name(variant).into();
        }
        count.add(status, latency, slow);
    }

    fn shard(&self) -> MutexGuard<'_, Shard> {
        thread_local! { static SHARD: usize = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed); }
        static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let place = SHARD.with(|shard| *shard) % SHARDS;
        let [first, ..] = &self.0;
        // whatever a thread that panicked left is still a count
        self.0.get(place).unwrap_or(first).lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes all.
    pub(crate) fn take(&self) -> Vec<Shard> {
        let take = |shard: &Mutex<Shard>| std::mem::take(&mut *shard.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.iter().map(take).filter(|shard| !shard.is_empty()).collect()
    }
}

/// Minutes the writer still holds. Each row says what one start of one instance counted in a minute so far, so writing it again
/// changes nothing.
#[derive(Default)]
pub(crate) struct Minutes {
    open: HashMap<Key, (Count, bool)>,
}

/// A minute is held this long (in minutes), because requests that began in it may still end.
const HELD: i64 = 10;
/// More rows are not held while a store is away.
const MOST: usize = 100_000;

impl Minutes {
    /// Takes in what was counted. Returns how many requests are not, because too many rows are held.
    pub(crate) fn absorb(&mut self, shards: Vec<Shard>) -> u64 {
        let mut lost = 0;
        for (key, more) in shards.into_iter().flatten() {
            if self.open.len() >= MOST && !self.open.contains_key(&key) {
                lost += more.requests.unsigned_abs();
                continue;
            }
            let (count, changed) = self.open.entry(key).or_default();
            if count.requests == 0 {
                count.variant.clone_from(&more.variant);
            }
            count.merge(&more);
            *changed = true;
        }
        lost
    }

    /// Rows that are not written as they are.
    pub(crate) fn changed(&self) -> Vec<(Key, Count)> {
        let changed = self.open.iter().filter(|(_, (_, changed))| *changed);
        changed.map(|(key, (count, _))| (key.clone(), count.clone())).collect()
    }

    /// All are written.
    pub(crate) fn wrote(&mut self) {
        let latest = self.open.keys().map(|key| key.minute).max().unwrap_or_default();
        self.open.retain(|key, _| key.minute > latest - HELD);
        self.open.values_mut().for_each(|(_, changed)| *changed = false);
    }

    /// The store is another one: all rows are to be written again.
    pub(crate) fn rewrite(&mut self) {
        self.open.values_mut().for_each(|(_, changed)| *changed = true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_add_up_and_are_written_once() {
        let flag = Flag::new(Name::new("form").unwrap());
        let counts = Counts::default();
        let mut minutes = Minutes::default();
        counts.add(&flag, VariantId::ON, 200, Duration::from_millis(5), false, 30 * MINUTE);
        counts.add(&flag, VariantId::ON, 503, Duration::from_millis(900), true, 30 * MINUTE + 1);
        assert_eq!(minutes.absorb(counts.take()), 0);
        counts.add(&flag, VariantId::ON, 999, Duration::ZERO, false, 30 * MINUTE + 2);
        assert_eq!(minutes.absorb(counts.take()), 0);
        let rows: Vec<_> = minutes.changed().into_iter().map(|(_, count)| count).collect();
        let [row] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!((row.requests, row.classes, row.slow), (3, [0, 1, 0, 0, 1], 1));
        assert_eq!((row.variant.as_str(), row.latency.count()), ("on", 3));
        minutes.wrote();
        assert!(minutes.changed().is_empty());
        // an answer that was long under way
        counts.add(&flag, VariantId::ON, 200, Duration::ZERO, false, 30 * MINUTE);
        assert_eq!(minutes.absorb(counts.take()), 0);
        assert_eq!(minutes.changed().first().map(|(_, count)| count.requests), Some(4));
    }

    #[test]
    fn what_is_beyond_the_rows_that_are_held_is_told() {
        let flag = Flag::new(Name::new("form").unwrap());
        let (counts, mut minutes) = (Counts::default(), Minutes::default());
        for minute in 0..i64::try_from(MOST).unwrap() + 5 {
            counts.add(&flag, VariantId::ON, 200, Duration::ZERO, false, minute * MINUTE);
        }
        assert_eq!(minutes.absorb(counts.take()), 5);
        assert_eq!(minutes.changed().len(), MOST);
    }
}
