//! Stopping: who is still there, and how far the stop has come.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::time::Duration;

use tokio::sync::{Notify, watch};

/// How far a stop has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Running,
    Draining,
    Finishing,
}

/// Why the process stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Nobody serves the addresses afterwards: late clients are still served during the linger.
    Terminate = 1,
    /// Another process serves them already.
    Handover = 2,
}

/// Told to background services when the process stops.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<Stage>);

impl Stop {
    /// Ends when the proxy begins to drain: requests still come and are answered.
    pub async fn draining(&mut self) {
        self.reached(Stage::Draining).await;
    }

    /// Ends when the last connection is gone, or the time to drain is over: now is the time to finish.
    pub async fn finishing(&mut self) {
        self.reached(Stage::Finishing).await;
    }

    /// The proxy drains or is about to end.
    pub fn is_draining(&self) -> bool {
        *self.0.borrow() >= Stage::Draining
    }

    async fn reached(&mut self, stage: Stage) {
        // The sender lives as long as the process; without it there is nothing to wait for.
        let _ = self.0.wait_for(|now| *now >= stage).await;
    }
}

#[derive(Debug, Default)]
struct Count {
    number: AtomicUsize,
    empty: Notify,
}

/// Something that has to end before the process does: a connection, a listener, a background service.
#[derive(Debug)]
pub(crate) struct Present(Arc<Count>);

impl Present {
    fn new(count: &Arc<Count>) -> Self {
        count.number.fetch_add(1, SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        if self.0.number.fetch_sub(1, SeqCst) == 1 {
            self.0.empty.notify_waiters();
        }
    }
}

async fn empty(count: &Count) {
    loop {
        let told = count.empty.notified();
        if count.number.load(SeqCst) == 0 {
            return;
        }
        told.await;
    }
}

/// The state of stopping, one per process.
#[derive(Debug)]
pub(crate) struct Drain {
    stage: watch::Sender<Stage>,
    begun: AtomicBool,
    reason: AtomicU8,
    clients: Arc<Count>,
    services: Arc<Count>,
}

impl Drain {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            stage: watch::channel(Stage::Running).0,
            begun: AtomicBool::new(false),
            reason: AtomicU8::new(Reason::Terminate as u8),
            clients: Arc::default(),
            services: Arc::default(),
        })
    }

    pub(crate) fn stop(&self) -> Stop {
        Stop(self.stage.subscribe())
    }

    /// A connection, or somebody who accepts some.
    pub(crate) fn client(&self) -> Present {
        Present::new(&self.clients)
    }

    /// A background service.
    pub(crate) fn service(&self) -> Present {
        Present::new(&self.services)
    }

    /// Cheap: asked with every answer.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun.load(Relaxed)
    }

    pub(crate) fn is_handover(&self) -> bool {
        self.reason.load(SeqCst) == Reason::Handover as u8
    }

    pub(crate) fn begin(&self, reason: Reason) {
        self.reason.store(reason as u8, SeqCst);
        self.begun.store(true, SeqCst);
        self.stage.send_replace(Stage::Draining);
    }

    /// Waits for the last client, then for the background services, at most `limit` and `grace`.
    /// Says how many connections were cut off.
    pub(crate) async fn finish(&self, limit: Duration, grace: Duration) -> usize {
        let _ = tokio::time::timeout(limit, empty(&self.clients)).await;
        let left = self.clients.number.load(SeqCst);
        self.stage.send_replace(Stage::Finishing);
        if tokio::time::timeout(grace, empty(&self.services)).await.is_err() {
            tracing::warn!("a background service did not finish within {grace:?}");
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_drain_ends_with_its_last_client() {
        let drain = Drain::new();
        let (client, mut stop) = (drain.client(), drain.stop());
        assert!(!stop.is_draining());
        drain.begin(Reason::Terminate);
        stop.draining().await;
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(3)).await;
            drop(client);
        });
        assert_eq!(drain.finish(Duration::from_secs(30), Duration::ZERO).await, 0);
        stop.finishing().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_drain_has_a_limit() {
        let drain = Drain::new();
        let _client = drain.client();
        drain.begin(Reason::Handover);
        assert!(drain.is_handover());
        assert_eq!(drain.finish(Duration::from_secs(30), Duration::ZERO).await, 1);
    }
}
