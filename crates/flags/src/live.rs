//! The snapshot that holds now.
//!
//! One writer, many readers, no lock. A reader gets the whole snapshot, owned: whoever decided with it keeps it until the
//! answer is out, however often it is replaced meanwhile.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::Snapshot;

/// The one writer.
#[derive(Debug)]
pub struct Publisher(Arc<ArcSwap<Snapshot>>);

/// One of many readers; cheap to clone.
#[derive(Clone, Debug)]
pub struct Reader(Arc<ArcSwap<Snapshot>>);

/// A writer and a reader that begin with this snapshot.
#[must_use]
pub fn publisher(first: Snapshot) -> (Publisher, Reader) {
    let shared = Arc::new(ArcSwap::from_pointee(first));
    (Publisher(Arc::clone(&shared)), Reader(shared))
}

impl Publisher {
    /// Replaces the snapshot; whoever loads from now on gets this one.
    pub fn publish(&self, snapshot: Snapshot) {
        self.0.store(Arc::new(snapshot));
    }

    /// The snapshot that holds now.
    #[must_use]
    pub fn current(&self) -> Arc<Snapshot> {
        self.0.load_full()
    }

    /// One more reader.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader(Arc::clone(&self.0))
    }
}

impl Reader {
    /// The snapshot that holds now. Load once a request, and carry it.
    #[must_use]
    pub fn load(&self) -> Arc<Snapshot> {
        self.0.load_full()
    }
}
