//! Wrong tokens are answered slowly, and only a few at once: so guessing is slow however many connections do it, and nothing about
//! those who guess is kept. A right token waits for nobody.

use std::net::SocketAddr;
use std::time::Duration;

use flagstaff_flags::LogThrottle;
use jiff::Timestamp;
use tokio::sync::Semaphore;

/// How long the answer to a wrong token takes.
const DELAY: Duration = Duration::from_millis(300);
/// Wrong tokens that are answered at once; further ones wait. That makes 27 guesses a second.
const ANSWERED_AT_ONCE: usize = 8;

/// Answers to wrong tokens, one after the other.
#[derive(Debug)]
pub(super) struct WrongTokens {
    places: Semaphore,
    log: LogThrottle,
}

impl Default for WrongTokens {
    fn default() -> Self {
        Self { places: Semaphore::new(ANSWERED_AT_ONCE), log: LogThrottle::new() }
    }
}

impl WrongTokens {
    /// Waits until a wrong token may be answered.
    pub(super) async fn wait(&self, peer: Option<SocketAddr>) {
        if let Some(times) = self.log.count(1, Timestamp::now()) {
            let peer = peer.map(|peer| peer.ip().to_string()).unwrap_or_default();
            tracing::warn!(peer, times, "a wrong token was sent to the operators' address");
        }
        let _place = self.places.acquire().await;
        tokio::time::sleep(DELAY).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn many_guesses_at_once_take_as_long_as_one_after_the_other() {
        let (wrong, begun) = (Arc::new(WrongTokens::default()), Instant::now());
        let guesses =
            (0..100).map(|_| Arc::clone(&wrong)).map(|wrong| tokio::spawn(async move { wrong.wait(None).await }));
        for guess in guesses.collect::<Vec<_>>() {
            guess.await.unwrap();
        }
        assert!(begun.elapsed() >= DELAY * 100 / 8, "{:?}", begun.elapsed());
    }
}
