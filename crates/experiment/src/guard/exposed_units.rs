//! Which units were exposed to a flag, as its guard remembers them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashSet;

/// Parts with a lock each at most, so that requests do not wait for one another.
const MAX_SHARDS: usize = 64;
/// Places of a part at least, so that a thousand flags with few places have not a thousand times as many parts.
const SHARD_PLACES: usize = 4_096;

/// Units of a part that are found without a lock, at most.
const LATELY: usize = 128;

/// The part of the places for units that came once: one in so many.
const FRESH_PART: usize = 4;

/// Units that were exposed to a flag, as many as there are places. A unit is 128 random bits that tell units apart. Nobody outside may
/// be able to choose them: they are not hashed again.
///
/// A unit that comes a second time moves from the places of those that came once to the others, so requests that each bring a
/// new id displace only one another and visitors of a single request. Where the places run out, those that stayed away longest
/// are forgotten, and counted.
#[derive(Debug)]
pub struct ExposedUnits {
    shards: Box<[Shard]>,
    forgotten: AtomicU64,
}

#[derive(Debug)]
struct Shard {
    kept: Mutex<Kept>,
    /// Some of the units that came again and are young: who comes once more changes nothing, and is found here without a lock. Of those that share
    /// a place the last is there.
    lately: [AtomicU64; LATELY],
}

#[derive(Debug)]
struct Kept {
    once: Generations,
    again: Generations,
}

/// Units in two halves by age. When the young half is full, the old half is forgotten and the young one becomes old. A unit that is
/// seen again is young again.
#[derive(Debug)]
struct Generations {
    young: FxHashSet<u128>,
    old: FxHashSet<u128>,
    most: usize,
    /// How often the young became old.
    flips: u64,
}

impl ExposedUnits {
    /// Room for so many units; at least a few are remembered.
    #[must_use]
    pub fn new(places: usize) -> Self {
        // a power of two, so that each has as many units
        let shards = 1 << (places / SHARD_PLACES).clamp(1, MAX_SHARDS).ilog2();
        let each = places / shards;
        let shard = |_| {
            let (once, again) = (each / FRESH_PART, each - each / FRESH_PART);
            let kept = Kept { once: Generations::new(once), again: Generations::new(again) };
            Shard { kept: Mutex::new(kept), lately: std::array::from_fn(|_| AtomicU64::new(0)) }
        };
        Self { shards: (0..shards).map(shard).collect(), forgotten: AtomicU64::new(0) }
    }

    /// A unit is exposed to the flag. Returns whether it is new, as far as is remembered.
    pub fn expose(&self, unit: u128) -> bool {
        self.shard(unit).is_some_and(|shard| shard.expose(unit, &self.forgotten))
    }

    /// Whether a unit was exposed to the flag before. To be asked is not to come: it stays among those that came once, if it did.
    #[must_use]
    pub fn has(&self, unit: u128) -> bool {
        self.shard(unit).is_some_and(|shard| shard.came_lately(unit) || shard.kept().has(unit))
    }

    /// How many units were forgotten because the places ran out.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.forgotten.load(Ordering::Relaxed)
    }

    fn shard(&self, unit: u128) -> Option<&Shard> {
        // a power of two of them: this is a remainder, without a division
        let last = self.shards.len().checked_sub(1)?;
        self.shards.get(usize::try_from(unit & last as u128).ok()?)
    }
}

impl Shard {
    fn expose(&self, unit: u128, forgotten: &AtomicU64) -> bool {
        if self.came_lately(unit) {
            return false;
        }
        let mut kept = self.kept();
        let flips = kept.again.flips;
        let came_again = kept.comes_again(unit, forgotten);
        if !came_again {
            kept.once.add(unit, forgotten);
        }
        if kept.again.flips != flips {
            // who was young is old now, and has to be seen again to stay
            self.lately.iter().for_each(|place| place.store(0, Ordering::Relaxed));
        }
        if came_again && let (Some(place), mark) = self.place(unit) {
            place.store(mark, Ordering::Relaxed);
        }
        !came_again
    }

    fn came_lately(&self, unit: u128) -> bool {
        let (place, mark) = self.place(unit);
        mark != 0 && place.is_some_and(|place| place.load(Ordering::Relaxed) == mark)
    }

    /// Where a unit is among those that came lately, and by which half of it that is known there. All of one part have the lowest bits alike.
    fn place(&self, unit: u128) -> (Option<&AtomicU64>, u64) {
        let high = (unit >> 64) as u64;
        (self.lately.get(high as usize % LATELY), high)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // sets that a thread left when it panicked are still sets
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn has(&self, unit: u128) -> bool {
        self.once.has(unit) || self.again.has(unit)
    }

    fn comes_again(&mut self, unit: u128, forgotten: &AtomicU64) -> bool {
        if self.again.comes_again(unit, forgotten) {
            return true;
        }
        let came_once = self.once.remove(unit);
        if came_once {
            self.again.add(unit, forgotten);
        }
        came_once
    }
}

impl Generations {
    fn new(places: usize) -> Self {
        Self { young: FxHashSet::default(), old: FxHashSet::default(), most: (places / 2).max(1), flips: 0 }
    }

