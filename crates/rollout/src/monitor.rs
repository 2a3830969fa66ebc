//! What hears of answers, in the request's way: it counts, and passes on what matters. It never waits.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use arc_swap::ArcSwap;
use flagstaff_experiment::guard::{Away, Blown, Origin, Outage, Sign};
use flagstaff_flags::{Definition, Flag, Name, Reader, Snapshot};
use flagstaff_layer::{Conversion, Meeting, Outcome, Outcomes};
use flagstaff_ledger::{FirstSign, came_at};
use metrics::counter;
use tokio::sync::mpsc;

use crate::flag_window::{Heard, People, Post};
use crate::ledger_sync::Told;

/// What the conductor hears.
#[derive(Debug)]
pub(crate) enum Word {
    /// A snapshot is in force.
    Loaded(Arc<Snapshot>),
    /// A unit showed a sign. It may not be its first. Of a network that is named, few count.
    Sign(Stamp, FirstSign, Option<Origin>),
    /// A unit came to the treatment at a step. It may have come before.
    Came(Stamp, FirstSign),
    /// A fuse blew.
    Blown(Stamp, Blown),
    /// The books have something to tell.
    Books(Told),
    /// Write down what is known, and end.
    Stop,
    /// End with a panic.
    #[cfg(test)]
    Fall,
}

/// To which beginning of a flag a word belongs.
#[derive(Clone, Debug)]
pub(crate) struct Stamp {
    pub(crate) flag: Name,
    pub(crate) definition: Definition,
    /// The post that heard it.
    post: u64,
}

/// Hears of answers, and watches over what needs every one of them.
pub struct Sentry {
    words: mpsc::Sender<Word>,
    reader: Reader,
    /// Read on every request; replaced when a flag begins.
    posts: ArcSwap<HashMap<Name, Arc<Post>>>,
    /// Held by those who replace it.
    change: Mutex<()>,
    /// The number of the newest post.
    newest: AtomicU64,
    started: Instant,
    /// What guards say to operators.
    said: Mutex<Vec<String>>,
}

impl Sentry {
    pub(crate) fn new(words: mpsc::Sender<Word>, reader: Reader) -> Self {
        Self {
            words,
            reader,
            posts: ArcSwap::default(),
            change: Mutex::default(),
            newest: AtomicU64::new(0),
            started: Instant::now(),
            said: Mutex::default(),
        }
    }

    /// What guards say to operators, each in a sentence.
    pub fn said(&self) -> Vec<String> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn say(&self, said: Vec<String>) {
        *self.said.lock().unwrap_or_else(PoisonError::into_inner) = said;
    }

    /// The outage that treatment and control of a flag share just now.
    pub(crate) fn outage(&self, flag: &str) -> Option<Outage> {
        self.posts.load().get(flag)?.outage(self.now())
    }

    /// The upstream of a flag's variant, where it is away.
    pub(crate) fn upstream(&self, flag: &str) -> Option<Away> {
        self.posts.load().get(flag)?.upstream()
    }

    /// How many units each guard had to forget, where it had to.
    pub(crate) fn forgotten(&self) -> Vec<(Name, u64)> {
        let posts = self.posts.load();
        let each = posts.iter().map(|(name, post)| (name.clone(), post.forgotten()));
        each.filter(|(_, forgotten)| *forgotten > 0).collect()
    }

    /// Whether a word is of the present beginning of its flag.
    pub(crate) fn is_current(&self, stamp: &Stamp) -> bool {
        self.posts.load().get(&stamp.flag).is_some_and(|post| post.number == stamp.post)
    }

    /// A flag begins anew: what was seen of it says nothing any more, but who met it is known still.
    pub(crate) fn begin(&self, flag: &Flag, step: usize) {
        self.change(|posts| {
            if let Some(post) = posts.get(&flag.name).filter(|post| post.definition == flag.definition) {
                let post = post.anew(self.next(), flag, step);
                posts.insert(flag.name.clone(), Arc::new(post));
            } else {
                posts.remove(&flag.name);
            }
        });
    }

    /// So many visitors are recorded at a step of a flag: where more were counted here, they are counted anew.
    pub(crate) fn recount(&self, flag: &Name, step: usize, recorded: u64) {
        let _one_at_a_time = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(post) = self.posts.load().get(flag) {
            post.recount(step, recorded);
        }
    }

    /// Forgets what was seen of other definitions of a flag than this.
    pub(crate) fn forget_others(&self, flag: &Name, definition: Definition) {
        if self.posts.load().get(flag).is_some_and(|post| post.definition != definition) {
            self.change(|posts| {
                posts.remove(flag);
            });
        }
    }

    /// Forgets flags that are not in force.
    pub(crate) fn retain(&self, snapshot: &Snapshot) {
        self.change(|posts| posts.retain(|name, _| snapshot.find(name.as_str()).is_some()));
    }

    fn change(&self, change: impl FnOnce(&mut HashMap<Name, Arc<Post>>)) {
        let _one_at_a_time = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let mut posts = HashMap::clone(&self.posts.load());
        change(&mut posts);
        self.posts.store(Arc::new(posts));
    }

