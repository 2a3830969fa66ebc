//! How far a request with a body and its answer have come: their two bodies tell each other.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use crate::body::BodyFault;

/// There is no answer yet.
const ASKED: u8 = 0;
/// The answer is under way.
const ANSWERING: u8 = 1;
/// The answer has ended.
const ANSWERED: u8 = 2;

/// How far one exchange has come.
#[derive(Debug, Default)]
pub(crate) struct ExchangeState {
    stage: AtomicU8,
    /// The fault of the request's body, plus one; 0: none.
    fault: AtomicU8,
}

impl ExchangeState {
    pub(crate) fn answering(&self) {
        let _ = self.stage.compare_exchange(ASKED, ANSWERING, Relaxed, Relaxed);
    }

    pub(crate) fn answered(&self) {
        self.stage.store(ANSWERED, Relaxed);
    }

    pub(crate) fn is_answering(&self) -> bool {
        self.stage.load(Relaxed) == ANSWERING
    }

    /// The request's body broke off.
    pub(crate) fn failed(&self, fault: BodyFault) {
        self.fault.store(fault as u8 + 1, Relaxed);
    }

    /// Why the request's body broke off, when it did. Not every error on the way to the app says so.
    pub(crate) fn fault(&self) -> Option<BodyFault> {
        let index = self.fault.load(Relaxed).checked_sub(1)?;
        BodyFault::ALL.get(usize::from(index)).copied()
    }
}