    fn has(&self, unit: u128) -> bool {
        self.young.contains(&unit) || self.old.contains(&unit)
    }

    fn comes_again(&mut self, unit: u128, forgotten: &AtomicU64) -> bool {
        if self.young.contains(&unit) {
            return true;
        }
        let was_old = self.old.remove(&unit);
        if was_old {
            self.add(unit, forgotten);
        }
        was_old
    }

    fn remove(&mut self, unit: u128) -> bool {
        self.young.remove(&unit) || self.old.remove(&unit)
    }

    fn add(&mut self, unit: u128, forgotten: &AtomicU64) {
        if self.young.len() >= self.most {
            forgotten.fetch_add(self.old.len() as u64, Ordering::Relaxed);
            self.old = std::mem::take(&mut self.young);
            self.flips += 1;
        }
        self.young.insert(unit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: usize = 4 * SHARD_PLACES;

    /// Another one for each number, and all bits of it as good as random.
    fn unit(number: u32) -> u128 {
        let mut draw = fastrand::Rng::with_seed(number.into());
        draw.u128(..)
    }

    #[test]
    fn who_is_found_without_a_lock_is_who_would_be_found_with_it() {
        let mut draw = fastrand::Rng::with_seed(26);
        let (exposed, plain) = (ExposedUnits::new(PLACES), ExposedUnits::new(PLACES));
        let mut found = 0;
        for step in 0..400_000_u32 {
            // many who come again and again, some who come twice, and strangers who make those that are known old
            let unit = match draw.u8(0..3) {
                0 => unit(draw.u32(0..300)),
                1 => unit(draw.u32(0..30_000)),
                _ => unit(1_000_000 + step / 4),
            };
            found += u32::from(exposed.shard(unit).unwrap().came_lately(unit));
            let with_lock = || plain.shards.iter().flat_map(|shard| &shard.lately);
            with_lock().for_each(|place| place.store(0, Ordering::Relaxed));
            assert_eq!(exposed.has(unit), plain.has(unit));
            assert_eq!(exposed.expose(unit), plain.expose(unit));
        }
        assert_eq!(exposed.forgotten(), plain.forgotten());
        assert!(found > 50_000 && plain.forgotten() > 1_000, "{found} were found, {} forgotten", plain.forgotten());
    }

    #[test]
    fn a_unit_is_new_once() {
        let exposed = ExposedUnits::new(PLACES);
        assert!(!exposed.has(7));
        assert!(exposed.expose(7));
        assert!(!exposed.expose(7) && exposed.has(7) && !exposed.has(8));
    }

    #[test]
    fn one_time_ids_do_not_evict_returning_visitors() {
        let exposed = ExposedUnits::new(PLACES);
        (0..500).for_each(|visitor| _ = (exposed.expose(visitor), exposed.expose(visitor)));
        (1_000_000..2_000_000).for_each(|stranger| _ = exposed.expose(stranger));
        assert!((0..500).all(|visitor| exposed.has(visitor)));
        assert!(exposed.forgotten() > 900_000, "it is counted: {}", exposed.forgotten());
    }

    #[test]
    fn requests_that_meet_and_ask_at_once_push_nobody_out() {
        let exposed = ExposedUnits::new(PLACES);
        (0..500).for_each(|visitor| _ = (exposed.expose(visitor), exposed.expose(visitor)));
        (1_000_000..1_200_000).for_each(|stranger| _ = (exposed.expose(stranger), exposed.has(stranger)));
        assert!((0..500).all(|visitor| exposed.has(visitor)));
    }

    #[test]
    fn those_that_keep_coming_stay_and_memory_is_bounded() {
        let exposed = ExposedUnits::new(PLACES);
        for stranger in 0..200_000_u128 {
            _ = (exposed.expose(1_000 + stranger), exposed.expose(1_000 + stranger));
            if stranger % 100 == 0 {
                (0..100).for_each(|visitor| _ = exposed.expose(visitor));
            }
        }
        assert!((0..100).all(|visitor| exposed.has(visitor)));
        let kept = |half: &Generations| half.young.len() + half.old.len();
        let kept = exposed.shards.iter().map(|shard| {
            let both = shard.kept();
            kept(&both.once) + kept(&both.again)
        });
        assert!(kept.sum::<usize>() <= PLACES);
    }
}
