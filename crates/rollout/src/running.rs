//! A controller at work, on a thread of its own.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use flagstaff_flags::{Publisher, RecordedFacts, Snapshot};
use flagstaff_layer::Observe;
use flagstaff_ledger::Location;
use flagstaff_source::{FactChannel, StateFolder};
use flagstaff_webhook::Hook;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use crate::controller::Controller;
use crate::last_known::{LastKnown, LastKnownWriter};
use crate::ledger_sync::LedgerSync;
use crate::messages::Message;
use crate::monitor::{GuardObserver, OutcomeMonitor};
use crate::webhooks::Webhooks;

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
    /// Receivers of facts. They are told once a fact is written down, or at once where there is no ledger.
    pub hooks: Vec<Hook>,
    /// Where facts are kept as they were last known: until the ledger is read, flags follow them.
    pub state: Option<StateFolder>,
    /// The flags are the last good ones, because their file cannot be used: serving them is no edit.
    pub is_last_good: bool,
    /// Where programs tell each other that facts were added to the ledger, beside what the ledger tells.
    pub facts: Option<Box<dyn FactChannel>>,
}

/// A controller at work, with the threads that tell receivers. Dropped, it writes down what it knows and ends; that takes three seconds
/// at most.
#[derive(Debug)]
pub struct RunningController {
    messages: mpsc::Sender<Message>,
    monitor: Arc<OutcomeMonitor>,
    thread: Option<std::thread::JoinHandle<()>>,
    last_known: Option<LastKnownWriter>,
    webhooks: Option<Webhooks>,
}

/// Tells a controller of snapshots that were published, and of other programs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SnapshotSender(mpsc::Sender<Message>);

impl SnapshotSender {
    /// A snapshot is in force. Waits while the controller has too much to do, so do not call it from async code.
    pub fn send(&self, snapshot: &Snapshot) {
        // a controller that ended needs no news
        let _ = self.0.blocking_send(Message::Published(Arc::new(snapshot.clone())));
    }

    /// No other program that runs with the same ledger has other flags. Where the file has a flag as it was earlier, somebody took it
    /// back. Never waits; one that is lost is told again.
    pub fn is_alone(&self) {
        let _ = self.0.try_send(Message::Alone);
    }
}

impl RunningController {
    /// Starts a controller of the flags of a publisher, and waits a little (3 s at most) for the ledger to be read. It blocks, so do not
    /// call it from async code.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(publisher: Arc<Publisher>, start: Start) -> std::io::Result<Self> {
        let Start { ledger, hooks, state, is_last_good, facts } = start;
        // before anything can happen
        let webhooks = Webhooks::start(hooks, ledger.as_ref(), &publisher.reader())?;
        let file = state.zip(ledger.as_ref()).map(|(folder, location)| LastKnown::new(folder, &location.to_string()));
        let (messages, received) = mpsc::channel(MAX_MESSAGES);
        let monitor = Arc::new(OutcomeMonitor::new(messages.clone(), publisher.reader()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        if ledger.is_some() {
            publisher
                .learn(RecordedFacts { unknown: true, ..file.as_ref().map(LastKnown::read).unwrap_or_default() });
        }
        let (ready, is_ready) = std::sync::mpsc::channel();
        let sync = ledger.map(|location| LedgerSync::new(location, messages.clone(), webhooks.sender()));
        let (link, mut sync) = sync.unzip();
        if let Some((sync, facts)) = sync.as_mut().zip(facts) {
            sync.tell_on(facts)?;
        }
        let controller = Controller::new(
            Arc::clone(&publisher),
            Arc::clone(&monitor),
            link,
            webhooks.sender(),
            ready,
            is_last_good,
        );
        let mut work = Work { controller, received, sync, has_begun: false, runtime };
        let thread = flagstaff_supervise::thread("rollouts", move || work.run())?;
        // whether in time or not, it runs
        let _ = is_ready.recv_timeout(FIRST_READING);
        let last_known = file.map(|file| file.keep(publisher)).transpose()?;
        Ok(Self { messages, monitor, thread: Some(thread), last_known, webhooks: Some(webhooks) })
    }

    /// What watches requests for guards, for [`FlagLayer::watched_by`](flagstaff_layer::FlagLayer::watched_by).
    #[must_use]
    pub fn observer(&self) -> Arc<dyn Observe> {
        Arc::new(GuardObserver::new(self.monitor()))
    }

    /// What counts answers, and knows what guards say.
    #[must_use]
    pub fn monitor(&self) -> Arc<OutcomeMonitor> {
        Arc::clone(&self.monitor)
    }

    /// What tells it of snapshots that were published.
    #[must_use]
    pub fn snapshots(&self) -> SnapshotSender {
        SnapshotSender(self.messages.clone())
    }

    /// Ends it, after what it knows is written down. Then receivers are told what is left, which takes as long as `wait` at most. Returns
    /// whether that was enough; what they were not told waits in the ledger, where there is one.
    #[must_use]
    pub fn stop(mut self, wait: Duration) -> bool {
        self.end();
        drop(self.last_known.take());
        self.webhooks.take().is_none_or(|webhooks| webhooks.stop(wait))
    }

    fn end(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        // `blocking_send` may not be called where tokio runs, and this may be dropped there
        while let Err(TrySendError::Full(_)) = self.messages.try_send(Message::Stop) {
            std::thread::sleep(FULL_PAUSE);
        }
        // it ended by itself
        let _ = thread.join();
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
        self.end();
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
