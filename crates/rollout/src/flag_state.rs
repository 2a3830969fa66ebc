//! One flag in the conductor's care.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use flagstaff_experiment::guard::{Event, Evidence, Origin, Quota, Seen, Watch};
use flagstaff_experiment::rollout::waited;
use flagstaff_flags::{Fact, FactKind, Flag, Guard, Name, Rollout, Standing};
use flagstaff_ledger::FirstSign;
use jiff::Timestamp;
use metrics::counter;
use tokio::time::Instant;

use crate::keys::unit_key;

/// Who came is known for so long.
const FRESH: Duration = Duration::from_secs(2);
/// Signs that wait at most while those of before are read; what comes beyond is dropped and counted.
const EARLY_SIGNS: usize = 65_536;

/// A flag, where it stands, and what its guard saw.
pub(crate) struct Ward {
    name: Name,
    pub(crate) standing: Standing,
    /// Its facts since it began, so that a ledger that lost them can be told again.
    pub(crate) facts: Vec<Fact>,
    /// The flag as it is in force; none when it is not.
    pub(crate) flag: Option<Arc<Flag>>,
    watch: Option<Watch>,
    /// Signs that came while those of before were still being read.
    early: Option<Vec<(FirstSign, Option<Origin>)>>,
    /// What each network that is limited brought of each sign.
    brought: HashMap<String, Quota>,
    told: Vec<Notice>,
    held: Option<Held>,
    /// Signs that the ledger does not have yet.
    unsaved: Vec<FirstSign>,
    latest: i64,
    arrivals: Option<(usize, Vec<u64>, u64, Instant)>,
    /// Who came is asked and not answered yet.
    pub(crate) is_asked: bool,
}

/// What is said once of a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// One network brings more signs than count.
    Limits,
    /// Visitors who met the flag had to be forgotten.
    Forgets,
    /// No further signs can be counted.
    Full,
}

impl Notice {
    const fn words(self) -> &'static str {
        match self {
            Self::Limits => {
                "one network brings more errors, slow answers or goals than its part of the visitors; its further ones do not \
                 count for the guard"
            }
            Self::Forgets => {
                "more visitors meet the flag than its guard remembers; it forgets those that stayed away longest"
            }
            Self::Full => {
                "the guard remembers as many visitors as fit and counts no further ones; `flagstaff rollout FLAG reset` begins anew"
            }
        }
    }
}

/// How long a step has been held.
struct Held {
    /// The beginning, the step, and when the step was entered.
    which: (u64, usize, Timestamp),
    /// So long, when this program first looked at it, and when that was.
    before: Duration,
    looked_at: Instant,
}

