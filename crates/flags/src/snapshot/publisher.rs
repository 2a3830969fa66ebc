//! The snapshot that holds now.
//!
//! One writer, many readers, no lock. A reader gets the whole snapshot, owned: it keeps the one it decided with until the answer is
//! out, however often the snapshot is replaced meanwhile.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;

use crate::{RecordedFacts, Snapshot};

/// The one writer. Snapshots come from one side and facts about their flags from another; each is joined with the newest of
/// the other here, so neither can undo the other.
#[derive(Debug)]
pub struct Publisher {
    shared: Arc<ArcSwap<Snapshot>>,
    facts: Mutex<RecordedFacts>,
}

/// One of many readers; cheap to clone.
#[derive(Clone, Debug)]
pub struct Reader(Arc<ArcSwap<Snapshot>>);

/// A writer and a reader that begin with this snapshot.
#[must_use]
pub fn publisher(first: Snapshot) -> (Publisher, Reader) {
    let shared = Arc::new(ArcSwap::from_pointee(first));
    (Publisher { shared: Arc::clone(&shared), facts: Mutex::default() }, Reader(shared))
}

impl Publisher {
    /// Replaces the snapshot; a reader that loads from now on gets this one, with the facts learned last.
    pub fn publish(&self, snapshot: &Snapshot) {
        let facts = self.lock();
        self.shared.store(Arc::new(snapshot.with_facts(&facts)));
    }

    /// Replaces what is recorded about flags, in the snapshot that holds and in all that follow.
    pub fn learn(&self, facts: RecordedFacts) {
        let mut known = self.lock();
        self.shared.store(Arc::new(self.current().with_facts(&facts)));
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
        self.shared.load_full()
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
        self.0.load_full()
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
    fn facts_meet_snapshots_in_whatever_order_they_come() {
        let (publisher, reader) = publisher(snapshot(1));
        let tripped = || {
            let snapshot = reader.load();
            snapshot.decide(&Subject::at(jiff::Timestamp::UNIX_EPOCH)).get("f").step() == DecisionStep::Tripped
        };
        assert!(!tripped());
        publisher.learn(RecordedFacts {
            tripped: vec![(Name::new("f").unwrap(), Definition(1))],
            ..RecordedFacts::default()
        });
        assert!(tripped(), "in the snapshot that held");
        publisher.publish(&snapshot(2));
        assert!(!tripped(), "an edit ends it");
        publisher.publish(&snapshot(1));
        assert!(tripped(), "in one that comes later");
        publisher.learn(RecordedFacts::default());
        assert!(!tripped());
    }
}
