//! The body of the app's answer.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Instant;

use crate::body::BoxError;
use crate::io::Deadline;
use crate::meters::{Failure, METERS};

/// A connection to the app, which can be used again once its answer has come whole.
pub(crate) trait Reuse: std::fmt::Debug + Send {
    /// Keeps it for the next request.
    fn keep(self: Box<Self>);
}

/// The body of the app's answer. At its end the connection goes back to where it is kept.
#[derive(Debug)]
pub(crate) struct UpstreamBody {
    incoming: Incoming,
    /// Nothing for HTTP/2, whose connections are shared.
    connection: Option<Box<dyn Reuse>>,
    silence: Option<Duration>,
    timer: Deadline,
}

impl UpstreamBody {
    pub(crate) fn new(incoming: Incoming, connection: Option<Box<dyn Reuse>>, silence: Option<Duration>) -> Self {
        Self { incoming, connection, silence, timer: Deadline::default() }
    }

    fn end(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.keep();
        }
    }

    /// Nothing has come: for how long?
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(silence) = self.silence else {
            return Poll::Pending;
        };
        if self.timer.is_unset() {
            self.timer.set(Instant::now() + silence);
        }
        self.timer.poll(cx).map(|()| {
            METERS.fail(Failure::Cut);
            Some(Err("the upstream fell silent in the middle of its answer".into()))
        })
    }
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.incoming).poll_frame(cx);
        match &polled {
            Poll::Pending => return this.wait(cx),
            Poll::Ready(Some(Err(error))) => {
                METERS.fail(Failure::Cut);
                tracing::warn!(%error, "the upstream's answer ended in the middle");
                this.connection = None;
            }
            Poll::Ready(None) => this.end(),
            Poll::Ready(Some(Ok(_))) if this.incoming.is_end_stream() => this.end(),
            Poll::Ready(Some(Ok(_))) => {}
        }
        this.timer.clear();
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
