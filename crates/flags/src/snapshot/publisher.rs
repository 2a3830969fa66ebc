//! The snapshot that holds now.
//!
//! One writer, many readers, no lock. A reader gets the whole snapshot, owned: it keeps the one it decided with until the answer is
//! out, however often the snapshot is replaced meanwhile.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

use crate::{RecordedFacts, Snapshot};

/// How often it is looked whether an old snapshot is still in use, and how long that is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const LONGEST_USE: Duration = Duration::from_secs(10);

/// Called after each replacement of the snapshot.
type Listener = Box<dyn Fn() + Send + Sync>;
/// Called with each snapshot before it is in force.
type Preparer = Box<dyn Fn(&Arc<Snapshot>) + Send + Sync>;

/// What the writer and all readers share.
struct Shared {
    snapshot: ArcSwap<Snapshot>,
    preparers: Mutex<Vec<Preparer>>,
    listeners: Mutex<Vec<Listener>>,
}

impl Shared {
    fn preparers(&self) -> MutexGuard<'_, Vec<Preparer>> {
        self.preparers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listeners(&self) -> MutexGuard<'_, Vec<Listener>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn replace(&self, snapshot: Snapshot) {
        let next = Arc::new(snapshot);
        for prepare in self.preparers().iter() {
            prepare(&next);
        }
        let before = self.snapshot.swap(next);
        for changed in self.listeners().iter() {
            changed();
        }
        let_go(before);
    }
}

/// Drops a snapshot when nobody else has it any more, on a thread of its own: of a large one that takes milliseconds, which the last request that
/// has it must not spend.
fn let_go(snapshot: Arc<Snapshot>) {
    if Arc::strong_count(&snapshot) == 1 {
        return;
    }
    let wait = move || {
        let end = Instant::now() + LONGEST_USE;
        while Arc::strong_count(&snapshot) > 1 && Instant::now() < end {
            std::thread::sleep(LOOK_EVERY);
        }
    };
    // where the system gives no thread, the last one that has it drops it
    let _ = std::thread::Builder::new().name("old-flags".into()).spawn(wait);
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("snapshot", &self.snapshot).finish_non_exhaustive()
    }
}

/// The one writer. Snapshots come from one side and facts about their flags from another; each is joined with the newest of
/// the other here, so neither can undo the other.
#[derive(Debug)]
pub struct Publisher {
    shared: Arc<Shared>,
    facts: Mutex<RecordedFacts>,
}

/// One of many readers; cheap to clone.
#[derive(Clone, Debug)]
pub struct Reader(Arc<Shared>);

/// A writer and a reader that begin with this snapshot.
#[must_use]
pub fn publisher(first: Snapshot) -> (Publisher, Reader) {
    let shared = Arc::new(Shared {
        snapshot: ArcSwap::from_pointee(first),
        preparers: Mutex::default(),
        listeners: Mutex::default(),
    });
    (Publisher { shared: Arc::clone(&shared), facts: Mutex::default() }, Reader(shared))
}

impl Publisher {
    /// Replaces the snapshot; a reader that loads from now on gets this one, with the facts learned last.
    pub fn publish(&self, snapshot: &Snapshot) {
        let facts = self.lock();
        self.shared.replace(snapshot.with_facts(&facts));
    }

    /// Replaces what is recorded about flags, in the snapshot that holds and in all that follow.
    pub fn learn(&self, facts: RecordedFacts) {
        let mut known = self.lock();
        self.shared.replace(self.current().with_facts(&facts));
        *known = facts;
    }

    /// What is recorded about flags, as it was learned last.
    #[must_use]
    pub fn recorded(&self) -> RecordedFacts {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, RecordedFacts> {
        // whatever a thread that panicked left is whole: facts are only ever replaced
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The snapshot that holds now.
    #[must_use]
    pub fn current(&self) -> Arc<Snapshot> {
        self.shared.snapshot.load_full()
    }

    /// One more reader.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader(Arc::clone(&self.shared))
    }
}

impl Reader {
    /// The snapshot that holds now. Load once a request, and carry it.
    #[must_use]
    pub fn load(&self) -> Arc<Snapshot> {
        self.0.snapshot.load_full()
    }

