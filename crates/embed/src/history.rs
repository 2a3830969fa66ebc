//! Every revision of the flags that is accepted goes into the ledger, with the commit of git that it came with. That takes time, and so has a thread
//! of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use flagstaff_flags::RevisionSource;
use flagstaff_ledger::Recorder;
use flagstaff_operations::revisions::{accepted, last_commit};
use flagstaff_source::{FlagSource, Loaded};
use jiff::Timestamp;

/// As many revisions may wait for git.
const MOST_WAITING: usize = 64;

/// A revision that was accepted.
struct Accepted {
    loaded: Loaded,
    source: RevisionSource,
    at: Timestamp,
}

/// Where accepted revisions go. Cheap to clone.
#[derive(Clone)]
pub(crate) struct RevisionSender(Option<SyncSender<Accepted>>);

impl RevisionSender {
    /// A revision is in force.
    pub(crate) fn send(&self, loaded: &Loaded, source: RevisionSource) {
        let Some(sender) = &self.0 else { return };
        let accepted = Accepted { loaded: loaded.clone(), source, at: Timestamp::now() };
        if sender.try_send(accepted).is_err() {
            tracing::warn!("revisions of the flags come faster than they can be recorded: one is not in the history");
        }
    }
}

/// Records accepted revisions until it is dropped, and then what waits.
#[derive(Debug)]
pub(crate) struct RevisionLog {
    ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl RevisionLog {
    /// Starts the thread that records.
    ///
    /// # Errors
    /// When the system has no thread left.
    fn start(from: FlagSource, recorder: Recorder) -> std::io::Result<(RevisionSender, Self)> {
        let (sender, receiver) = sync_channel(MOST_WAITING);
        let ending = Arc::<AtomicBool>::default();
        let is_ending = Arc::clone(&ending);
        let thread = flagstaff_supervise::thread("history", move || record(&from, &recorder, &receiver, &is_ending))?;
        Ok((RevisionSender(Some(sender)), Self { ending, thread: Some(thread) }))
    }
}

impl Drop for RevisionLog {
    /// All senders must be gone.
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Where accepted revisions go, and what records them as long as it is there; nothing where there is no ledger.
///
/// # Errors
/// When the system has no thread left.
pub(crate) fn history(
    from: &FlagSource,
    recorder: Option<&Recorder>,
) -> std::io::Result<(RevisionSender, Option<RevisionLog>)> {
    let started = recorder.map(|recorder| RevisionLog::start(from.clone(), recorder.clone())).transpose()?;
    Ok(started.map_or((RevisionSender(None), None), |(sender, log)| (sender, Some(log))))
}

fn record(from: &FlagSource, recorder: &Recorder, receiver: &Receiver<Accepted>, is_ending: &AtomicBool) {
    while let Ok(Accepted { loaded, source, at }) = receiver.recv() {
        // nobody waits for git when the program ends
        let asks_git = source == RevisionSource::File && !is_ending.load(Ordering::Relaxed);
        let file = from.file().filter(|_| asks_git);
        let commit = file.and_then(|file| last_commit(&loaded.texts, file, from.overlay_file()));
        recorder.record_revision(accepted(from, &loaded, source, at, commit));
    }
}
