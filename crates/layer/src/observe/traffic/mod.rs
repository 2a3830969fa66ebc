//! What people learn from traffic: which flags were asked for, what the last requests were like, what was decided just now.
//!
//! - `asked.rs`: how often each flag and variant was asked for, and when last.
//! - `spans.rs`: the same by span of time.
//! - `recent.rs`: the last visitors, without their ids, to see what an edit would do to them.
//! - `tail.rs`: the last decisions.
//!
//! On a request's way there is one counter per flag, and one queue that drops when it is full. All else is done by a thread of its own.
//! Everything is kept in memory alone, is bounded, and ends with the process.

mod asked;
mod recent;
mod spans;
mod tail;

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use flagstaff_flags::{KeptSubject, Snapshot};
use flagstaff_tag::Flags;
use http::{Method, Uri};
use jiff::Timestamp;

use self::asked::AskedFlags;
pub use self::asked::{AskedFlag, AskedVariant};
use self::recent::RecentVisitors;
use self::tail::Tail;
pub use self::tail::{TailDecision, TailRead, TailReader};
use crate::observe::{Answer, Observe, RequestContext};

/// Requests that wait for the thread. A request that finds it full is left out.
const QUEUE: usize = 4096;
const MOST_ROOM: isize = QUEUE.cast_signed();
/// How often the thread looks: nobody wakes it, so that no request pays for that.
const PERIOD: Duration = Duration::from_millis(20);
/// How long it works on requests at a time while somebody listens, and while nobody does: then a part of the visitors is enough. What is left waits, and
/// what waits is bounded. A request that comes meanwhile may wait as long, where both have one core.
const BUDGET_LISTENED_TO: Duration = Duration::from_millis(2);
const BUDGET: Duration = Duration::from_micros(500);
/// How many more requests may be put into the queue with each look while nobody listens, up to as many as it holds: 5,000 a second. Each costs its worker and the
/// thread a microsecond together, so beyond that they are not even noted.
const MORE_WITH_LOOK: isize = 100;
/// In how many looks it counts once what flags were asked for.
const LOOKS_OF_COUNT: u32 = 5;

/// How many looks ids are noted after the last listener has left: a client whose connection broke comes again and goes on.
const LOOKS_ALONE: u32 = 250;

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct TrafficSettings {
    /// The most visitors whose last request is kept; 0: none is, and decisions are noted only while somebody watches them.
    pub recent_visitors: usize,
}

/// Learns from the traffic of a layer. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Traffic(Arc<Inner>);

struct Inner {
    since: Timestamp,
    keeps_visitors: bool,
    queue: SyncSender<Message>,
    asked: AskedFlags,
    recent: Mutex<RecentVisitors>,
    tail: Mutex<Tail>,
    /// How many more requests are noted while nobody listens; below zero as 0.
    room: AtomicIsize,
    /// Requests that found the queue full.
    left_out: AtomicU64,
    listeners: AtomicUsize,
    /// Somebody listens, or did a moment ago and may come again.
    is_listened_to: AtomicBool,
}

enum Message {
    Seen(Seen),
    /// The visitor asks to be forgotten.
    Forget(Flags),
}

/// A request that came.
struct Seen {
    flags: Flags,
    method: Method,
    uri: Uri,
    is_page: bool,
    at: Timestamp,
    /// Somebody listened when it came.
    is_watched: bool,
}

impl Traffic {
    /// Starts the thread. It ends when the last clone is gone.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn start(settings: TrafficSettings) -> io::Result<Self> {
        let (queue, waiting) = sync_channel(QUEUE);
        let inner = Arc::new(Inner::new(settings, queue));
        let weak = Arc::downgrade(&inner);
        flagstaff_supervise::thread("traffic", move || follow(&weak, &waiting))?;
        Ok(Self(inner))
    }

    /// Since when it watches.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        self.0.since
    }

    /// Whether the last visitors are kept.
    #[must_use]
    pub fn keeps_visitors(&self) -> bool {
        self.0.keeps_visitors
    }

    /// The last visitors that counted, those who asked last at the end.
    #[must_use]
    pub fn recent(&self) -> Vec<Arc<KeptSubject>> {
        lock(&self.0.recent).all()
    }

    /// How often the flags of a snapshot were asked for, in its order.
    #[must_use]
    pub fn asked(&self, snapshot: &Arc<Snapshot>) -> Vec<AskedFlag> {
        self.0.asked.of(snapshot)
    }

    /// Decisions from now on, with the ids of visitors. Those before are there without, where the last visitors are kept.
    #[must_use]
    pub fn listen(&self) -> TailReader {
        TailReader::new(Arc::clone(&self.0))
    }
}

impl Inner {
    fn new(settings: TrafficSettings, queue: SyncSender<Message>) -> Self {
        Self {
            since: Timestamp::now(),
            keeps_visitors: settings.recent_visitors > 0,
            queue,
            asked: AskedFlags::default(),
            recent: Mutex::new(RecentVisitors::new(settings.recent_visitors)),
            tail: Mutex::default(),
            room: AtomicIsize::new(MOST_ROOM),
            left_out: AtomicU64::new(0),
            listeners: AtomicUsize::new(0),
            is_listened_to: AtomicBool::new(false),
        }
    }