impl Ward {
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
            early: None,
            brought: HashMap::new(),
            told: Vec::new(),
            held: None,
            unsaved: Vec::new(),
            latest: 0,
            arrivals: None,
            is_asked: false,
        })
    }

    /// Adds a fact. Returns whether the flag began anew with it.
    pub(crate) fn add(&mut self, fact: &Fact) -> bool {
        let before = self.standing.epoch;
        self.standing.add(fact);
        let anew = self.standing.epoch != before;
        if anew {
            self.facts.clear();
            self.unsaved.clear();
            self.brought.clear();
            self.told.clear();
        }
        self.facts.push(fact.clone());
        if let Some(shares) = self.flag.as_ref().map(|flag| shares(flag, self.standing.step)) {
            let step = self.standing.step;
            self.watch.iter_mut().for_each(|watch| watch.begin_step(step, &shares));
        }
        anew
    }

    /// Begins from its facts: what else was known may be half done.
    pub(crate) fn recover(&mut self) {
        if let Some(mut anew) = Self::new(&self.facts) {
            anew.limit_as(self);
            anew.unsaved = std::mem::take(&mut self.unsaved);
            *self = anew;
        }
    }

    /// The ledger lost its facts: they have other numbers now. What was seen stays.
    pub(crate) fn renumber(&mut self, after: u64) {
        for (number, fact) in (after + 1..).zip(&mut self.facts) {
            fact.number = number;
        }
        if let Some(standing) = Standing::of(&self.facts) {
            self.standing = standing;
        }
    }

    /// Begins to watch anew: at once, or once the signs of before are read.
    pub(crate) fn begin_watch(&mut self, wait_for_signs: bool) {
        self.arrivals = None;
        self.watch = self.flag.as_ref().and_then(|flag| Watch::replay(flag, self.standing.step, &[]));
        self.early = (wait_for_signs && self.watch.is_some()).then(Vec::new);
    }

    /// Whether signs of before are still being read.
    pub(crate) const fn waits_for_signs(&self) -> bool {
        self.early.is_some()
    }

    /// The signs of before; then those that came meanwhile.
    pub(crate) fn replay(&mut self, signs: &[FirstSign]) {
        let Some((early, flag)) = self.early.take().zip(self.flag.clone()) else {
            return;
        };
        self.latest = signs.last().map_or(0, |sign| sign.at);
        let events: Vec<_> = signs.iter().filter_map(event).collect();
        self.watch = Watch::replay(&flag, self.standing.step, &events);
        early.into_iter().for_each(|(sign, limited)| {
            let _ = self.see(sign, limited);
        });
    }

    /// A sign; of a network that is named, few count. Returns what it rests on when it makes an alarm.
    ///
    /// Which signs are left out depends on networks alone, never on the variant: so of those that count, each has the flag with the
    /// chance that its share says, and the test stays what it is.
    pub(crate) fn see(&mut self, mut sign: FirstSign, limited: Option<Origin>) -> Option<Box<Evidence>> {
        if let Some(early) = &mut self.early {
            if early.len() < EARLY_SIGNS {
                early.push((sign, limited));
            } else {
                counter!("flagstaff_guard_dropped_total").increment(1);
            }
            return None;
        }
        if !self.has_room(&sign, limited) {
            counter!("flagstaff_guard_limited_total", "flag" => self.name.to_string()).increment(1);
            self.tell_once(Notice::Limits);
            return None;
        }
        // in the order in which they were seen, whatever the clocks of the threads say: so they are read again
        sign.at = sign.at.max(self.latest + 1);
        let event = event(&sign)?;
        let seen = self.watch.as_mut()?.see(&event);
        if matches!(seen, Seen::Counted | Seen::Alarm(_)) {
            if limited.is_some() {
                self.brought.entry(sign.sign.clone()).or_default().brought(limited);
            }
            self.latest = sign.at;
            self.unsaved.push(sign);
        }
        match seen {
            Seen::Alarm(evidence) => return Some(evidence),
            Seen::Full => self.tell_once(Notice::Full),
            Seen::Counted | Seen::Again | Seen::Aside => {}
        }
        None
    }

    fn has_room(&self, sign: &FirstSign, limited: Option<Origin>) -> bool {
        let guard = self.flag.as_ref().and_then(|flag| flag.guard.as_ref());
        let most = guard.map_or(Guard::NETWORK_SIGNS, |guard| guard.network_signs);
        self.brought.get(&sign.sign).is_none_or(|brought| brought.has_room(limited, most))
    }

    /// Goes on with what networks brought to the same flag before.
    pub(crate) fn limit_as(&mut self, before: &mut Self) {
        if before.standing.definition == self.standing.definition {
            self.brought = std::mem::take(&mut before.brought);
            self.told = std::mem::take(&mut before.told);
        }
    }

    /// Says something in the log, unless it was said since the flag began.
    pub(crate) fn tell_once(&mut self, notice: Notice) {
        if self.told.contains(&notice) {
            return;
        }
        self.told.push(notice);
        tracing::warn!(flag = self.name.as_str(), "{}", notice.words());
    }

    /// What was said of its guard since the flag began.
    pub(crate) fn notices(&self) -> impl Iterator<Item = String> {
        self.told.iter().map(|notice| format!("{}: {}", self.name, notice.words()))
    }

    /// How long its present step has been held: by the clock on the wall until this program first looked, since then by one that
    /// nobody sets.
    pub(crate) fn waited(&mut self, rollout: &Rollout, now: Timestamp) -> Duration {
        if rollout.start().is_some_and(|start| now < start) {
            return Duration::ZERO;
        }
        let standing = &self.standing;
        let which = (standing.epoch, standing.step, standing.since);
        let held = match self.held.take().filter(|held| held.which == which) {
            Some(held) => held,
            None => Held { which, before: waited(rollout, standing, now), looked_at: Instant::now() },
        };
        let waited = held.before.saturating_add(held.looked_at.elapsed());
        self.held = Some(held);
        waited
    }

    /// A unit came to the treatment at a step.
    pub(crate) fn came(&mut self, sign: FirstSign) {
        self.unsaved.push(sign);
    }

    /// The alarm that its signs make, if any.
    pub(crate) fn alarm(&self) -> Option<Evidence> {
        self.watch.as_ref()?.alarms().next().cloned()
    }

    /// What its tests rest on now.
    pub(crate) fn evidence(&self) -> Vec<Evidence> {
        self.watch.as_ref().map(Watch::evidence).unwrap_or_default()
    }

    /// Takes the signs that the ledger does not have yet.
    pub(crate) fn take_unsaved(&mut self) -> Vec<FirstSign> {
        std::mem::take(&mut self.unsaved)
    }

    /// Who came at a step.
    pub(crate) fn arrived(&mut self, step: usize, arrivals: Vec<u64>, came: u64) {
        self.arrivals = Some((step, arrivals, came, Instant::now()));
        self.is_asked = false;
    }

    /// Who was new at the present step, and how many came to the treatment, where that is known of late.
    pub(crate) fn arrivals(&self) -> Option<(&[u64], u64)> {
        let (step, arrivals, came, at) = self.arrivals.as_ref()?;
        (*step == self.standing.step && at.elapsed() < FRESH).then_some((arrivals, *came))
    }

    /// What its guard decided since it began.
    pub(crate) fn decided_here(&self) -> Vec<Fact> {
        let decided = |fact: &&Fact| matches!(fact.kind, FactKind::Tripped | FactKind::Held | FactKind::Observed);
        self.facts.iter().filter(decided).cloned().collect()
    }

    /// The next fact about it, to be filled in.
    pub(crate) fn draft(&self, by: &str) -> Fact {
        let newest = self.facts.last().map_or(Timestamp::MIN, |fact| fact.at);
        Fact {
            flag: self.name.clone(),
            number: self.standing.number + 1,
            // a clock that was set back changes no order
            at: Timestamp::now().max(newest),
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
fn shares(flag: &Flag, step: usize) -> Vec<f64> {
    flag.shares(step).into_iter().map(f64::from).collect()
}

fn event(sign: &FirstSign) -> Option<Event> {
    Some(Event { sign: sign.sign.parse().ok()?, arm: sign.variant, step: sign.step, unit: unit_key(&sign.unit) })
}
