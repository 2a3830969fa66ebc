//! What a guard knows of one flag, by the answers to its visitors.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use arc_swap::ArcSwap;
use flagstaff_experiment::guard::{
    Away, Blown, CROWD, Crowd, Failed, Fuse, Limit, Met, Origin, Outage, Pulse, Quota, Sign, Stand,
};
use flagstaff_experiment::rollout::MIN_VISITORS;
use flagstaff_flags::{Definition, Flag, Guard, SlowerThan};
use flagstaff_layer::{Answered, Meeting, Outcome};
use flagstaff_tag::Network;

use crate::keys::{origin, unit_key};

/// Units that all guards of this process remember together.
const PLACES: usize = 2 << 20;
/// Units that one guard remembers at most, and at least.
const PLACES_EACH: std::ops::RangeInclusive<usize> = (1 << 14)..=(1 << 20);
/// More visitors who came to a step are not counted one by one.
const MOST_COUNTED: usize = 1_000_000;
/// Parts of the visitors of a step, with a lock each.
const SHARDS: usize = 16;

/// What is known of one flag since it began, for one definition of it.
pub(crate) struct Post {
    /// Which of all posts there ever were.
    pub(crate) number: u64,
    pub(crate) definition: Definition,
    /// What was asked before says nothing.
    begun: Option<Instant>,
    people: Arc<People>,
    pulse: Pulse,
    fuse: Option<Fuse>,
    stand: Stand,
    network_signs: u32,
    at_step: ArcSwap<AtStep>,
}

/// Who met the flag. That stays when a flag begins anew with the same definition.
pub(crate) struct People {
    met: Met,
    crowd: Crowd,
}

/// What is known of a step.
pub(crate) struct AtStep {
    pub(crate) step: usize,
    limit: Option<Arc<Limit>>,
    came: Came,
}

/// Units that came to the treatment at a step, as many as it takes to go on.
struct Came {
    enough: usize,
    count: AtomicUsize,
    units: [Mutex<HashSet<u128>>; SHARDS],
    quota: Mutex<Quota>,
}

/// What an answer says.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) comes: bool,
    pub(crate) sign: Option<Sign>,
    pub(crate) blown: Option<Blown>,
}

impl People {
    /// With as many places as there are for each of so many flags.
    pub(crate) fn of_one_in(flags: usize) -> Self {
        let places = (PLACES / flags.max(1)).clamp(*PLACES_EACH.start(), *PLACES_EACH.end());
        Self { met: Met::new(places), crowd: Crowd::default() }
    }
}

impl Post {
    pub(crate) fn new(number: u64, flag: &Flag, step: usize, people: People) -> Self {
        Self::with(number, flag, step, Arc::new(people), None)
    }

    /// The flag begins anew, and is defined as before.
    pub(crate) fn anew(&self, number: u64, flag: &Flag, step: usize) -> Self {
        Self::with(number, flag, step, Arc::clone(&self.people), Some(Instant::now()))
    }

    fn with(number: u64, flag: &Flag, step: usize, people: Arc<People>, begun: Option<Instant>) -> Self {
        let guard = flag.guard.as_ref();
        Self {
            number,
            definition: flag.definition,
            begun,
            people,
            pulse: Pulse::default(),
            fuse: guard.and_then(|guard| guard.fuse).map(|n| Fuse::new(n as usize)),
            stand: Stand::default(),
            network_signs: guard.map_or(Guard::NETWORK_SIGNS, |guard| guard.network_signs),
            at_step: ArcSwap::from_pointee(AtStep::new(flag, step)),
        }
    }

    /// Whether it wants to hear of what was asked then.
    pub(crate) fn hears(&self, asked: Instant) -> bool {
        self.begun.is_none_or(|begun| asked >= begun)
    }

    pub(crate) fn at_step(&self) -> Arc<AtStep> {
        self.at_step.load_full()
    }

    pub(crate) fn begin_step(&self, flag: &Flag, step: usize) {
        self.at_step.store(Arc::new(AtStep::new(flag, step)));
    }

    /// Fewer visitors are recorded at a step than came: some were forgotten, or the record was lost. They count when they come again,
    /// and one that is recorded still is recorded once.
    pub(crate) fn recount(&self, step: usize, recorded: u64) {
        if let Some(anew) = self.at_step.load().recounted(step, recorded) {
            self.at_step.store(Arc::new(anew));
        }
    }

    /// A unit meets the flag.
    pub(crate) fn meets(&self, meeting: &Meeting<'_>) {
        if self.people.met.meets(unit_key(meeting.unit)) {
            self.people.crowd.came(meeting.network.map(origin));
        }
    }

    pub(crate) fn has_met(&self, meeting: &Meeting<'_>) -> bool {
        self.people.met.has(unit_key(meeting.unit))
    }

    /// How many units it had to forget.
    pub(crate) fn forgotten(&self) -> u64 {
        self.people.met.forgotten()
    }

