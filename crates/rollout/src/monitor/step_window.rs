//! What is known of a step: its time limit, and who came.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use flagstaff_experiment::guard::{Limit, NetworkKey, Quota, UNLIMITED_PART};
use flagstaff_experiment::rollout::MIN_VISITORS;
use flagstaff_flags::{Flag, SlowerThan};

/// More visitors who came to a step are not counted one by one.
const MAX_COUNTED: usize = 1_000_000;
/// Parts of the visitors of a step, with a lock each.
const SHARDS: usize = 16;

/// What is known of a step.
pub(super) struct StepWindow {
    step: usize,
    limit: Option<Arc<Limit>>,
    arrivals: ArrivalCounter,
}

impl StepWindow {
    pub(super) fn new(flag: &Flag, step: usize) -> Self {
        let limit = |slower: SlowerThan| match slower {
            SlowerThan::Time(limit) => Limit::stated(limit),
            SlowerThan::ControlP95 => Limit::of_control(),
        };
        let limit = flag.guard.as_ref().and_then(|guard| guard.slower_than).map(limit);
        Self { step, limit: limit.map(Arc::new), arrivals: ArrivalCounter::new(enough(flag, step)) }
    }

    /// What an answer in time is, for this flag; `None` where its guard does not look at that.
    pub(super) fn limit(&self) -> Option<&Limit> {
        self.limit.as_deref()
    }

    /// Counts anew who comes, where all were counted here and fewer are recorded.
    pub(super) fn recounted(&self, step: usize, recorded: u64) -> Option<Self> {
        let ArrivalCounter { enough, count, .. } = &self.arrivals;
        let is_short = recorded < *enough as u64 && count.load(Ordering::Relaxed) >= *enough;
        let anew = || Self { step, limit: self.limit.clone(), arrivals: ArrivalCounter::new(*enough) };
        (self.step == step && is_short).then(anew)
    }

    /// Whether a unit of the treatment, asking at a step, came for the first time and is still to be counted.
    pub(super) fn arrives(&self, step: usize, unit: u128, limited: impl FnOnce() -> Option<NetworkKey>) -> bool {
        self.step == step && self.arrivals.arrives(unit, limited)
    }
}

/// Counts units that came to the treatment at a step, as many as it takes to go on.
struct ArrivalCounter {
    enough: usize,
    count: AtomicUsize,
    units: [Mutex<HashSet<u128>>; SHARDS],
    quota: Mutex<Quota>,
}

impl ArrivalCounter {
    fn new(enough: usize) -> Self {
        Self {
            enough,
            count: AtomicUsize::new(0),
            units: std::array::from_fn(|_| Mutex::default()),
            quota: Mutex::default(),
        }
    }

    /// Whether a unit came for the first time, and is still to be counted. A network that is limited brings a tenth at most.
    fn arrives(&self, unit: u128, limited: impl FnOnce() -> Option<NetworkKey>) -> bool {
        if self.count.load(Ordering::Relaxed) >= self.enough {
            return false;
        }
        let shard = usize::try_from(unit % SHARDS as u128).unwrap_or_default();
        let Some(units) = self.units.get(shard) else { return false };
        // what a thread left when it panicked are still units
        let mut units = units.lock().unwrap_or_else(PoisonError::into_inner);
        if units.contains(&unit) || !self.admits(limited()) {
            return false;
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        units.insert(unit)
    }

    fn admits(&self, limited: Option<NetworkKey>) -> bool {
        if limited.is_none() {
            return true;
        }
        let most = u32::try_from(self.enough as u64 / UNLIMITED_PART).unwrap_or(u32::MAX).max(1);
        let mut quota = self.quota.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = quota.has_room(limited, most);
        if has_room {
            quota.brought(limited);
        }
        has_room
    }
}

/// How many must have come at a step before it goes on.
fn enough(flag: &Flag, step: usize) -> usize {
    let stage = flag.rollout.as_ref().and_then(|rollout| rollout.steps().get(step));
    let needed = stage.map_or(0, |stage| stage.min_visitors.unwrap_or(MIN_VISITORS));
    usize::try_from(needed).unwrap_or(usize::MAX).min(MAX_COUNTED)
}
