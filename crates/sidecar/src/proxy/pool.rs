//! Connections to the app that wait for the next request, per worker thread.
//!
//! A worker is one thread, and everything it serves stays on it, so no lock is needed and a connection never wakes up
//! on another core.

use std::cell::RefCell;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use tokio::time::Instant;

use crate::body::{BoxError, RequestBody};
use crate::meters::{Failure, METERS};
use crate::wire::Patience;

/// One connection to the app, ready for a request.
#[derive(Debug)]
pub(crate) enum Sender {
    Http1(http1::SendRequest<RequestBody>),
    Http2(http2::SendRequest<RequestBody>),
}

impl Sender {
    pub(crate) async fn send(
        &mut self,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, TrySendError<Request<RequestBody>>> {
        match self {
            Self::Http1(sender) => sender.try_send_request(request).await,
            Self::Http2(sender) => sender.try_send_request(request).await,
        }
    }
}

#[derive(Debug)]
struct Kept {
    sender: http1::SendRequest<RequestBody>,
    since: Instant,
}

/// The connections to one address.
#[derive(Debug, Default)]
struct Slot {
    /// The one used last is at the end, and taken first: the others grow old and go.
    idle: Vec<Kept>,
    shared: Option<http2::SendRequest<RequestBody>>,
    limit: Duration,
}

impl Slot {
    fn take(&mut self) -> Option<Sender> {
        if let Some(shared) = &self.shared {
            let shared = shared.clone();
            return Some(Sender::Http2(shared)).filter(|_| !self.drop_closed());
        }
        self.drop_old(Instant::now());
        // One that still reads a late upload is not ready; it stays for another time.
        let at = self.idle.iter().rposition(|kept| kept.sender.is_ready())?;
        Some(Sender::Http1(self.idle.remove(at).sender))
    }

    fn drop_closed(&mut self) -> bool {
        let closed = self.shared.as_ref().is_some_and(http2::SendRequest::is_closed);
        if closed {
            self.shared = None;
        }
        closed
    }

    fn drop_old(&mut self, now: Instant) {
        let limit = self.limit;
        self.idle
            .retain(|kept| !kept.sender.is_closed() && now.duration_since(kept.since) < limit);
    }
}

thread_local! {
    static SLOTS: RefCell<Vec<Slot>> = const { RefCell::new(Vec::new()) };
}

fn with_slot<T>(slot: usize, act: impl FnOnce(&mut Slot) -> T) -> T {
    SLOTS.with_borrow_mut(|slots| {
        if slots.len() <= slot {
            slots.resize_with(slot + 1, Slot::default);
        }
        act(&mut slots[slot])
    })
}

/// A kept connection, if one is ready.
pub(crate) fn take(slot: usize) -> Option<Sender> {
    with_slot(slot, Slot::take)
}

/// An HTTP/2 connection is shared from its beginning.
pub(crate) fn share(slot: usize, sender: &http2::SendRequest<RequestBody>) {
    with_slot(slot, |slot| slot.shared = Some(sender.clone()));
}

/// Closes what this thread has kept for too long.
pub(crate) fn sweep() {
    let now = Instant::now();
    SLOTS.with_borrow_mut(|slots| slots.iter_mut().for_each(|slot| slot.drop_old(now)));
}

/// A connection in use, to be kept once its answer has come whole.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) sender: http1::SendRequest<RequestBody>,
    pub(crate) slot: usize,
    /// Connections kept at most.
    pub(crate) kept: usize,
    pub(crate) limit: Duration,
}

impl Lease {
    fn give_back(self) {
        if self.sender.is_closed() {
            return;
        }
        with_slot(self.slot, |slot| {
            slot.limit = self.limit;
            if slot.idle.len() < self.kept {
                slot.idle.push(Kept {
                    sender: self.sender,
                    since: Instant::now(),
                });
            }
        });
    }
}

/// The body of the app's answer. At its end the connection goes back to where it is kept.
#[derive(Debug)]
pub(crate) struct UpstreamBody {
    incoming: Incoming,
    lease: Option<Lease>,
    silence: Option<Duration>,
    patience: Patience,
}

impl UpstreamBody {
    pub(crate) fn new(incoming: Incoming, lease: Option<Lease>, silence: Option<Duration>) -> Self {
        Self {
            incoming,
            lease,
            silence,
            patience: Patience::default(),
        }
    }

    fn end(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.give_back();
        }
    }

    /// Nothing has come: for how long?
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(silence) = self.silence else {
            return Poll::Pending;
        };
        if self.patience.is_calm() {
            self.patience.until(Instant::now() + silence);
        }
        self.patience.poll(cx).map(|()| {
            METERS.fail(Failure::Cut);
            Some(Err("the upstream fell silent in the middle of its answer".into()))
        })
    }
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.incoming).poll_frame(cx);
        match &polled {
            Poll::Pending => return this.wait(cx),
            Poll::Ready(Some(Err(error))) => {
                METERS.fail(Failure::Cut);
                tracing::warn!(%error, "the upstream's answer ended in the middle");
                this.lease = None;
            }
            Poll::Ready(None) => this.end(),
            Poll::Ready(Some(Ok(_))) if this.incoming.is_end_stream() => this.end(),
            Poll::Ready(Some(Ok(_))) => {}
        }
        this.patience.calm();
        polled.map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl Drop for UpstreamBody {
    /// A body without bytes is never read.
    fn drop(&mut self) {
        if self.incoming.is_end_stream() {
            self.end();
        }
    }
}