    fn next(&self) -> u64 {
        self.newest.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Microseconds by a clock that nobody sets.
    fn now(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX)
    }

    /// What is known of a flag as a request was decided with it. None where that is another definition than the one in force, or
    /// where the flag has begun anew since: then the answer comes too late to say anything.
    fn post(&self, flag: &Flag, meeting: &Meeting<'_>) -> Option<Arc<Post>> {
        let known = |posts: &HashMap<Name, Arc<Post>>| {
            posts.get(&flag.name).filter(|post| post.definition == flag.definition).map(Arc::clone)
        };
        let post = match known(&self.posts.load()) {
            Some(post) => post,
            None => self.first(flag, known)?,
        };
        self.follow_step(&post, flag, meeting);
        post.hears(meeting.since).then_some(post)
    }

    /// The first answer of a flag as it is in force now.
    fn first(
        &self,
        flag: &Flag,
        known: impl Fn(&HashMap<Name, Arc<Post>>) -> Option<Arc<Post>>,
    ) -> Option<Arc<Post>> {
        let current = self.reader.load();
        let id = current.find(flag.name.as_str())?;
        current.flag(id).filter(|current| current.definition == flag.definition)?;
        let watched = |flag: &&Arc<Flag>| flag.guard.is_some() || flag.rollout.is_some();
        let flags = current.flags().iter().filter(watched).count();
        self.change(|posts| {
            if known(posts).is_none() {
                let post = Post::new(self.next(), flag, current.step(id), People::of_one_in(flags));
                posts.insert(flag.name.clone(), Arc::new(post));
            }
        });
        known(&self.posts.load())
    }

    /// A request of another step than the present one is late, or the first of a new step: the snapshot in force says which.
    fn follow_step(&self, post: &Post, flag: &Flag, meeting: &Meeting<'_>) {
        if post.at_step().step == meeting.snapshot.step(meeting.flag) {
            return;
        }
        let current = self.reader.load();
        let Some(step) = current.find(flag.name.as_str()).map(|id| current.step(id)) else { return };
        let _one_at_a_time = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        if post.at_step().step != step {
            post.begin_step(flag, step);
        }
    }

    fn pass_on(&self, word: Word) {
        // a text no store takes would keep all others from being written down
        if let Word::Sign(_, sign, _) | Word::Came(_, sign) = &word
            && sign.unit.contains('\0')
        {
            return;
        }
        if self.words.try_send(word).is_err() {
            counter!("flagstaff_guard_dropped_total").increment(1);
        }
    }

    fn sign(&self, sign: &Sign, post: &Post, stamp: Stamp, meeting: &Meeting<'_>, arm: u8) {
        let first = first_sign(sign.to_string(), meeting, arm);
        self.pass_on(Word::Sign(stamp, first, post.limited(meeting.network)));
    }
}

fn first_sign(sign: String, meeting: &Meeting<'_>, arm: u8) -> FirstSign {
    let step = meeting.snapshot.step(meeting.flag);
    FirstSign { sign, unit: meeting.unit.into(), variant: arm, step, at: meeting.at.as_microsecond() }
}

fn guarded<'a>(meeting: &Meeting<'a>) -> Option<(&'a Arc<Flag>, u8)> {
    let flag = meeting.snapshot.flag(meeting.flag)?;
    Some((flag, flag.arm(meeting.drawn)?))
}

impl Outcomes for Sentry {
    fn met(&self, meeting: &Meeting<'_>) {
        if let Some((flag, _)) = guarded(meeting)
            && let Some(post) = self.post(flag, meeting)
        {
            post.meets(meeting);
        }
    }

    fn has_met(&self, meeting: &Meeting<'_>) -> bool {
        let flag = meeting.snapshot.flag(meeting.flag);
        let post = flag.and_then(|flag| self.post(flag, meeting));
        post.is_some_and(|post| post.has_met(meeting))
    }

    fn answered(&self, outcome: &Outcome<'_>) {
        let meeting = &outcome.meeting;
        let Some((flag, arm)) = guarded(meeting) else { return };
        let Some(post) = self.post(flag, meeting) else { return };
        let step = meeting.snapshot.step(meeting.flag);
        let stamp = || Stamp { flag: flag.name.clone(), definition: flag.definition, post: post.number };
        let Heard { comes, sign, blown } = post.answered(outcome, arm, step, self.now());
        if comes {
            self.pass_on(Word::Came(stamp(), first_sign(came_at(step), meeting, arm)));
        }
        if let Some(sign) = sign {
            self.sign(&sign, &post, stamp(), meeting, arm);
        }
        if let Some(blown) = blown {
            self.pass_on(Word::Blown(stamp(), blown));
        }
    }

    fn converted(&self, conversion: &Conversion<'_>) {
        let meeting = &conversion.meeting;
        let Some((flag, arm)) = guarded(meeting) else { return };
        let Some(post) = self.post(flag, meeting) else { return };
        let stamp = Stamp { flag: flag.name.clone(), definition: flag.definition, post: post.number };
        self.sign(&Sign::Goal(conversion.goal.to_string()), &post, stamp, meeting, arm);
    }
}