    /// Whether this snapshot is the one that holds now. It costs less than to load that one.
    #[must_use]
    pub fn is_current(&self, snapshot: &Arc<Snapshot>) -> bool {
        Arc::ptr_eq(&self.0.snapshot.load(), snapshot)
    }

    /// Has this called with each snapshot before it is in force, as long as there is a writer: what is derived from it can be made then, and not while a
    /// request waits. It is called on the writer's thread, and must replace nothing.
    pub fn before_change(&self, prepare: impl Fn(&Arc<Snapshot>) + Send + Sync + 'static) {
        self.0.preparers().push(Box::new(prepare));
    }

    /// Has this called after each replacement of the snapshot, as long as there is a writer. It is called on the writer's thread, so it must
    /// return at once and replace nothing.
    pub fn on_change(&self, listener: impl Fn() + Send + Sync + 'static) {
        self.0.listeners().push(Box::new(listener));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DecisionStep, Definition, Flag, Name, Subject};

    fn snapshot(definition: u64) -> Snapshot {
        let mut flag = Flag::new(Name::new("f").unwrap());
        flag.definition = Definition(definition);
        Snapshot::new("r", vec![flag], vec![], vec![], vec![]).unwrap()
    }

    #[test]
    fn listeners_hear_of_each_replacement() {
        let (publisher, reader) = publisher(snapshot(1));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (ear, flags) = (Arc::clone(&heard), reader.clone());
        reader.on_change(move || ear.lock().unwrap().push(flags.load().flags()[0].definition));
        publisher.publish(&snapshot(2));
        publisher.learn(RecordedFacts::default());
        assert_eq!(*heard.lock().unwrap(), [Definition(2), Definition(2)]);
    }

    #[test]
    fn what_is_derived_is_made_before_it_is_in_force() {
        let (publisher, reader) = publisher(snapshot(1));
        let made = Arc::new(Mutex::new(Vec::new()));
        let (ear, flags) = (Arc::clone(&made), reader.clone());
        reader.before_change(move |next| {
            ear.lock().unwrap().push((next.flags()[0].definition, flags.load().flags()[0].definition));
        });
        publisher.publish(&snapshot(2));
        publisher.publish(&snapshot(3));
        assert_eq!(*made.lock().unwrap(), [(Definition(2), Definition(1)), (Definition(3), Definition(2))]);
    }

    #[test]
    fn an_old_snapshot_goes_when_nobody_has_it() {
        let (publisher, reader) = publisher(snapshot(1));
        let in_use = reader.load();
        let old = Arc::downgrade(&in_use);
        publisher.publish(&snapshot(2));
        assert!(old.upgrade().is_some());
        drop(in_use);
        let end = Instant::now() + Duration::from_secs(60);
        while old.upgrade().is_some() {
            assert!(Instant::now() < end, "it is kept");
            std::thread::sleep(LOOK_EVERY);
        }
    }

    #[test]
    fn facts_meet_snapshots_in_whatever_order_they_come() {
        let (publisher, reader) = publisher(snapshot(1));
        let tripped = || {
            let snapshot = reader.load();
            snapshot.decide(&Subject::at(jiff::Timestamp::UNIX_EPOCH)).get("f").step() == DecisionStep::Tripped
        };
        assert!(!tripped());
        let before = reader.load();
        assert!(reader.is_current(&before));
        publisher.learn(RecordedFacts {
            tripped: vec![(Name::new("f").unwrap(), Definition(1))],
            ..RecordedFacts::default()
        });
        assert!(tripped(), "in the snapshot that held");
        assert!(!reader.is_current(&before) && reader.is_current(&reader.load()));
        publisher.publish(&snapshot(2));
        assert!(!tripped(), "an edit ends it");
        publisher.publish(&snapshot(1));
        assert!(tripped(), "in one that comes later");
        publisher.learn(RecordedFacts::default());
        assert!(!tripped());
    }
}
