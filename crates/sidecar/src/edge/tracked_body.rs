//! The body of an answer on its way out: counted, and known to be under way until it ends.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::access_log::AccessLine;
use crate::body::{BoxError, ExchangeState, ResponseBody};
use crate::client::InFlight;
use crate::head::trailers;
use crate::io::stalled_streams;

pin_project! {
    /// The layers' body, or a page of our own.
    pub(crate) struct TrackedBody<B> {
        #[pin]
        source: AnswerBody<B>,
        in_flight: Option<InFlight>,
        exchange_state: Option<AnswerUnderWay>,
        record: Option<Box<AccessLine>>,
    }
}

/// Tells the request's body that the answer is under way, and at its end that it is not any more.
struct AnswerUnderWay(Arc<ExchangeState>);

impl Drop for AnswerUnderWay {
    fn drop(&mut self) {
        self.0.answered();
    }
}

pin_project! {
    #[project = AnswerBodyProjected]
    enum AnswerBody<B> {
        Layered { #[pin] body: B },
        Page { body: ResponseBody },
    }
}

impl<B: Body> TrackedBody<B> {
    pub(crate) fn new(body: B) -> Self {
        Self { source: AnswerBody::Layered { body }, in_flight: None, exchange_state: None, record: None }
    }

    pub(crate) fn page(body: ResponseBody) -> Self {
        Self { source: AnswerBody::Page { body }, in_flight: None, exchange_state: None, record: None }
    }

    /// Keeps these until the body has ended or is dropped.
    pub(crate) fn track(
        mut self,
        in_flight: InFlight,
        exchange_state: Option<Arc<ExchangeState>>,
        record: Option<Box<AccessLine>>,
    ) -> Self {
        self.in_flight = Some(in_flight);
        self.exchange_state = exchange_state.map(|exchange_state| {
            exchange_state.answering();
            AnswerUnderWay(exchange_state)
        });
        self.record = record;
        if let Some(record) = self.record.as_mut().filter(|_| self.source.ended()) {
            record.ended();
        }
        self
    }
}

impl<B: Body> AnswerBody<B> {
    fn ended(&self) -> bool {
        match self {
            Self::Layered { body } => body.is_end_stream(),
            Self::Page { body } => body.is_end_stream(),
        }
    }
}

impl<B> Body for TrackedBody<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        let mut polled = match this.source.as_mut().project() {
            AnswerBodyProjected::Layered { body } => body.poll_frame(cx).map_err(Into::into),
            AnswerBodyProjected::Page { body } => Pin::new(body).poll_frame(cx),
        };
        if let Poll::Ready(Some(Ok(frame))) = &mut polled
            && let Some(fields) = frame.trailers_mut()
        {
            trailers::clean(fields, &[]);
        }
        stalled_streams::note(&polled);
        if let Some(record) = this.record {
            match &polled {
                Poll::Ready(Some(Ok(frame))) => record.sent(frame.data_ref().map_or(0, Bytes::len)),
                Poll::Ready(None) => record.ended(),
                _ => {}
            }
            if this.source.ended() {
                record.ended();
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.source.ended()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            AnswerBody::Layered { body } => body.size_hint(),
            AnswerBody::Page { body } => body.size_hint(),
        }
    }
}
