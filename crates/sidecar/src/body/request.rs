//! The body of a request: of limited size, in limited time, and with nothing behind it that belongs in a head.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use flagstaff_tag::BodyProgress;
use http::header::HeaderName;
use http::{HeaderMap, Request};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Instant;

use crate::body::{BoxError, ExchangeState};
use crate::head::trailers;
use crate::io::Deadline;
use crate::meters::METERS;
use crate::refusal::Refusal;

/// Why a request's body did not come whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[repr(u8)]
pub(crate) enum BodyFault {
    #[error("the body is larger than the limit")]
    TooLarge,
    #[error("the body did not come in time")]
    Late,
    #[error("the client did not send the whole body, or not by the rules")]
    Broken,
}

impl BodyFault {
    pub(crate) const ALL: [Self; 3] = [Self::TooLarge, Self::Late, Self::Broken];

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

/// What holds for the bodies of all requests.
#[derive(Debug)]
pub(crate) struct BodyRules {
    /// Bytes; none: any number.
    pub(crate) limit: Option<u64>,
    /// Fields behind a body.
    pub(crate) fields: usize,
    /// Silence within a body, on HTTP/2. On HTTP/1.1 the socket's guard keeps it.
    pub(crate) silence: Duration,
    /// Fields by which only trusted proxies may name the user.
    pub(crate) vouched: Vec<HeaderName>,
}

/// The body of a request, of limited size.
#[derive(Debug)]
pub struct RequestBody {
    /// Nothing for a request that is sent a second time: it has no body.
    incoming: Option<Incoming>,
    /// For a body that has more to come than its head.
    checked: Option<Box<Checked>>,
}

#[derive(Debug)]
struct Checked {
    rules: Arc<BodyRules>,
    exchange_state: Arc<ExchangeState>,
    left: u64,
    /// On HTTP/2: for how long nothing has come.
    timer: Option<Deadline>,
    buffered: Option<Buffered>,
    progress: BodyProgress,
}

/// A body that was read whole before it goes on.
#[derive(Debug)]
struct Buffered {
    data: Bytes,
    trailers: Option<HeaderMap>,
}

impl RequestBody {
    pub(crate) fn new(incoming: Incoming, rules: &Arc<BodyRules>, http2: bool) -> Self {
        let checked = (!incoming.is_end_stream()).then(|| {
            Box::new(Checked {
                rules: Arc::clone(rules),
                exchange_state: Arc::default(),
                left: rules.limit.unwrap_or(u64::MAX),
                timer: http2.then(Deadline::default),
                buffered: None,
                progress: BodyProgress::default(),
            })
        });
        Self { incoming: Some(incoming), checked }
    }

    pub(crate) fn empty() -> Self {
        Self { incoming: None, checked: None }
    }

    /// How far the exchange has come; nothing without a body.
    pub(crate) fn exchange_state(&self) -> Option<Arc<ExchangeState>> {
        self.checked.as_ref().map(|checked| Arc::clone(&checked.exchange_state))
    }

    /// What says when it is complete; nothing without a body.
    pub(crate) fn progress(&self) -> Option<BodyProgress> {
        self.checked.as_ref().map(|checked| checked.progress.clone())
    }

    /// Whether it still has to come and says that it has at most so many bytes.
    pub(crate) fn is_small(&self, limit: u64) -> bool {
        self.checked.as_ref().is_some_and(|checked| checked.buffered.is_none())
            && self.size_hint().exact().is_some_and(|size| (1..=limit).contains(&size))
    }

    /// Reads it whole, to be sent on afterwards. Meanwhile a slow client holds nothing of the app's.
    ///
    /// # Errors
    ///
    /// When it does not come, or not by the rules.
    pub(crate) async fn buffer(&mut self) -> Result<(), BodyFault> {
        let (mut first, mut all, mut trailers) = (Bytes::new(), BytesMut::new(), None);
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut *self).poll_frame(cx)).await {
            let frame = frame.map_err(|error| error.downcast_ref().copied().unwrap_or(BodyFault::Broken))?;
            match frame.into_data() {
                // Mostly it is one piece, which needs no copy.
                Ok(data) if first.is_empty() => first = data,
                Ok(data) => {
                    if all.is_empty() {
                        all.extend_from_slice(&first);
                    }
                    all.extend_from_slice(&data);
                }
                Err(frame) => trailers = frame.into_trailers().ok(),
            }
        }
        if let Some(checked) = &mut self.checked {
            let data = if all.is_empty() { first } else { all.freeze() };
            checked.buffered = Some(Buffered { data, trailers });
        }
        Ok(())
    }
}

