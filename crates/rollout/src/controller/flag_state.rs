//! One flag: where it stands, and what its guard saw.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use flagstaff_experiment::guard::{Evidence, GuardEvent, NetworkKey, Quota};
use flagstaff_flags::{Fact, FactKind, Flag, Guard, Name, Rollout, Standing};
use flagstaff_ledger::{FirstSign, FlagEpoch, NumberedSigns, stored_name};
use jiff::Timestamp;
use metrics::counter;
use tokio::time::Instant;

use super::guard_watch::{GuardWatch, Taken};
use super::hold_clock::HoldClock;
use super::lagging::Lag;
use super::notice::Notice;
use super::report::Shown;
use super::trouble::TroubleTracker;
use crate::monitor::unit_key;

/// Arrivals that were counted are good for so long.
const FRESH: Duration = Duration::from_secs(2);
/// A question without an answer is asked again after so long. The ledger may have been away when it was asked.
const ASK_AGAIN: Duration = Duration::from_secs(300);

/// A flag, where it stands, and what its guard saw.
pub(crate) struct FlagState {
    name: Name,
    standing: Standing,
    /// Its facts since it began, so that a ledger that lost them can be told again.
    facts: Vec<Fact>,
    flag: Option<Arc<Flag>>,
    watch: Option<GuardWatch>,
    /// How many signs each limited network brought, by sign.
    quotas: HashMap<String, Quota>,
    notices: Vec<Notice>,
    hold: HoldClock,
    trouble: TroubleTracker,
    lag: Lag,
    /// Signs that the ledger does not have yet.
    unsaved: Vec<FirstSign>,
    latest: i64,
    arrivals: Option<(Arrivals, Instant)>,
    /// Since when the ledger is asked who came.
    awaits_arrivals: Option<Instant>,
    shown: HashSet<Shown>,
}

/// Who came at a step.
#[derive(Clone, Debug)]
pub(crate) struct Arrivals {
    /// The step.
    pub(crate) step: usize,
    /// Units that were new at it, by arm.
    pub(crate) by_arm: Vec<u64>,
    /// Units that came to the treatment.
    pub(crate) treatment: u64,
}

impl FlagState {
    /// A flag with its facts so far; `None` without any.
    pub(crate) fn new(facts: &[Fact]) -> Option<Self> {
        let standing = Standing::of(facts)?;
        let epoch = standing.epoch;
        let name = facts.first()?.flag.clone();
        let facts = facts.iter().filter(|fact| fact.number >= epoch).cloned().collect();
        Some(Self {
            name,
            standing,
            facts,
            flag: None,
            watch: None,
            quotas: HashMap::new(),
            notices: Vec::new(),
            hold: HoldClock::default(),
            trouble: TroubleTracker::default(),
            lag: Lag::default(),
            unsaved: Vec::new(),
            latest: 0,
            arrivals: None,
            awaits_arrivals: None,
            shown: HashSet::new(),
        })
    }

    pub(crate) const fn name(&self) -> &Name {
        &self.name
    }

    pub(crate) const fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Its facts since it began.
    pub(crate) fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// The flag as it is in force; `None` when it is not.
    pub(crate) const fn flag(&self) -> Option<&Arc<Flag>> {
        self.flag.as_ref()
    }

    /// The flag, where it is on and its facts are about it as it is now: one that is off stays at its step.
    pub(crate) fn live_flag(&self) -> Option<Arc<Flag>> {
        let is_on = |flag: &&Arc<Flag>| flag.enabled && self.standing.switched_off.is_none();
        self.flag.as_ref().filter(|flag| flag.definition == self.standing.definition).filter(is_on).cloned()
    }

    pub(crate) fn set_flag(&mut self, flag: Option<Arc<Flag>>) {
        self.flag = flag;
    }

    pub(crate) const fn trouble(&mut self) -> &mut TroubleTracker {
        &mut self.trouble
    }

    /// Adds a fact. Returns whether the flag began anew with it.
    pub(crate) fn add(&mut self, fact: &Fact) -> bool {
        let before = self.standing.epoch;
        self.standing.add(fact);
        let anew = self.standing.epoch != before;
        if anew {
            self.facts.clear();
            self.unsaved.clear();
            self.quotas.clear();
            self.notices.clear();
        }
        self.facts.push(fact.clone());
        anew
    }

    /// Begins from its facts: what else was known may be half done.
    pub(crate) fn recover(&mut self) {
        if let Some(mut anew) = Self::new(&self.facts) {
            anew.standing.inherit(&self.standing);
            anew.inherit_limits(self);
            anew.inherit_lag(self);
            anew.unsaved = std::mem::take(&mut self.unsaved);
            anew.shown = std::mem::take(&mut self.shown);
            *self = anew;
        }
    }

    /// The ledger lost its facts: they have other numbers now. What was seen stays.
    pub(crate) fn renumber(&mut self, after: u64) {
        for (number, fact) in (after + 1..).zip(&mut self.facts) {
            fact.number = number;
        }
        if let Some(mut standing) = Standing::of(&self.facts) {
            standing.inherit(&self.standing);
            self.standing = standing;
        }
    }

