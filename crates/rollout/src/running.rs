//! A controller at work, on a thread of its own.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use flagstaff_flags::{Publisher, RecordedFacts, Snapshot};
use flagstaff_ledger::Location;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use crate::controller::Controller;
use crate::ledger_sync::LedgerSync;
use crate::messages::Message;
use crate::monitor::OutcomeMonitor;
use crate::webhooks::WebhookSender;

/// Messages that wait for the controller at most; what comes beyond is dropped and counted.
const MAX_MESSAGES: usize = 65_536;
/// How long the start waits for what is recorded. Until it is known, flags with a rollout or a guard stay off.
const FIRST_READING: Duration = Duration::from_secs(3);
/// How long the end waits before it tries again to tell a controller that has too much to do.
const FULL_PAUSE: Duration = Duration::from_millis(5);

/// What a controller begins with. The default has no ledger: guards work, but nothing outlives the process and no rollout goes to its
/// next step.
#[derive(Debug, Default)]
pub struct Start {
    /// Where facts and signs are kept.
    pub ledger: Option<Location>,
    /// Hears of facts once they are written down, or at once where there is no ledger.
    pub webhooks: WebhookSender,
    /// Facts as they were last known: flags follow them until the ledger is read.
    pub last_known: RecordedFacts,
    /// The flags are the last good ones, because their file cannot be used: serving them is no edit.
    pub is_last_good: bool,
}

/// A controller at work. Dropped, it writes down what it knows and ends; that takes three seconds at most.
#[derive(Debug)]
pub struct RunningController {
    messages: mpsc::Sender<Message>,
    monitor: Arc<OutcomeMonitor>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// Tells a controller of snapshots that were published. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SnapshotSender(mpsc::Sender<Message>);

impl SnapshotSender {
    /// A snapshot is in force. Waits while the controller has too much to do, so do not call it from async code.
    pub fn send(&self, snapshot: &Snapshot) {
        // a controller that ended needs no news
        let _ = self.0.blocking_send(Message::Published(Arc::new(snapshot.clone())));
    }
}

impl RunningController {
    /// Starts a controller of the flags of a publisher, and waits a little (3 s at most) for the ledger to be read. It blocks, so do not
    /// call it from async code.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(publisher: Arc<Publisher>, start: Start) -> std::io::Result<Self> {
        let Start { ledger, webhooks, last_known, is_last_good } = start;
        let (messages, received) = mpsc::channel(MAX_MESSAGES);
        let monitor = Arc::new(OutcomeMonitor::new(messages.clone(), publisher.reader()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        if ledger.is_some() {
            publisher.learn(RecordedFacts { unknown: true, ..last_known });
        }
        let (ready, is_ready) = std::sync::mpsc::channel();
        let sync = ledger.map(|place| LedgerSync::new(place, messages.clone(), webhooks.clone()));
        let (commands, sync) = sync.unzip();
        let controller = Controller::new(publisher, Arc::clone(&monitor), commands, webhooks, ready, is_last_good);
        let mut work = Work { controller, received, sync, has_begun: false, runtime };
        let thread = flagstaff_supervise::thread("rollouts", move || work.run())?;
        // whether in time or not, it runs
        let _ = is_ready.recv_timeout(FIRST_READING);
        Ok(Self { messages, monitor, thread: Some(thread) })
    }

    /// What counts answers: an observer for [`FlagLayer`](flagstaff_layer::FlagLayer).
    #[must_use]
    pub fn monitor(&self) -> Arc<OutcomeMonitor> {
        Arc::clone(&self.monitor)
    }

    /// What tells it of snapshots that were published.
    #[must_use]
    pub fn snapshots(&self) -> SnapshotSender {
        SnapshotSender(self.messages.clone())
    }

    /// Messages that it has not taken yet.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        MAX_MESSAGES - self.messages.capacity()
    }

    /// Ends it with a panic.
    #[cfg(test)]
    pub(crate) fn panic(&self) {
        self.messages.blocking_send(Message::Panic).unwrap();
    }
}

impl Drop for RunningController {
    fn drop(&mut self) {
        // `blocking_send` may not be called where tokio runs, and this may be dropped there
        while let Err(TrySendError::Full(_)) = self.messages.try_send(Message::Stop) {
            std::thread::sleep(FULL_PAUSE);
        }
        if let Some(thread) = self.thread.take() {
            // it ended by itself
            let _ = thread.join();
        }
    }
}

/// What the controller's thread does, and what it keeps should it end with a panic: messages that wait, what was decided, and what is
/// still to be written down.
struct Work {
    controller: Controller,
    received: mpsc::Receiver<Message>,
    sync: Option<LedgerSync>,
    has_begun: bool,
    /// The last to be dropped: connections to the ledger are closed on it.
    runtime: tokio::runtime::Runtime,
}

impl Work {
    fn run(&mut self) {
        if std::mem::replace(&mut self.has_begun, true) {
            self.recover();
        }
        let Self { runtime, controller, received, sync, .. } = self;
        runtime.block_on(async {
            let (ending, ended) = oneshot::channel();
            let controlling = async {
                controller.run(received).await;
                // a ledger that failed listens no more
                let _ = ending.send(());
            };
            match sync {
                Some(sync) => drop(tokio::join!(controlling, sync.run(ended))),
                None => controlling.await,
            }
        });
    }

    fn recover(&mut self) {
        if let Some(sync) = &mut self.sync {
            sync.recover(self.controller.is_ready(), self.controller.facts());
        }
        self.controller.recover();
    }
}
