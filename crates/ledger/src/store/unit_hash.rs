//! Units in packs, as hashes.

use std::cmp::Ordering;

use crate::store::name::hash;

/// How many parts the units of an experiment or goal are split into.
pub(crate) const SHARDS: u16 = 256;

/// 64 bits of a unit's SHA-256. Of a million units, two have the same with a chance of one in 37 million.
/// Stores have signed numbers; shards are in the order of unsigned ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct UnitHash(pub(crate) i64);

impl Ord for UnitHash {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cast_unsigned().cmp(&other.0.cast_unsigned())
    }
}

impl PartialOrd for UnitHash {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl UnitHash {
    pub(crate) fn of(unit: &str) -> Self {
        let bytes = hash(unit).to_be_bytes();
        let [a, b, c, d, e, f, g, h, ..] = bytes;
        Self(i64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }

    /// The first and the last hash of a shard.
    pub(crate) fn range(shard: u8) -> (Self, Self) {
        let first = i64::from_be_bytes([shard, 0, 0, 0, 0, 0, 0, 0]);
        (Self(first), Self(first | i64::MAX >> 7))
    }

    pub(crate) fn shard(self) -> u8 {
        let [shard, ..] = self.0.to_be_bytes();
        shard
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hash_is_in_the_range_of_its_shard() {
        for unit in (0..2_000).map(|i| format!("visitor-{i}")) {
            let hash = UnitHash::of(&unit);
            let (first, last) = UnitHash::range(hash.shard());
            assert!(first <= hash && hash <= last, "{unit}");
            assert_eq!((first.shard(), last.shard()), (hash.shard(), hash.shard()));
        }
        assert_eq!(UnitHash::range(255).1, UnitHash(-1));
        assert_eq!(UnitHash::range(127).1, UnitHash(i64::MAX));
    }
}