    /// Begins to watch anew, where the flag is the one that its facts are about. Returns whether there is something to watch.
    pub(crate) fn begin_watch(&mut self, flag: Option<Arc<Flag>>) -> bool {
        self.flag = flag;
        self.trouble = TroubleTracker::default();
        self.arrivals = None;
        self.watch = self.flag_of_facts().and_then(|flag| GuardWatch::new(flag));
        self.watch.is_some()
    }

    /// Whether it has a guard and no tests that fit it: its facts became known before the flag.
    pub(crate) fn lacks_watch(&self) -> bool {
        let guarded = self.flag_of_facts().filter(|flag| flag.guard.is_some());
        guarded.is_some_and(|flag| self.watch.as_ref().is_none_or(|watch| !watch.fits(flag.definition)))
    }

    /// The flag, where its facts are about it as it is now.
    fn flag_of_facts(&self) -> Option<&Arc<Flag>> {
        self.flag.as_ref().filter(|flag| flag.definition == self.standing.definition)
    }

    /// Which signs are about it.
    pub(crate) fn epoch(&self) -> FlagEpoch {
        (self.name.clone(), self.standing.epoch)
    }

    /// The next signs of the ledger.
    pub(crate) fn feed(&mut self, after: u64, next: &NumberedSigns) {
        self.latest = next.signs.iter().map(|sign| sign.at).fold(self.latest, i64::max);
        let events = next.signs.iter().filter_map(event);
        self.watch.iter_mut().for_each(|watch| watch.feed(events.clone(), (after, next.up_to)));
    }

    /// Counts what was seen here without waiting for the ledger.
    pub(crate) fn feed_waiting(&mut self) {
        self.watch.iter_mut().for_each(GuardWatch::feed_waiting);
    }

    /// A sign that was seen here; `limited` is its network, where few signs of that network count. It waits for the ledger to number it.
    ///
    /// Which signs are left out depends on networks alone, never on the variant: so of those that count, each has the flag with the
    /// chance that its share says, and the test stays what it is.
    pub(crate) fn observe(&mut self, mut sign: FirstSign, limited: Option<NetworkKey>, most: usize) {
        if !self.has_room(&sign, limited) {
            counter!("flagstaff_guard_limited_total", "flag" => self.name.to_string()).increment(1);
            self.say_once(Notice::Limits);
            return;
        }
        if self.unsaved.len() >= most {
            counter!("flagstaff_guard_dropped_total").increment(1);
            return;
        }
        // as it comes back from the ledger
        sign.unit = stored_name(&sign.unit).into_owned();
        // in the order in which they were seen, whatever the clocks of the threads say
        sign.at = sign.at.max(self.latest + 1);
        let Some((watch, event)) = self.watch.as_mut().zip(event(&sign)) else { return };
        match watch.take(&event, sign.at, most) {
            Taken::New => self.keep(sign, limited),
            Taken::Full => self.say_once(Notice::Full),
            Taken::Dropped => counter!("flagstaff_guard_dropped_total").increment(1),
            Taken::Passed => {}
        }
    }

    fn keep(&mut self, sign: FirstSign, limited: Option<NetworkKey>) {
        if limited.is_some() {
            self.quotas.entry(sign.sign.clone()).or_default().brought(limited);
        }
        self.latest = sign.at;
        self.unsaved.push(sign);
    }

    fn has_room(&self, sign: &FirstSign, limited: Option<NetworkKey>) -> bool {
        let guard = self.flag.as_ref().and_then(|flag| flag.guard.as_ref());
        let most = guard.map_or(Guard::NETWORK_SIGNS, |guard| guard.network_signs);
        self.quotas.get(&sign.sign).is_none_or(|quota| quota.has_room(limited, most))
    }

    /// Goes on with what networks brought to the same flag before.
    pub(crate) fn inherit_limits(&mut self, before: &mut Self) {
        if before.standing.definition == self.standing.definition {
            self.quotas = std::mem::take(&mut before.quotas);
            self.notices = std::mem::take(&mut before.notices);
        }
    }

    /// Goes on with the lag of before.
    pub(crate) fn inherit_lag(&mut self, before: &mut Self) {
        self.lag = std::mem::take(&mut before.lag);
    }

    /// Goes on with the tests of before, where they are about the same: others were first with a fact, no more.
    pub(crate) fn inherit_watch(&mut self, before: &mut Self) {
        let is_same = before.epoch() == self.epoch() && before.standing.definition == self.standing.definition;
        if is_same {
            (self.flag, self.watch) = (before.flag.clone(), before.watch.take());
            (self.latest, self.unsaved) = (before.latest, std::mem::take(&mut before.unsaved));
        }
    }

