//! A recorder is started with a writer on a thread of its own.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::revisions::queue::RevisionQueue;
use crate::store::location::Location;
use crate::write::recorder::Recorder;
use crate::write::seen::SeenSet;
use crate::write::status::Shared;
use crate::write::writer::{Writer, WriterState};

/// How much is held, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerSettings {
    /// Where the ledger is.
    pub location: Location,
    /// Events that may wait; more are dropped.
    pub queue: usize,
    /// Exposures and visitors that are remembered as recorded.
    pub remembered: usize,
    /// Rows that are older are deleted; `None`: all are kept.
    pub keep: Option<Duration>,
    /// Of so many units, at least, results read the rows one by one; what is more becomes packed. A ledger with fewer units has no packs.
    pub unpacked: u32,
}

impl LedgerSettings {
    /// 65,536 events may wait, 200,000 exposures and visitors are remembered, all rows are kept, and 5,000 units may be unpacked.
    #[must_use]
    pub fn new(location: Location) -> Self {
        Self { location, queue: 65_536, remembered: 200_000, keep: None, unpacked: 5_000 }
    }
}

/// Holds the writer's thread. Dropping it ends the writer after what is under way.
#[derive(Debug)]
pub struct Keeper {
    stop: watch::Sender<bool>,
    ended: Mutex<std::sync::mpsc::Receiver<()>>,
}

impl Keeper {
    /// Writes what waits and closes the store. Returns whether that was done within `time`.
    #[must_use]
    pub fn close(self, time: Duration) -> bool {
        self.stop.send_replace(true);
        let ended = self.ended.into_inner().unwrap_or_else(PoisonError::into_inner);
        // the other end is dropped when the thread ends, however it does
        ended.recv_timeout(time) != Err(std::sync::mpsc::RecvTimeoutError::Timeout)
    }
}

impl Recorder {
    /// Starts a writer on a thread of its own. A store that is away now is waited for: this does not fail because of it.
    ///
    /// # Errors
    /// When the system gives no thread or no random number.
    pub fn start(settings: LedgerSettings) -> std::io::Result<(Self, Keeper)> {
        let (queue, events) = mpsc::channel(settings.queue.max(1));
        let (stop, stopped) = watch::channel(false);
        let (end, ended) = std::sync::mpsc::channel();
        let (seen, shared) = (Arc::new(SeenSet::new(settings.remembered)), Arc::<Shared>::default());
        let revisions = Arc::<RevisionQueue>::default();
        Shared::begin();
        let mut writer = Writer {
            location: settings.location,
            events,
            seen: Arc::clone(&seen),
            shared: Arc::clone(&shared),
            revisions: Arc::clone(&revisions),
            stop: stopped,
            keep: settings.keep,
            boot: getrandom::u64().map_err(std::io::Error::other)?.cast_signed(),
            state: WriterState::new(settings.unpacked),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        flagstaff_supervise::background_thread("ledger", move || {
            // dropped with the thread
            let _end = &end;
            runtime.block_on(writer.run());
        })?;
        Ok((Self::new(queue, seen, shared, revisions), Keeper { stop, ended: Mutex::new(ended) }))
    }
}
