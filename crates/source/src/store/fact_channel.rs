//! A channel beside the flags, on which programs tell each other that facts were added. What is told says nothing else: who hears it looks
//! into the ledger.

use std::fmt;
use std::io;
use std::sync::mpsc::SyncSender;

/// A channel on which it is told that facts were added. Nothing is asked before it is opened.
pub trait FactChannel: fmt::Debug + Send {
    /// Opens it. `heard` is called for what others tell, and also for what is told here; and whenever something may have been missed.
    ///
    /// # Errors
    /// When the system gives no thread.
    fn open(self: Box<Self>, heard: Box<dyn Fn() + Send>) -> io::Result<OpenFactChannel>;
}

/// A channel that is open: what is told there is heard, until it is dropped.
pub struct OpenFactChannel {
    /// Where it waits to be told, one at a time: what is told says nothing, so two are as good as three.
    pub(super) tell: SyncSender<()>,
    /// It is heard while this lives.
    pub(super) _hears: Box<dyn Send>,
}

impl OpenFactChannel {
    /// Tells that facts were added. It does not wait; a server that is away is not told.
    pub fn tell(&self) {
        // when it is full it is told anyway
        let _ = self.tell.try_send(());
    }
}

impl fmt::Debug for OpenFactChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenFactChannel").finish_non_exhaustive()
    }
}
