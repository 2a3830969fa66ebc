//! From which networks a flag's visitors come: one network is never the crowd.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A network that brings at least one in so many of a flag's visitors is not limited.
pub const UNLIMITED_PART: u64 = 10;

/// Parts with a lock each.
const SHARDS: usize = 16;
/// Networks that are counted in each part. A network's count is too low by at most one in so many of the part's visitors.
const NETWORKS: usize = 512;

/// A network, as 64 bits that tell networks apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NetworkKey(pub u64);

/// How many visitors each network brought, in bounded memory: where too many networks are counted, all lose one (Misra and
/// Gries), so the large ones stay.
#[derive(Debug)]
pub struct NetworkShares {
    shards: [Mutex<HashMap<NetworkKey, u64>>; SHARDS],
    visitors: AtomicU64,
}

impl Default for NetworkShares {
    fn default() -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()), visitors: AtomicU64::new(0) }
    }
}

impl NetworkShares {
    /// A new visitor came, from a network where that is known.
    pub fn came(&self, origin: Option<NetworkKey>) {
        self.visitors.fetch_add(1, Ordering::Relaxed);
        let Some((origin, mut counts)) = origin.and_then(|origin| Some((origin, self.shard(origin)?))) else {
            return;
        };
        if let Some(count) = counts.get_mut(&origin) {
            *count += 1;
        } else if counts.len() < NETWORKS {
            counts.insert(origin, 1);
        } else {
            counts.retain(|_, count| {
                *count -= 1;
                *count > 0
            });
        }
    }

    /// Whether a network brings at least a tenth of the visitors.
    #[must_use]
    pub fn is_part(&self, origin: NetworkKey) -> bool {
        let count = self.shard(origin).and_then(|counts| counts.get(&origin).copied()).unwrap_or_default();
        count.saturating_mul(UNLIMITED_PART) >= self.visitors.load(Ordering::Relaxed)
    }

    fn shard(&self, origin: NetworkKey) -> Option<MutexGuard<'_, HashMap<NetworkKey, u64>>> {
        let place = usize::try_from(origin.0 % SHARDS as u64).ok()?;
        Some(self.shards.get(place)?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How much each network may bring of something. It looks at no variant, so a test of variants stays what it is: if the
/// flag changes nothing, each visitor that is let through has the flag with the same chance as before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quota {
    brought: HashMap<NetworkKey, u32>,
}

impl Quota {
    /// Whether a network may bring one more, of `most`. Where no network is given there is no limit.
    #[must_use]
    pub fn has_room(&self, origin: Option<NetworkKey>, most: u32) -> bool {
        origin.is_none_or(|origin| self.brought.get(&origin).is_none_or(|brought| *brought < most))
    }

    /// A network brought one.
    pub fn brought(&mut self, origin: Option<NetworkKey>) {
        if let Some(origin) = origin {
            let brought = self.brought.entry(origin).or_default();
            *brought = brought.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_part_of_the_crowd_from_a_tenth_of_the_visitors_on() {
        let crowd = NetworkShares::default();
        (0..90).for_each(|visitor| crowd.came(Some(NetworkKey(100 + visitor))));
        (0..9).for_each(|_| crowd.came(Some(NetworkKey(1))));
        assert!(!crowd.is_part(NetworkKey(1)) && !crowd.is_part(NetworkKey(2)), "9 of 99");
        crowd.came(Some(NetworkKey(1)));
        assert!(crowd.is_part(NetworkKey(1)), "10 of 100");
        crowd.came(None);
        assert!(!crowd.is_part(NetworkKey(1)), "10 of 101");
        assert!(
            !NetworkShares::default().is_part(NetworkKey(1))
                || NetworkShares::default().visitors.load(Ordering::Relaxed) == 0
        );
    }

    #[test]
    fn many_networks_take_bounded_memory_and_hide_no_large_one() {
        let crowd = NetworkShares::default();
        for stranger in 0..1_000_000 {
            crowd.came(Some(NetworkKey(1_000 + stranger)));
            if stranger % 8 == 0 {
                crowd.came(Some(NetworkKey(1)));
            }
        }
        assert!(crowd.is_part(NetworkKey(1)) && !crowd.is_part(NetworkKey(1_500)));
        assert!(crowd.shards.iter().all(|shard| shard.lock().unwrap().len() <= NETWORKS));
    }

    #[test]
    fn a_network_brings_its_quota_and_no_more() {
        let mut quota = Quota::default();
        let one = Some(NetworkKey(1));
        for _ in 0..2 {
            assert!(quota.has_room(one, 2));
            quota.brought(one);
        }
        assert!(!quota.has_room(one, 2) && quota.has_room(Some(NetworkKey(2)), 2));
        quota.brought(None);
        assert!(quota.has_room(None, 2));
    }
}
