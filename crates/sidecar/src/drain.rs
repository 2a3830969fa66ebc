//! Stopping: what still runs, and how far the stop has come.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed, Ordering::SeqCst};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
pub(crate) use tokio_util::task::task_tracker::TaskTrackerToken as TaskToken;

/// Why the process stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StopReason {
    /// Nobody serves the addresses afterwards: late clients are still served during the linger.
    Terminate = 1,
    /// Another process serves them already.
    Handover = 2,
}

/// Tells background services when the process stops.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    draining: CancellationToken,
    finishing: CancellationToken,
}

impl Stop {
    /// Ends when the proxy begins to drain: requests still come and are answered.
    pub async fn draining(&self) {
        self.draining.cancelled().await;
    }

    /// Ends when the last connection is gone, or the time to drain is over: now is the time to finish.
    pub async fn finishing(&self) {
        self.finishing.cancelled().await;
    }
}

/// The state of stopping, one per process.
#[derive(Debug, Default)]
pub(crate) struct Drain {
    stop: Stop,
    /// A [`StopReason`]; 0 while the process runs.
    reason: AtomicU8,
    clients: TaskTracker,
    services: TaskTracker,
}

impl Drain {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn stop(&self) -> &Stop {
        &self.stop
    }

    /// For a connection, or for what accepts some.
    pub(crate) fn client(&self) -> TaskToken {
        self.clients.token()
    }

    /// For a background service.
    pub(crate) fn service(&self) -> TaskToken {
        self.services.token()
    }

    /// Read with every answer, so it takes no lock, as asking the token would.
    pub(crate) fn has_begun(&self) -> bool {
        self.reason.load(Relaxed) != 0
    }

    pub(crate) fn is_handover(&self) -> bool {
        self.reason.load(SeqCst) == StopReason::Handover as u8
    }

    pub(crate) fn begin(&self, reason: StopReason) {
        self.reason.store(reason as u8, SeqCst);
        self.stop.draining.cancel();
    }

    /// Waits for the last client for at most `limit`, then for the background services for at most `grace`. Returns how many
    /// connections were cut off.
    pub(crate) async fn finish(&self, limit: Duration, grace: Duration) -> usize {
        self.clients.close();
        let _ = tokio::time::timeout(limit, self.clients.wait()).await;
        let left = self.clients.len();
        self.stop.finishing.cancel();
        self.services.close();
        if tokio::time::timeout(grace, self.services.wait()).await.is_err() {
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
        let client = drain.client();
        assert!(!drain.has_begun());
        drain.begin(StopReason::Terminate);
        drain.stop().draining().await;
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(3)).await;
            drop(client);
        });
        assert_eq!(drain.finish(Duration::from_secs(30), Duration::ZERO).await, 0);
        drain.stop().finishing().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_drain_has_a_limit() {
        let drain = Drain::new();
        let _client = drain.client();
        drain.begin(StopReason::Handover);
        assert!(drain.is_handover());
        assert_eq!(drain.finish(Duration::from_secs(30), Duration::ZERO).await, 1);
    }
}
