//! What hears of answers, in the request's way: it counts, and passes on what matters. It never waits.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flagstaff_experiment::guard::{Blown, Fuse, Limit, Outage, Pulse, Sign};
use flagstaff_experiment::rollout::MIN_VISITORS;
use flagstaff_flags::{Definition, Flag, FlagId, Name, SlowerThan, Snapshot, VariantId};
use flagstaff_layer::{Conversion, Outcome, Outcomes};
use flagstaff_ledger::{FirstSign, came_at};
use jiff::Timestamp;
use metrics::counter;
use tokio::sync::mpsc;

use super::books::Told;
use super::ward::unit_key;

/// More who came are not counted one by one.
const MOST_COUNTED: usize = 1_000_000;

/// What the conductor hears.
#[derive(Debug)]
pub(super) enum Word {
    /// A snapshot is in force.
    Loaded(Arc<Snapshot>),
    /// A unit showed a sign. It may not be its first.
    Sign(Name, Definition, FirstSign),
    /// A unit came to the treatment at a step. It may have come before.
    Came(Name, Definition, FirstSign),
    /// A fuse blew.
    Blown(Name, Definition, Blown),
    /// The books have something to tell.
    Books(Told),
    /// Write down what is known, and end.
    Stop,
}

/// Hears of answers, and watches over what needs every one of them.
pub(crate) struct Sentry {
    words: mpsc::Sender<Word>,
    posts: Mutex<HashMap<Name, Post>>,
}

/// What is known of the recent answers of one flag, at one step of one definition.
struct Post {
    definition: Definition,
    step: usize,
    pulse: Pulse,
    fuse: Option<Fuse>,
    limit: Option<Limit>,
    /// Units that came to the treatment at this step, as many as it takes to go on.
    came: HashSet<u128>,
    enough: usize,
}

impl Post {
    fn new(flag: &Flag, step: usize) -> Self {
        let guard = flag.guard.as_ref();
        let limit = |slower: SlowerThan| match slower {
            SlowerThan::Time(limit) => Limit::stated(limit),
            SlowerThan::ControlP95 => Limit::of_control(),
        };
        Self {
            definition: flag.definition,
            step,
            pulse: Pulse::default(),
            fuse: guard.and_then(|guard| guard.fuse).map(|n| Fuse::new(n as usize)),
            limit: guard.and_then(|guard| guard.slower_than).map(limit),
            came: HashSet::new(),
            enough: enough(flag, step),
        }
    }

    /// Whether a unit came to the treatment for the first time at this step, and is still to be counted.
    fn comes(&mut self, outcome: &Outcome<'_>, arm: u8) -> bool {
        arm != 0 && self.came.len() < self.enough && self.came.insert(unit_key(outcome.unit))
    }

    /// An answer to somebody who was drawn into an arm. Returns what sign it is, if any, and why the fuse blows, if it does.
    fn answered(&mut self, outcome: &Outcome<'_>, arm: u8) -> (Option<Sign>, Option<Blown>) {
        if outcome.abandoned {
            return (self.sign(outcome), None);
        }
        if outcome.variant != outcome.drawn {
            // who keeps another variant says nothing of either by itself, but counts where the draw counts
            return (self.sign(outcome), None);
        }
        let treated = arm != 0;
        self.pulse.answered(treated, outcome.error, outcome.at.as_microsecond());
        let blown = self.fuse.as_mut().and_then(|fuse| {
            let unit = if outcome.error { unit_key(outcome.unit) } else { 0 };
            fuse.answered(treated, outcome.error, unit)
        });
        if let (false, Some(limit), Some(latency)) = (treated, &mut self.limit, outcome.latency) {
            limit.control_answered(latency);
        }
        (self.sign(outcome), blown)
    }

    fn sign(&self, outcome: &Outcome<'_>) -> Option<Sign> {
        if outcome.error {
            return Some(Sign::Error);
        }
        let slow = self.limit.as_ref().zip(outcome.latency).is_some_and(|(limit, latency)| limit.is_slow(latency));
        slow.then_some(Sign::Slow)
    }
}

impl Sentry {
    pub(super) fn new(words: mpsc::Sender<Word>) -> Self {
        Self { words, posts: Mutex::default() }
    }

    /// The outage that treatment and control of a flag share just now.
    pub(super) fn outage(&self, flag: &str, now: Timestamp) -> Option<Outage> {
        self.posts().get(flag)?.pulse.shared_outage(now.as_microsecond())
    }

