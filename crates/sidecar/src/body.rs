//! Bodies: what comes from clients, and what goes back.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use crate::proxy::UpstreamBody;

/// An error of any kind, as tower has it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a request's body did not come whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyFault {
    #[error("the body is larger than the limit")]
    TooLarge,
    #[error("the body did not come in time")]
    Late,
    #[error("the client did not send the whole body, or not by the rules")]
    Broken,
}

impl BodyFault {
    fn of(error: &hyper::Error) -> Self {
        let mut next = std::error::Error::source(error);
        while let Some(error) = next {
            if error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::TimedOut) {
                return Self::Late;
            }
            next = error.source();
        }
        Self::Broken
    }
}

/// The body of a request, of limited size.
#[derive(Debug)]
pub struct RequestBody {
    /// Nothing for a request that is sent a second time: it has no body.
    incoming: Option<Incoming>,
    left: u64,
}

impl RequestBody {
    pub(crate) fn new(incoming: Incoming, limit: Option<u64>) -> Self {
        Self { incoming: Some(incoming), left: limit.unwrap_or(u64::MAX) }
    }

    pub(crate) fn empty() -> Self {
        Self { incoming: None, left: 0 }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let Some(incoming) = &mut this.incoming else {
            return Poll::Ready(None);
        };
        let polled = Pin::new(incoming).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            match this.left.checked_sub(data.len() as u64) {
                Some(left) => this.left = left,
                None => return Poll::Ready(Some(Err(BodyFault::TooLarge.into()))),
            }
        }
        polled.map_err(|error| BodyFault::of(&error).into())
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

/// The body of an answer.
#[derive(Debug)]
pub struct ResponseBody(Kind);

#[derive(Debug)]
enum Kind {
    Whole(Option<Bytes>),
    Upstream(UpstreamBody),
}

impl ResponseBody {
    /// No body.
    pub fn empty() -> Self {
        Self(Kind::Whole(None))
    }

    pub(crate) fn upstream(body: UpstreamBody) -> Self {
        Self(Kind::Upstream(body))
    }
}

impl<T: Into<Bytes>> From<T> for ResponseBody {
    fn from(bytes: T) -> Self {
        Self(Kind::Whole(Some(bytes.into()).filter(|bytes| !bytes.is_empty())))
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.get_mut().0 {
            Kind::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Kind::Upstream(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Whole(bytes) => bytes.is_none(),
            Kind::Upstream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Kind::Upstream(body) => body.size_hint(),
        }
    }
}
