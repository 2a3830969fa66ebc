//! How many connections there may be at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long somebody waits for a turn.
const WAIT_LIMIT: Duration = Duration::from_secs(5);

/// Turns to have a connection, which clones share.
#[derive(Clone)]
pub(crate) struct Turns {
    free: Arc<Semaphore>,
    most: usize,
}

/// A turn, until it is dropped.
pub(crate) struct Turn(#[expect(dead_code, reason = "it ends when it is dropped")] OwnedSemaphorePermit);

impl Turns {
    pub(crate) fn new(most: usize) -> Self {
        let most = most.clamp(1, Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(most)), most }
    }

    /// Waits for a turn, but not for long.
    pub(crate) async fn next(&self) -> Result<Turn, sqlx::Error> {
        let turn = tokio::time::timeout(WAIT_LIMIT, Arc::clone(&self.free).acquire_owned()).await;
        turn.ok().and_then(Result::ok).map(Turn).ok_or_else(|| {
            let most = self.most;
            let why = format!("all {most} connections of `ledger_connections` are in use; try again, or set more");
            sqlx::Error::InvalidArgument(why)
        })
    }
}

/// How many there are does not tell one ledger from another.
impl PartialEq for Turns {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Turns {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_their_turns() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let turns = Turns::new(2);
            let (first, second) = (turns.next().await, turns.clone().next().await);
            assert!(first.is_ok() && second.is_ok());
            let error = turns.next().await.err().unwrap().to_string();
            assert!(error.contains("all 2 connections"), "{error}");
            drop(first);
            assert!(turns.next().await.is_ok());
        });
    }
}
