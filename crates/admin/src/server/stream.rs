//! An answer that goes on for as long as its client listens.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::Frame;
use tokio::sync::{OwnedSemaphorePermit, watch};

/// How long a stream may last. Browsers open it again by themselves.
pub(super) const MAX_STREAM_TIME: Duration = Duration::from_secs(60 * 60);

/// The body of a stream. It ends with the program, and gives its place back.
pub(super) struct Stream {
    body: Body,
    end: Pin<Box<dyn Future<Output = ()> + Send>>,
    _permit: OwnedSemaphorePermit,
}

impl Stream {
    pub(super) fn new(body: Body, permit: OwnedSemaphorePermit, mut closed: watch::Receiver<bool>) -> Self {
        let end = async move {
            // where the server is gone, so is the reason to go on
            let _ = tokio::time::timeout(MAX_STREAM_TIME, closed.wait_for(|closed| *closed)).await;
        };
        Self { body, end: Box::pin(end), _permit: permit }
    }
}

impl HttpBody for Stream {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.end.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        Poll::Ready(frame)
    }
}