    /// Says something in the log, unless it was said since the flag began.
    pub(crate) fn say_once(&mut self, notice: Notice) {
        if !self.notices.contains(&notice) {
            self.notices.push(notice);
            tracing::warn!(flag = self.name.as_str(), "{}", notice.text());
        }
    }

    /// What was said of its guard since the flag began.
    pub(crate) fn notices(&self) -> impl Iterator<Item = String> {
        self.notices.iter().map(|notice| format!("{}: {}", self.name, notice.text()))
    }

    /// How long its present step has been held.
    pub(crate) fn waited(&mut self, rollout: &Rollout, now: Timestamp) -> Duration {
        self.hold.waited(rollout, &self.standing, now)
    }

    /// A unit came to the treatment at a step.
    pub(crate) fn arrived(&mut self, sign: FirstSign, most: usize) {
        // signs find room where too many wait
        if self.unsaved.len() < most / 2 {
            self.unsaved.push(sign);
        } else {
            counter!("flagstaff_guard_dropped_total").increment(1);
        }
    }

    /// The alarm that its signs make, if any.
    pub(crate) fn alarm(&self) -> Option<&Evidence> {
        self.watch.as_ref()?.alarm()
    }

    /// What its tests rest on now.
    pub(crate) fn evidence(&self) -> Vec<Evidence> {
        self.watch.as_ref().map(GuardWatch::evidence).unwrap_or_default()
    }

    /// Notes what the metrics show of it. Returns what they showed before and no longer do.
    pub(crate) fn show(&mut self, shown: HashSet<Shown>) -> Vec<Shown> {
        let before = std::mem::replace(&mut self.shown, shown);
        before.into_iter().filter(|one| !self.shown.contains(one)).collect()
    }

    /// Takes the signs that the ledger does not have yet.
    pub(crate) fn take_unsaved(&mut self) -> Vec<FirstSign> {
        std::mem::take(&mut self.unsaved)
    }

    /// The ledger counted who came.
    pub(crate) fn set_arrivals(&mut self, arrivals: Arrivals) {
        self.arrivals = Some((arrivals, Instant::now()));
        self.awaits_arrivals = None;
    }

    /// What was counted is no longer good.
    #[cfg(test)]
    pub(crate) fn forget_arrivals(&mut self) {
        self.arrivals = None;
    }

    /// Who came at the present step, where that was counted a moment ago.
    pub(crate) fn arrivals(&self) -> Option<&Arrivals> {
        let (arrivals, at) = self.arrivals.as_ref()?;
        (arrivals.step == self.standing.step && at.elapsed() < FRESH).then_some(arrivals)
    }

    /// Waits for the ledger to count who came. Returns whether it did not wait before.
    pub(crate) fn await_arrivals(&mut self) -> bool {
        let waits = self.awaits_arrivals.is_some_and(|since| since.elapsed() < ASK_AGAIN);
        if !waits {
            self.awaits_arrivals = Some(Instant::now());
        }
        !waits
    }

    /// What was asked may never be answered.
    pub(crate) const fn stop_waiting(&mut self) {
        self.awaits_arrivals = None;
    }

    /// Whether the fact with which it began here is not among those that are recorded: others were first with its number.
    pub(crate) fn lacks_beginning(&self, recorded: &[Fact]) -> bool {
        let same = |fact: &Fact, other: &Fact| {
            (fact.number, fact.kind, fact.definition) == (other.number, other.kind, other.definition)
        };
        self.facts.first().is_some_and(|begun| !recorded.iter().any(|fact| same(fact, begun)))
    }

    /// The lag of its file behind its facts.
    pub(crate) const fn lag(&mut self) -> &mut Lag {
        &mut self.lag
    }

    /// What its guard decided since it began.
    pub(crate) fn decided_here(&self) -> Vec<Fact> {
        let decided = |fact: &&Fact| matches!(fact.kind, FactKind::Tripped | FactKind::Held | FactKind::Observed);
        self.facts.iter().filter(decided).cloned().collect()
    }

    /// The time of its newest fact. A clock that was set back changes no order.
    pub(crate) fn newest(&self) -> Timestamp {
        self.facts.last().map_or(Timestamp::MIN, |fact| fact.at)
    }

    /// The next fact about it, to be filled in. It gets its time when it is added.
    pub(crate) fn draft(&self, by: &str) -> Fact {
        Fact {
            flag: self.name.clone(),
            number: self.standing.number + 1,
            at: self.newest(),
            definition: self.standing.definition,
            kind: FactKind::Changed,
            step: self.standing.step,
            by: by.into(),
            why: String::new(),
            evidence: None,
        }
    }
}

/// Shares of the arms at a step, the control first.
pub(crate) fn shares(flag: &Flag, step: usize) -> Vec<f64> {
    flag.shares(step).into_iter().map(f64::from).collect()
}

fn event(sign: &FirstSign) -> Option<GuardEvent> {
    Some(GuardEvent { sign: sign.sign.parse().ok()?, arm: sign.variant, step: sign.step, unit: unit_key(&sign.unit) })
}