    fn is_listened_to(&self) -> bool {
        self.is_listened_to.load(Relaxed)
    }

    /// Forgets ids when nobody has listened for a while, and where no visitors are kept all decisions. Returns how long that is, in looks.
    fn look_for_listeners(&self, alone: u32) -> u32 {
        if self.listeners.load(Relaxed) > 0 {
            // one may have come in the moment in which the last look found none
            self.is_listened_to.store(true, Relaxed);
            return 0;
        }
        if alone < LOOKS_ALONE && self.is_listened_to() {
            return alone + 1;
        }
        if self.is_listened_to.swap(false, Relaxed) {
            let mut tail = lock(&self.tail);
            if self.keeps_visitors { tail.forget_ids() } else { tail.clear() }
        }
        0
    }

    /// Whether one more request may be noted.
    fn has_room(&self) -> bool {
        self.is_listened_to() || self.room.load(Relaxed) > 0 && self.room.fetch_sub(1, Relaxed) > 0
    }

    fn make_room(&self) {
        let lacks = MOST_ROOM - self.room.load(Relaxed);
        self.room.fetch_add(lacks.min(MORE_WITH_LOOK), Relaxed);
    }

    /// Puts a request into the queue, or leaves it out when that is full.
    fn note(&self, request: &RequestContext) {
        let seen = Seen {
            flags: request.flags.clone(),
            method: request.method.clone(),
            uri: request.uri.clone(),
            is_page: request.is_page,
            at: request.at,
            is_watched: self.is_listened_to(),
        };
        if self.queue.try_send(Message::Seen(seen)).is_err() {
            self.left_out.fetch_add(1, Relaxed);
        }
    }

    fn take(&self, message: Message) {
        match message {
            Message::Seen(seen) => {
                // nobody listens any more where ids were forgotten meanwhile
                let is_watched = seen.is_watched && self.is_listened_to();
                if self.keeps_visitors && seen.flags.counted().is_ok() {
                    lock(&self.recent).add(&seen.flags, seen.at);
                }
                if is_watched || self.keeps_visitors && seen.flags.counted().is_ok() {
                    lock(&self.tail).add(&seen, is_watched);
                }
            }
            Message::Forget(flags) => {
                if let Some(visitor) = flags.brought_visitor() {
                    lock(&self.recent).forget(visitor);
                    lock(&self.tail).forget(visitor);
                }
            }
        }
    }
}

impl Observe for Traffic {
    fn keeps_values(&self) -> bool {
        self.0.keeps_visitors
    }

    fn looks_at_all(&self) -> bool {
        self.0.is_listened_to()
    }

    fn requested(&self, request: &RequestContext) {
        self.0.asked.count(request);
        if (self.0.keeps_visitors || self.0.is_listened_to()) && self.0.has_room() {
            self.0.note(request);
        }
    }

    /// Noted only for those who watch, and only where an id is known that may be kept.
    fn left_out(&self, request: &RequestContext) {
        if self.0.is_listened_to() && tail::may_be_shown(&request.flags) {
            self.0.note(request);
        }
    }

    fn answered(&self, _: &RequestContext, _: &Answer<'_>) {}

    fn forget(&self, flags: &Flags) -> bool {
        self.0.queue.try_send(Message::Forget(flags.clone())).is_ok()
    }
}

/// The thread's work until nobody observes any more.
fn follow(inner: &Weak<Inner>, waiting: &Receiver<Message>) {
    let mut alone = 0;
    let mut looks = (1..=LOOKS_OF_COUNT).cycle();
    while let Some(inner) = inner.upgrade() {
        alone = inner.look_for_listeners(alone);
        inner.make_room();
        let budget = if inner.is_listened_to() { BUDGET_LISTENED_TO } else { BUDGET };
        let began = Instant::now();
        while began.elapsed() < budget
            && let Ok(message) = waiting.try_recv()
        {
            inner.take(message);
        }
        if looks.next() == Some(LOOKS_OF_COUNT) {
            inner.asked.look(Timestamp::now());
        }
        drop(inner);
        std::thread::sleep(PERIOD);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // what a thread that panicked left is no worse than what it has not seen
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traffic").field("since", &self.0.since).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_noted_whole_and_a_flood_in_part_unless_somebody_listens() {
        let (queue, _waiting) = sync_channel(QUEUE);
        let inner = Inner::new(TrafficSettings { recent_visitors: 50 }, queue);
        let noted = || (0..2 * QUEUE).filter(|_| inner.has_room()).count();
        assert_eq!(noted(), QUEUE);
        inner.make_room();
        assert_eq!(noted(), MORE_WITH_LOOK.unsigned_abs());
        (0..3 * QUEUE).for_each(|_| inner.make_room());
        assert_eq!(noted(), QUEUE, "what was not used is no more than a burst");
        inner.is_listened_to.store(true, Relaxed);
        assert_eq!(noted(), 2 * QUEUE);
    }
}
