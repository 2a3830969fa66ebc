//! Futures that are hardly ever ready, beside one that is asked all the time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::AcqRel, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

/// Asks a future only after it has called: a task that is woken for something else pays nothing for it.
#[derive(Debug)]
pub(super) struct WakeFilter<F> {
    future: F,
    call: Option<(Arc<Call>, Waker)>,
}

#[derive(Debug)]
struct Call {
    task: Waker,
    called: AtomicBool,
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.called.swap(true, AcqRel) {
            self.task.wake_by_ref();
        }
    }
}

impl<F> WakeFilter<F> {
    pub(super) const fn new(future: F) -> Self {
        Self { future, call: None }
    }
}

fn first_call(task: &Waker) -> (Arc<Call>, Waker) {
    let call = Arc::new(Call { task: task.clone(), called: AtomicBool::new(true) });
    let waker = Waker::from(Arc::clone(&call));
    (call, waker)
}

impl<F: Future + Unpin> Future for WakeFilter<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.get_mut();
        let known = this.call.take().filter(|(call, _)| call.task.will_wake(cx.waker()));
        let (call, waker) = this.call.insert(known.unwrap_or_else(|| first_call(cx.waker())));
        if !call.called.load(Relaxed) || !call.called.swap(false, AcqRel) {
            return Poll::Pending;
        }
        Pin::new(&mut this.future).poll(&mut Context::from_waker(waker))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::poll_fn;
    use std::pin::pin;
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_asked_when_it_calls_and_only_then() {
        let asked = Cell::new(0);
        let counted = async {
            let mut sleep = pin!(tokio::time::sleep(Duration::from_secs(1)));
            poll_fn(|cx| {
                asked.set(asked.get() + 1);
                sleep.as_mut().poll(cx)
            })
            .await;
        };
        let mut filtered = WakeFilter::new(Box::pin(counted));
        for _ in 0..5 {
            assert!(poll_fn(|cx| Poll::Ready(Pin::new(&mut filtered).poll(cx))).await.is_pending());
        }
        assert_eq!(asked.get(), 1);
        filtered.await;
        assert_eq!(asked.get(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn it_calls_the_task_that_asked_last() {
        let filtered = WakeFilter::new(Box::pin(tokio::time::sleep(Duration::from_secs(1))));
        let mut filtered = Box::new(filtered);
        assert!(poll_fn(|cx| Poll::Ready(Pin::new(&mut *filtered).poll(cx))).await.is_pending());
        tokio::spawn(filtered).await.unwrap();
    }
}
