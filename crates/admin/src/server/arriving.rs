//! The body of a question, on its way.
//!
//! A body that does not come is as little a question as a head that does not: its connection makes room for those who ask, and it has its time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use super::connection::HEAD_TIMEOUT;
use super::connection_limit::Admission;

/// How long a body may take in all: the draft of a large file comes over a slow line.
const MAX_BODY_TIME: Duration = Duration::from_secs(30);

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of a question. Its connection counts as silent until it is here, or nobody waits for it any more.
pub(super) struct Arriving {
    body: Incoming,
    admission: Arc<Admission>,
    /// As long as a head may take, anew with each part of the body.
    pause: Pin<Box<Sleep>>,
    latest: Instant,
    is_late: Arc<AtomicBool>,
}

impl Arriving {
    /// A body whose head is here. `is_late` comes to be true when it does not arrive in time.
    pub(super) fn new(body: Incoming, admission: Arc<Admission>, is_late: Arc<AtomicBool>) -> Self {
        if body.is_end_stream() {
            admission.request_arrived();
        }
        let latest = Instant::now() + MAX_BODY_TIME;
        Self { body, admission, pause: Box::pin(sleep(HEAD_TIMEOUT)), latest, is_late }
    }

    fn part_came(&mut self) {
        let now = Instant::now();
        self.pause.as_mut().reset((now + HEAD_TIMEOUT).min(self.latest));
        // one that drips for long is no better than one that does not come
        if now + MAX_BODY_TIME < self.latest + HEAD_TIMEOUT {
            self.admission.part_came();
        }
    }
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) else {
            if this.pause.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            this.is_late.store(true, Relaxed);
            return Poll::Ready(Some(Err("the body did not arrive in time".into())));
        };
        if frame.is_none() || this.body.is_end_stream() {
            this.admission.request_arrived();
        }
        this.part_came();
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Arriving {
    /// Its reader has what it wants, and answers.
    fn drop(&mut self) {
        self.admission.request_arrived();
    }
}