/// What stands in the place of a request that was taken.
pub(crate) fn empty_request() -> Request<RequestBody> {
    Request::new(RequestBody::empty())
}

/// A request without a body, once more.
pub(crate) fn copy(request: &Request<RequestBody>) -> Request<RequestBody> {
    let mut copy = empty_request();
    copy.method_mut().clone_from(request.method());
    copy.uri_mut().clone_from(request.uri());
    copy.headers_mut().clone_from(request.headers());
    *copy.version_mut() = request.version();
    copy
}

impl Checked {
    /// What may go on of a frame; nothing when nothing of it may.
    fn pass(&mut self, mut frame: Frame<Bytes>) -> Option<Result<Frame<Bytes>, BodyFault>> {
        if let Some(data) = frame.data_ref() {
            // HTTP/2 has frames of nothing: no sign that the body comes.
            if data.is_empty() {
                return None;
            }
            return Some(match self.left.checked_sub(data.len() as u64) {
                Some(left) => {
                    self.left = left;
                    Ok(frame)
                }
                None => Err(BodyFault::TooLarge),
            });
        }
        let fields = frame.trailers_mut()?;
        if fields.len() > self.rules.fields {
            return Some(Err(BodyFault::Broken));
        }
        trailers::clean(fields, &self.rules.vouched);
        (!fields.is_empty()).then_some(Ok(frame))
    }

    /// Nothing has come: for how long? While an answer is under way, a client of HTTP/2 may be silent: streams that go both
    /// ways are.
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<BodyFault> {
        let Some(timer) = &mut self.timer else {
            return Poll::Pending;
        };
        loop {
            if timer.is_unset() {
                timer.set(Instant::now() + self.rules.silence);
            }
            if timer.poll(cx).is_pending() {
                return Poll::Pending;
            }
            if !self.exchange_state.is_answering() {
                METERS.refuse(Refusal::BodyTimeout);
                return Poll::Ready(BodyFault::Late);
            }
        }
    }

    fn fail(&self, fault: BodyFault) -> Option<Result<Frame<Bytes>, BoxError>> {
        self.exchange_state.failed(fault);
        Some(Err(fault.into()))
    }
}

impl Buffered {
    fn next(&mut self) -> Option<Result<Frame<Bytes>, BoxError>> {
        if !self.data.is_empty() {
            return Some(Ok(Frame::data(std::mem::take(&mut self.data))));
        }
        self.trailers.take().map(|trailers| Ok(Frame::trailers(trailers)))
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        let (Some(incoming), Some(checked)) = (&mut this.incoming, &mut this.checked) else {
            return Poll::Ready(None);
        };
        if let Some(buffered) = &mut checked.buffered {
            return Poll::Ready(buffered.next());
        }
        loop {
            let passed = match Pin::new(&mut *incoming).poll_frame(cx) {
                Poll::Pending => return checked.wait(cx).map(|fault| checked.fail(fault)),
                Poll::Ready(None) => {
                    checked.progress.complete();
                    return Poll::Ready(None);
                }
                Poll::Ready(Some(Err(error))) => Some(Err(BodyFault::of(&error))),
                Poll::Ready(Some(Ok(frame))) => checked.pass(frame),
            };
            if passed.is_some()
                && let Some(timer) = &mut checked.timer
            {
                timer.clear();
            }
            // the last piece may be known as such, and then nobody asks for another
            if incoming.is_end_stream() && !matches!(passed, Some(Err(_))) {
                checked.progress.complete();
            }
            match passed {
                // A frame of which nothing is left.
                None => {}
                Some(Ok(frame)) => return Poll::Ready(Some(Ok(frame))),
                Some(Err(fault)) => return Poll::Ready(checked.fail(fault)),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match (&self.incoming, &self.checked) {
            (Some(incoming), Some(checked)) => match &checked.buffered {
                Some(buffered) => buffered.data.is_empty() && buffered.trailers.is_none(),
                None => incoming.is_end_stream(),
            },
            _ => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.incoming, &self.checked) {
            (Some(incoming), Some(checked)) => match &checked.buffered {
                Some(buffered) => SizeHint::with_exact(buffered.data.len() as u64),
                None => incoming.size_hint(),
            },
            _ => SizeHint::with_exact(0),
        }
    }
}