    /// A flag begins anew: what was seen of it says nothing any more.
    pub(super) fn begin(&self, flag: &str) {
        self.posts().remove(flag);
    }

    /// Forgets flags that are not in force.
    pub(super) fn retain(&self, snapshot: &Snapshot) {
        self.posts().retain(|name, _| snapshot.find(name.as_str()).is_some());
    }

    fn posts(&self) -> MutexGuard<'_, HashMap<Name, Post>> {
        // whatever a thread that panicked left is still a count
        self.posts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answered_to(&self, flag: &Flag, step: usize, outcome: &Outcome<'_>, arm: u8) -> Heard {
        let mut posts = self.posts();
        let post = posts.entry(flag.name.clone()).or_insert_with(|| Post::new(flag, step));
        if post.definition != flag.definition {
            *post = Post::new(flag, step);
        } else if post.step < step {
            post.step = step;
            post.limit.iter_mut().for_each(Limit::begin_step);
            post.came.clear();
            post.enough = enough(flag, step);
        }
        let comes = post.step == step && post.comes(outcome, arm);
        let (sign, blown) = post.answered(outcome, arm);
        Heard { comes, sign, blown }
    }

    fn pass_on(&self, word: Word) {
        // a text no store takes would keep all others from being written down
        if let Word::Sign(.., sign) | Word::Came(.., sign) = &word
            && sign.unit.contains('\0')
        {
            return;
        }
        if self.words.try_send(word).is_err() {
            counter!("flagstaff_guard_dropped_total").increment(1);
        }
    }

    fn sign(
        &self,
        sign: &Sign,
        (snapshot, id, flag): (&Snapshot, FlagId, &Flag),
        arm: u8,
        unit: &str,
        at: Timestamp,
    ) {
        let step = snapshot.step(id);
        let first =
            FirstSign { sign: sign.to_string(), unit: unit.into(), variant: arm, step, at: at.as_microsecond() };
        self.pass_on(Word::Sign(flag.name.clone(), flag.definition, first));
    }

    fn came(&self, flag: &Flag, step: usize, arm: u8, outcome: &Outcome<'_>) {
        let (sign, unit, at) = (came_at(step), outcome.unit.into(), outcome.at.as_microsecond());
        let first = FirstSign { sign, unit, variant: arm, step, at };
        self.pass_on(Word::Came(flag.name.clone(), flag.definition, first));
    }
}

/// What an answer says.
struct Heard {
    comes: bool,
    sign: Option<Sign>,
    blown: Option<Blown>,
}

/// How many must have come at a step before it goes on.
fn enough(flag: &Flag, step: usize) -> usize {
    let stage = flag.rollout.as_ref().and_then(|rollout| rollout.steps().get(step));
    let needed = stage.map_or(0, |stage| stage.min_visitors.unwrap_or(MIN_VISITORS));
    usize::try_from(needed).unwrap_or(usize::MAX).min(MOST_COUNTED)
}

fn guarded(snapshot: &Snapshot, id: FlagId, variant: VariantId) -> Option<(&Flag, u8)> {
    let flag = snapshot.flag(id)?;
    Some((flag, flag.arm(variant)?))
}

impl Outcomes for Sentry {
    fn answered(&self, outcome: &Outcome<'_>) {
        let Some((flag, arm)) = guarded(outcome.snapshot, outcome.flag, outcome.drawn) else {
            return;
        };
        let step = outcome.snapshot.step(outcome.flag);
        let Heard { comes, sign, blown } = self.answered_to(flag, step, outcome, arm);
        if comes {
            self.came(flag, step, arm, outcome);
        }
        if let Some(sign) = sign {
            self.sign(&sign, (outcome.snapshot, outcome.flag, flag), arm, outcome.unit, outcome.at);
        }
        if let Some(blown) = blown {
            self.pass_on(Word::Blown(flag.name.clone(), flag.definition, blown));
        }
    }

    fn converted(&self, conversion: &Conversion<'_>) {
        let Some((flag, arm)) = guarded(conversion.snapshot, conversion.flag, conversion.drawn) else {
            return;
        };
        let sign = Sign::Goal(conversion.goal.to_string());
        self.sign(&sign, (conversion.snapshot, conversion.flag, flag), arm, conversion.unit, conversion.at);
    }
}
