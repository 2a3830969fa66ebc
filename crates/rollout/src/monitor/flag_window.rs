//! What a guard knows of one flag, by the answers to its visitors.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use arc_swap::ArcSwap;
use flagstaff_experiment::guard::{
    Blown, ErrorRateWindow, ExposedUnits, Failed, Fuse, Limit, NetworkKey, NetworkShares, Outage, Sign, UpstreamAway,
    UpstreamWatch,
};
use flagstaff_flags::{Definition, Flag, Guard};
use flagstaff_tag::Network;

use super::keys::origin;
use super::outcome::{Answered, Exposure, Outcome};
use super::step_window::StepWindow;
use crate::messages::WindowId;

/// Units that all guards of this process remember together.
const MAX_REMEMBERED: usize = 2 << 20;
/// Units that one guard remembers at least, and at most.
const REMEMBERED_EACH: std::ops::RangeInclusive<usize> = (1 << 14)..=(1 << 20);

/// What is known of one flag since it began, for one definition of it.
pub(super) struct FlagWindow {
    /// Which of all windows there ever were.
    pub(super) number: u64,
    pub(super) definition: Definition,
    /// Answers to earlier requests say nothing.
    begun: Option<Instant>,
    visitors: Arc<KnownVisitors>,
    error_rates: ErrorRateWindow,
    fuse: Option<Fuse>,
    upstream_watch: UpstreamWatch,
    network_signs: u32,
    /// `None` where nothing of a step matters: without rollout and time limit.
    step: Option<ArcSwap<StepWindow>>,
    /// Its number, which every request asks for.
    step_number: AtomicUsize,
}

/// The visitors who saw the flag. They stay known when a flag begins anew with the same definition.
pub(super) struct KnownVisitors {
    exposed: ExposedUnits,
    crowd: NetworkShares,
}

/// What follows from an answer.
#[derive(Default)]
pub(super) struct Signals {
    /// A unit came to the treatment at a step.
    pub(super) arrives: bool,
    /// What a guard counts.
    pub(super) sign: Option<Sign>,
    /// The fuse blew.
    pub(super) blown: Option<Blown>,
}

impl KnownVisitors {
    /// With as much room as there is for each of so many flags.
    pub(super) fn of_one_in(flags: usize) -> Self {
        let room = (MAX_REMEMBERED / flags.max(1)).clamp(*REMEMBERED_EACH.start(), *REMEMBERED_EACH.end());
        Self { exposed: ExposedUnits::new(room), crowd: NetworkShares::default() }
    }
}

impl FlagWindow {
    pub(super) fn new(number: u64, flag: &Flag, step: usize, visitors: KnownVisitors) -> Self {
        Self::with(number, flag, step, Arc::new(visitors), None)
    }

    /// The flag begins anew, and is defined as before.
    pub(super) fn restarted(&self, number: u64, flag: &Flag, step: usize) -> Self {
        Self::with(number, flag, step, Arc::clone(&self.visitors), Some(Instant::now()))
    }

    fn with(number: u64, flag: &Flag, step: usize, visitors: Arc<KnownVisitors>, begun: Option<Instant>) -> Self {
        let guard = flag.guard.as_ref();
        Self {
            number,
            definition: flag.definition,
            begun,
            visitors,
            error_rates: ErrorRateWindow::default(),
            fuse: guard.and_then(|guard| guard.fuse).map(|n| Fuse::new(n as usize)),
            upstream_watch: UpstreamWatch::default(),
            network_signs: guard.map_or(Guard::NETWORK_SIGNS, |guard| guard.network_signs),
            step: matters(flag).then(|| ArcSwap::from_pointee(StepWindow::new(flag, step))),
            step_number: AtomicUsize::new(step),
        }
    }

    /// What tells it apart from all others; `flag` is its flag.
    pub(super) fn id(&self, flag: &Flag) -> WindowId {
        WindowId { flag: flag.name.clone(), definition: self.definition, number: self.number }
    }

    /// Whether the answer to a request of then says something.
    pub(super) fn covers(&self, asked: Instant) -> bool {
        self.begun.is_none_or(|begun| asked >= begun)
    }

    pub(super) fn step(&self) -> usize {
        self.step_number.load(Ordering::Acquire)
    }

    pub(super) fn begin_step(&self, flag: &Flag, step: usize) {
        if let Some(own) = &self.step {
            own.store(Arc::new(StepWindow::new(flag, step)));
        }
        self.step_number.store(step, Ordering::Release);
    }

