//! Revisions that wait for the writer. They are few and precious, so they do not stand in one queue with what visitors do.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::revision::NewRevision;

/// As many wait while the store is away; of more, the oldest are lost.
const MOST_WAITING: usize = 32;

/// Revisions that wait, the oldest first.
#[derive(Default)]
pub(crate) struct RevisionQueue(Mutex<VecDeque<NewRevision>>);

impl RevisionQueue {
    fn lock(&self) -> MutexGuard<'_, VecDeque<NewRevision>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds one behind all others. Returns whether one was lost for it.
    pub(crate) fn push(&self, revision: NewRevision) -> bool {
        let mut waiting = self.lock();
        waiting.push_back(revision);
        waiting.len() > MOST_WAITING && waiting.pop_front().is_some()
    }

    /// Takes the first one.
    pub(crate) fn pop(&self) -> Option<NewRevision> {
        self.lock().pop_front()
    }

    /// Puts one back that could not be written.
    pub(crate) fn again(&self, revision: NewRevision) {
        self.lock().push_front(revision);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }
}
