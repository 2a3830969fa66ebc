//! A deadline that moves with every request and costs a timer only when it is near.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::{Instant, Sleep, sleep_until};

/// Registers one timer and lets it stand while the deadline moves on; when it fires early it is set again.
#[derive(Debug, Default)]
pub(crate) struct Deadline {
    deadline: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    /// Nothing is waited for any more.
    pub(crate) fn clear(&mut self) {
        self.deadline = None;
    }

    pub(crate) fn is_unset(&self) -> bool {
        self.deadline.is_none()
    }

    pub(crate) fn set(&mut self, deadline: Instant) {
        self.deadline = Some(deadline);
    }

    /// Ready once the deadline is over. Without one it stays pending and wakes nobody.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline else {
            return Poll::Pending;
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() > deadline {
            timer.as_mut().reset(deadline);
        }
        while timer.as_mut().poll(cx).is_ready() {
            if timer.deadline() >= deadline {
                self.deadline = None;
                self.timer = None;
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }

    /// What comes of a future before the deadline.
    pub(crate) async fn with<T>(&mut self, mut future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        poll_fn(|cx| {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                self.clear();
                return Poll::Ready(Some(output));
            }
            self.poll(cx).map(|()| None)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_ends_at_the_last_deadline_that_was_set() {
        let start = Instant::now();
        let mut timer = Deadline::default();
        timer.set(start + Duration::from_secs(5));
        assert!(poll_fn(|cx| Poll::Ready(timer.poll(cx))).await.is_pending());
        timer.set(start + Duration::from_secs(60));
        poll_fn(|cx| timer.poll(cx)).await;
        assert_eq!(start.elapsed().as_secs(), 60);
        timer.set(start + Duration::from_secs(90));
        assert!(poll_fn(|cx| Poll::Ready(timer.poll(cx))).await.is_pending());
        timer.set(start + Duration::from_secs(70));
        poll_fn(|cx| timer.poll(cx)).await;
        assert_eq!(start.elapsed().as_secs(), 70);
        assert!(timer.is_unset());
    }
}
