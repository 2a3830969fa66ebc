//! What is to be looked at in the ledger, and when.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flagstaff_ledger::{Location, News, NewsListener};
use tokio::sync::Notify;
use tokio::time::sleep;

/// How often the ledger is looked at that tells nothing by itself.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How often one is looked at that tells what is new: what it told may be lost on the way.
const LOOK_SLOWLY: Duration = Duration::from_secs(5);
/// How long to wait before listening again.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);

/// What is to be looked at. A thread that hears of something says so here.
#[derive(Debug)]
pub(super) struct Due {
    facts: AtomicBool,
    signs: AtomicBool,
    /// The ledger tells what is new.
    is_told: AtomicBool,
    wake: Notify,
}

impl Default for Due {
    fn default() -> Self {
        Self { facts: true.into(), signs: true.into(), is_told: false.into(), wake: Notify::new() }
    }
}

impl Due {
    /// There may be something new.
    pub(super) fn add(&self, news: News) {
        self.of(news).store(true, Ordering::SeqCst);
        self.wake.notify_one();
    }

    /// There may be anything.
    pub(super) fn add_all(&self) {
        self.add(News::Facts);
        self.add(News::Signs);
    }

    /// Whether this is due. It is not any more, unless it becomes so while it is looked at.
    pub(super) fn take(&self, news: News) -> bool {
        self.of(news).swap(false, Ordering::SeqCst)
    }

    /// Whether facts are due.
    pub(super) fn has_facts(&self) -> bool {
        self.facts.load(Ordering::SeqCst)
    }

    /// Waits until somebody says that something is due.
    pub(super) async fn changed(&self) {
        self.wake.notified().await;
    }

    /// After how long all is due.
    pub(super) fn look_every(&self) -> Duration {
        if self.is_told.load(Ordering::SeqCst) { LOOK_SLOWLY } else { LOOK_EVERY }
    }

    const fn of(&self, news: News) -> &AtomicBool {
        match news {
            News::Facts => &self.facts,
            News::Signs => &self.signs,
        }
    }

    /// Listens to what the ledger tells, without end. After a loss all is due: nobody knows what was told meanwhile.
    pub(super) async fn listen(&self, location: &Location) {
        loop {
            match NewsListener::connect(location).await {
                Ok(Some(listener)) => self.pass_on(listener).await,
                Ok(None) => std::future::pending().await,
                // who reads and writes says that it is away
                Err(error) => tracing::debug!(%error, "what the ledger tells cannot be heard"),
            }
            sleep(LISTEN_AGAIN).await;
        }
    }

    async fn pass_on(&self, mut listener: NewsListener) {
        self.is_told.store(true, Ordering::SeqCst);
        self.add_all();
        while let Ok(Some(news)) = listener.next().await {
            self.add(news);
        }
        self.is_told.store(false, Ordering::SeqCst);
        self.add_all();
    }
}
