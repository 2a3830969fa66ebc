//! The body of the app's answer.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
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

    /// Reads more of an answer of known length, so many bytes at most; nothing when the app has closed.
    ///
    /// # Errors
    ///
    /// When the connection has failed.
    fn poll_more(&mut self, cx: &mut Context<'_>, most: u64) -> Poll<io::Result<Bytes>>;
}

/// What comes of the app's answer.
#[derive(Debug)]
pub(crate) enum AnswerBody {
    /// hyper reads it.
    Incoming(Incoming),
    /// Its length is known. Some of it is here, and so many bytes are left on the connection.
    Sized { here: Bytes, left: u64 },
}

impl AnswerBody {
    fn is_end_stream(&self) -> bool {
        match self {
            Self::Incoming(incoming) => incoming.is_end_stream(),
            Self::Sized { here, left } => here.is_empty() && *left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Incoming(incoming) => incoming.size_hint(),
            Self::Sized { here, left } => SizeHint::with_exact(here.len() as u64 + left),
        }
    }
}

/// The body of the app's answer. At its end the connection goes back to where it is kept.
#[derive(Debug)]
pub(crate) struct UpstreamBody {
    answer: AnswerBody,
    /// Nothing for HTTP/2, whose connections are shared.
    connection: Option<Box<dyn Reuse>>,
    silence: Option<Duration>,
    timer: Deadline,
    /// The connection has ended before an answer of known length.
    is_cut: bool,
}

impl UpstreamBody {
    pub(crate) fn new(answer: AnswerBody, connection: Option<Box<dyn Reuse>>, silence: Option<Duration>) -> Self {
        Self { answer, connection, silence, timer: Deadline::default(), is_cut: false }
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let (here, left) = match &mut self.answer {
            AnswerBody::Incoming(incoming) => return Pin::new(incoming).poll_frame(cx).map_err(Into::into),
            AnswerBody::Sized { here, left } => (here, left),
        };
        if !here.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(here)))));
        }
        if *left == 0 {
            return Poll::Ready(None);
        }
        if self.is_cut {
            return Poll::Ready(Some(Err(
                format!("the app closed the connection {left} bytes before the end").into()
            )));
        }
        let more = match &mut self.connection {
            Some(connection) => ready!(connection.poll_more(cx, *left)).unwrap_or_default(),
            None => Bytes::new(),
        };
        if more.is_empty() {
            // what came before is written first: after an error it would not be
            self.is_cut = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        *left = left.saturating_sub(more.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(more))))
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
        let polled = this.poll_answer(cx);
        match &polled {
            Poll::Pending => return this.wait(cx),
            Poll::Ready(Some(Err(error))) => {
                METERS.fail(Failure::Cut);
                tracing::warn!(%error, "the upstream's answer ended in the middle");
                this.connection = None;
            }
            Poll::Ready(None) => this.end(),
            Poll::Ready(Some(Ok(_))) if this.answer.is_end_stream() => this.end(),
            Poll::Ready(Some(Ok(_))) => {}
        }
        this.timer.clear();
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.answer.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.answer.size_hint()
    }
}

impl Drop for UpstreamBody {
    /// A body without bytes is never read.
    fn drop(&mut self) {
        if self.answer.is_end_stream() {
            self.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    /// Fails once, and says nothing any more, as a connection over TLS may.
    #[derive(Debug)]
    struct FailsOnce(bool);

    impl Reuse for FailsOnce {
        fn keep(self: Box<Self>) {
            unreachable!("its answer is not whole")
        }

        fn poll_more(&mut self, _: &mut Context<'_>, _: u64) -> Poll<io::Result<Bytes>> {
            if std::mem::replace(&mut self.0, true) {
                return Poll::Pending;
            }
            Poll::Ready(Err(io::ErrorKind::InvalidData.into()))
        }
    }

    #[tokio::test]
    async fn a_failure_ends_an_answer_though_it_is_told_once() {
        let answer = AnswerBody::Sized { here: Bytes::from_static(b"it ends"), left: 6 };
        let mut body = UpstreamBody::new(answer, Some(Box::new(FailsOnce(false))), None);
        let mut next = async || poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
        assert_eq!(next().await.unwrap().unwrap().into_data().unwrap(), "it ends");
        assert!(next().await.unwrap().unwrap_err().to_string().contains("6 bytes before the end"));
    }
}