    /// Fewer visitors are recorded at a step than came: some were forgotten, or the record was lost. They count when they come again,
    /// and one that is recorded still is recorded once.
    pub(super) fn recount(&self, step: usize, recorded: u64) {
        let Some(own) = &self.step else { return };
        if let Some(anew) = own.load().recounted(step, recorded) {
            own.store(Arc::new(anew));
        }
    }

    /// A unit sees the flag.
    pub(super) fn exposed(&self, exposure: &Exposure<'_>) {
        if self.visitors.exposed.expose(exposure.key) {
            self.visitors.crowd.came(exposure.network.map(origin));
        }
    }

    pub(super) fn was_exposed(&self, exposure: &Exposure<'_>) -> bool {
        self.visitors.exposed.has(exposure.key)
    }

    /// How many units it had to forget.
    pub(super) fn forgotten(&self) -> u64 {
        self.visitors.exposed.forgotten()
    }

    /// The network, where it is one whose signs are limited.
    pub(super) fn limited(&self, network: Option<Network>) -> Option<NetworkKey> {
        let origin = network.filter(|_| self.network_signs > 0).map(origin)?;
        Some(origin).filter(|origin| !self.visitors.crowd.is_part(*origin))
    }

    pub(super) fn outage(&self, now: i64) -> Option<Outage> {
        self.error_rates.shared_outage(now)
    }

    /// The upstream of the variant, where it is away.
    pub(super) fn upstream(&self) -> Option<UpstreamAway> {
        self.upstream_watch.away()
    }

    /// An answer to a visitor who was drawn into an arm, at a step.
    pub(super) fn answered(
        &self,
        outcome: &Outcome<'_>,
        result: Answered,
        arm: u8,
        step: usize,
        now: i64,
    ) -> Signals {
        let at = self.step.as_ref().map(ArcSwap::load);
        let exposure = outcome.exposure;
        let treated = arm != 0;
        let limited = || self.limited(exposure.network);
        let arrives = treated && at.as_ref().is_some_and(|at| at.arrives(step, exposure.key, limited));
        let limit = at.as_ref().and_then(|at| at.limit());
        let abandoned = matches!(result, Answered::Abandoned(_));
        // a visitor who keeps another variant says nothing of either by itself, but counts where the draw counts
        let blown = if abandoned || exposure.variant != exposure.drawn {
            None
        } else {
            self.count_for_arm(outcome, result, treated, limit, now)
        };
        Signals { arrives, sign: sign(result, limit), blown }
    }

    /// What an answer says of its arm. Returns why the fuse blows, if it does.
    fn count_for_arm(
        &self,
        outcome: &Outcome<'_>,
        result: Answered,
        treated: bool,
        limit: Option<&Limit>,
        now: i64,
    ) -> Option<Blown> {
        let exposure = outcome.exposure;
        let bad = result == Answered::Error;
        if matches!(result, Answered::Fallback(_)) {
            if treated {
                self.upstream_watch.fell_back(exposure.since, self.failed(exposure));
            }
            return None;
        }
        self.error_rates.answered(treated, bad, now);
        if let (false, Some(limit), Answered::Fine(Some(latency))) = (treated, limit, result) {
            limit.control_answered(latency, || self.limited(exposure.network));
        }
        if outcome.by_upstream {
            self.upstream_watch.answered();
        }
        let fuse = self.fuse.as_ref()?;
        match (treated, bad) {
            (true, true) => fuse.failed(self.failed(exposure)),
            (true, false) => {
                fuse.worked();
                None
            }
            (false, _) => fuse.compared(bad),
        }
    }

    fn failed(&self, exposure: &Exposure<'_>) -> Failed {
        let limited = self.limited(exposure.network).map(|origin| (origin, self.network_signs));
        Failed { unit: exposure.key, limited }
    }
}

/// Whether anything of a step matters to the guard of a flag.
fn matters(flag: &Flag) -> bool {
    flag.rollout.is_some() || flag.guard.as_ref().is_some_and(|guard| guard.slower_than.is_some())
}

/// What a guard counts of an answer, if anything.
fn sign(result: Answered, limit: Option<&Limit>) -> Option<Sign> {
    let latency = match result {
        Answered::Error => return Some(Sign::Error),
        Answered::Fine(latency) | Answered::Fallback(latency) => latency?,
        Answered::Abandoned(waited) => waited,
    };
    limit.is_some_and(|limit| limit.is_slow(latency)).then_some(Sign::Slow)
}