    /// The network, where it is one whose signs are limited.
    pub(crate) fn limited(&self, network: Option<Network>) -> Option<Origin> {
        let origin = network.filter(|_| self.network_signs > 0).map(origin)?;
        Some(origin).filter(|origin| !self.people.crowd.is_part(*origin))
    }

    pub(crate) fn outage(&self, now: i64) -> Option<Outage> {
        self.pulse.shared_outage(now)
    }

    /// The upstream of the variant, where it is away.
    pub(crate) fn upstream(&self) -> Option<Away> {
        self.stand.away()
    }

    /// An answer to a visitor who was drawn into an arm, at a step.
    pub(crate) fn answered(&self, outcome: &Outcome<'_>, arm: u8, step: usize, now: i64) -> Heard {
        let at = self.at_step.load();
        let meeting = &outcome.meeting;
        let treated = arm != 0;
        let limited = || self.limited(meeting.network);
        let comes = treated && at.step == step && at.came.comes(meeting.unit, limited);
        let abandoned = matches!(outcome.result, Answered::Abandoned(_));
        // a visitor who keeps another variant says nothing of either by itself, but counts where the draw counts
        let blown = if abandoned || meeting.variant != meeting.drawn {
            None
        } else {
            self.heard_of_arm(outcome, treated, &at, now)
        };
        Heard { comes, sign: at.sign(outcome.result), blown }
    }

    /// What an answer says of its arm. Returns why the fuse blows, if it does.
    fn heard_of_arm(&self, outcome: &Outcome<'_>, treated: bool, at: &AtStep, now: i64) -> Option<Blown> {
        let meeting = &outcome.meeting;
        let bad = outcome.result == Answered::Error;
        if matches!(outcome.result, Answered::Fallback(_)) {
            if treated {
                self.stand.fell_back(meeting.since, self.failed(meeting));
            }
            return None;
        }
        self.pulse.answered(treated, bad, now);
        if let (false, Some(limit), Answered::Fine(Some(latency))) = (treated, &at.limit, outcome.result) {
            limit.control_answered(latency, || self.limited(meeting.network));
        }
        if outcome.by_upstream {
            self.stand.answered();
        }
        let fuse = self.fuse.as_ref()?;
        match (treated, bad) {
            (true, true) => fuse.failed(self.failed(meeting)),
            (true, false) => {
                fuse.worked();
                None
            }
            (false, _) => fuse.compared(bad),
        }
    }

    fn failed(&self, meeting: &Meeting<'_>) -> Failed {
        let limited = self.limited(meeting.network).map(|origin| (origin, self.network_signs));
        Failed { unit: unit_key(meeting.unit), limited }
    }
}

impl AtStep {
    fn new(flag: &Flag, step: usize) -> Self {
        let limit = |slower: SlowerThan| match slower {
            SlowerThan::Time(limit) => Limit::stated(limit),
            SlowerThan::ControlP95 => Limit::of_control(),
        };
        let limit = flag.guard.as_ref().and_then(|guard| guard.slower_than).map(limit);
        Self { step, limit: limit.map(Arc::new), came: Came::new(enough(flag, step)) }
    }

    /// Counts anew who comes, where all were counted here and fewer are recorded.
    fn recounted(&self, step: usize, recorded: u64) -> Option<Self> {
        let Came { enough, count, .. } = &self.came;
        let is_short = recorded < *enough as u64 && count.load(Ordering::Relaxed) >= *enough;
        (self.step == step && is_short).then(|| Self { step, limit: self.limit.clone(), came: Came::new(*enough) })
    }

    fn sign(&self, result: Answered) -> Option<Sign> {
        let latency = match result {
            Answered::Error => return Some(Sign::Error),
            Answered::Fine(latency) | Answered::Fallback(latency) => latency?,
            Answered::Abandoned(waited) => waited,
        };
        self.limit.as_ref().is_some_and(|limit| limit.is_slow(latency)).then_some(Sign::Slow)
    }
}

impl Came {
    fn new(enough: usize) -> Self {
        Self {
            enough,
            count: AtomicUsize::new(0),
            units: std::array::from_fn(|_| Mutex::default()),
            quota: Mutex::default(),
        }
    }

    /// Whether a unit came for the first time, and is still to be counted. A network that is limited brings a tenth at most.
    fn comes(&self, unit: &str, limited: impl FnOnce() -> Option<Origin>) -> bool {
        if self.count.load(Ordering::Relaxed) >= self.enough {
            return false;
        }
        let unit = unit_key(unit);
        let place = usize::try_from(unit % SHARDS as u128).unwrap_or_default();
        let Some(units) = self.units.get(place) else { return false };
        // what a thread left when it panicked are still units
        let mut units = units.lock().unwrap_or_else(PoisonError::into_inner);
        if units.contains(&unit) || !self.admits(limited()) {
            return false;
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        units.insert(unit)
    }

    fn admits(&self, limited: Option<Origin>) -> bool {
        if limited.is_none() {
            return true;
        }
        let most = u32::try_from(self.enough as u64 / CROWD).unwrap_or(u32::MAX).max(1);
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
    usize::try_from(needed).unwrap_or(usize::MAX).min(MOST_COUNTED)
}
