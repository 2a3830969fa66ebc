//! What needs no app: the visitor's own endpoints and closed gates, for services whose bodies can be made of bytes.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use flagstaff_tag::{
    BodyError, Flags, MAX_BODY_BYTES, Peer, PostEndpoint, VisitorQuestion, accepted, closed_gate, cross_site_refusal,
    endpoint, events, forgotten, not_read, post_endpoint, too_many,
};
use http::{HeaderName, Request, Response};
use http_body::Body;
use jiff::Timestamp;
use pin_project_lite::pin_project;
use tower::layer::util::Stack;
use tower::{Layer, Service};

use crate::FlagLayer;
use crate::changes::layer::ChangeLayer;
use crate::changes::streams::{ChangeStreams, state_of};
use crate::observe::observers::Observers;

/// Answers what is below `/.flagstaff/` or behind a closed gate; everything else goes on to the service inside. Belongs inside
/// [`FlagLayer`](crate::FlagLayer): a request that is not tagged is passed on.
#[derive(Clone, Copy, Debug, Default)]
pub struct EndpointLayer;

impl FlagLayer {
    /// This layer with the visitor's own endpoints and closed gates inside, which tell of changes as they come.
    #[must_use]
    pub fn with_live_endpoints(self, streams: ChangeStreams) -> Stack<EndpointLayer, Stack<ChangeLayer, Self>> {
        Stack::new(EndpointLayer, Stack::new(ChangeLayer::new(streams), self))
    }

    /// This layer with the visitor's own endpoints and closed gates inside.
    #[must_use]
    pub fn with_endpoints(self) -> Stack<EndpointLayer, Self> {
        Stack::new(EndpointLayer, self)
    }
}

/// The service of [`EndpointLayer`].
#[derive(Clone, Copy, Debug)]
pub struct EndpointService<S>(S);

impl<S> Layer<S> for EndpointLayer {
    type Service = EndpointService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        EndpointService(inner)
    }
}

impl<S, B, R> Service<Request<B>> for EndpointService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    B: Body,
    R: From<Bytes>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = EndpointFuture<S::Future, B, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        EndpointFuture::new(match own(&request) {
            Own::Nothing => Doing::Calling { inner: self.0.call(request) },
            Own::Answer(answer) => Doing::Answering { own: Some(Box::new(answer.map(R::from))) },
            Own::Read(reader) => Doing::Reading { body: request.into_body(), text: Vec::new(), reader: Some(reader) },
        })
    }
}

/// What is to be done with a request here.
#[allow(clippy::large_enum_variant, reason = "it lives for a moment")]
enum Own {
    /// The app answers.
    Nothing,
    Answer(Response<Bytes>),
    /// Its body is to be read first.
    Read(BodyReader),
}

fn own<B>(request: &Request<B>) -> Own {
    let Some(flags) = request.extensions().get::<Flags>() else {
        return Own::Nothing;
    };
    let (method, path) = (request.method(), request.uri().path());
    let observers = request.extensions().get::<Observers>();
    match post_endpoint(method, path).filter(|post| *post == PostEndpoint::Forget || observers.is_some()) {
        Some(post) => own_post(post, request, flags, observers),
        None => match question(flags, request) {
            Some(Ok(question)) => Own::Read(BodyReader::Question(Box::new(question))),
            Some(Err(refusal)) => Own::Answer(refusal),
            None => endpoint(flags, method, path, request.headers())
                .or_else(|| closed_gate(flags, method, path))
                .map_or(Own::Nothing, Own::Answer),
        },
    }
}

/// The question of a protocol's client. It is told the state of the flags that were decided for it, not a later one: what changes from now
/// on is an event.
#[allow(clippy::result_large_err, reason = "the answer is sent as it is")]
fn question<B>(flags: &Flags, request: &Request<B>) -> Option<Result<VisitorQuestion, Response<Bytes>>> {
    let is_live = request.extensions().get::<ChangeStreams>().is_some_and(ChangeStreams::are_served);
    VisitorQuestion::of(flags, request, || is_live.then(|| state_of(flags.compiled().snapshot())))
}

fn own_post<B>(post: PostEndpoint, request: &Request<B>, flags: &Flags, observers: Option<&Observers>) -> Own {
    if let Some(refusal) = cross_site_refusal(request.uri(), request.headers()) {
        return Own::Answer(refusal);
    }
    match (post, observers) {
        (PostEndpoint::Events, Some(observers)) => {
            let is_local = request.extensions().get::<Peer>().is_some_and(|peer| peer.client.is_loopback());
            Own::Read(BodyReader::Report(PageReport { flags: flags.clone(), observers: observers.clone(), is_local }))
        }
        (PostEndpoint::Forget, observers) => Own::Answer(forget(flags, observers)),
        (PostEndpoint::Events, None) => Own::Nothing,
    }
}

fn forget(flags: &Flags, observers: Option<&Observers>) -> Response<Bytes> {
    if observers.is_none_or(|observers| observers.forget(flags)) { forgotten() } else { too_many() }
}

pin_project! {
    /// The future of [`EndpointService`].
    pub struct EndpointFuture<F, B, R> {
        #[pin]
        doing: Doing<F, B, R>,
    }
}

pin_project! {
    #[project = DoingNow]
    enum Doing<F, B, R> {
        Calling { #[pin] inner: F },
        // In a box, so that the requests that go on carry less.
        Answering { own: Option<Box<Response<R>>> },
        Reading { #[pin] body: B, text: Vec<u8>, reader: Option<BodyReader> },
    }
}

/// What a body is for.
enum BodyReader {
    Report(PageReport),
    Question(Box<VisitorQuestion>),
}

impl BodyReader {
    fn answer(self, body: Result<&[u8], BodyError>) -> Response<Bytes> {
        match (self, body) {
            (Self::Report(report), Ok(text)) => report.answer(text),
            (Self::Report(_), Err(why)) => not_read(why),
            (Self::Question(question), body) => question.answer(body),
        }
    }
}

/// The events that a page reports, and the observers that are told.
struct PageReport {
    flags: Flags,
    observers: Observers,
    /// It is sent from this machine.
    is_local: bool,
}

/// In the answer to events that are sent from this machine: how many events the ledger has taken and not written yet.
const PENDING: HeaderName = HeaderName::from_static("flagstaff-pending");

impl PageReport {
    fn answer(&self, text: &[u8]) -> Response<Bytes> {
        match events(text) {
            Ok(events) => {
                self.observers.reported(&self.flags, &events, Timestamp::now());
                let mut answer = accepted();
                if let Some(pending) = self.observers.pending().filter(|_| self.is_local) {
                    answer.headers_mut().insert(PENDING, pending.into());
                }
                answer
            }
            Err(refusal) => refusal,
        }
    }
}

impl<F, B, R> EndpointFuture<F, B, R> {
    const fn new(doing: Doing<F, B, R>) -> Self {
        Self { doing }
    }
}

impl<F, B, R, E> Future for EndpointFuture<F, B, R>
where
    F: Future<Output = Result<Response<R>, E>>,
    B: Body,
    R: From<Bytes>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().doing.project() {
            DoingNow::Calling { inner } => inner.poll(cx),
            // Polled again after its own answer it has none; a future may stay pending then.
            DoingNow::Answering { own } => own.take().map_or(Poll::Pending, |own| Poll::Ready(Ok(*own))),
            DoingNow::Reading { body, text, reader } => {
                let read = ready!(poll_text(body, text, cx));
                let Some(reader) = reader.take() else {
                    return Poll::Pending;
                };
                let answer = reader.answer(read.map(|()| text.as_slice()));
                Poll::Ready(Ok(answer.map(R::from)))
            }
        }
    }
}

/// Reads a body to its end, as far as it may go.
fn poll_text<B: Body>(
    mut body: Pin<&mut B>,
    text: &mut Vec<u8>,
    cx: &mut Context<'_>,
) -> Poll<Result<(), BodyError>> {
    if body.size_hint().lower() > MAX_BODY_BYTES as u64 {
        return Poll::Ready(Err(BodyError::TooLarge));
    }
    loop {
        match ready!(body.as_mut().poll_frame(cx)) {
            None => return Poll::Ready(Ok(())),
            Some(Err(_)) => return Poll::Ready(Err(BodyError::Incomplete)),
            Some(Ok(frame)) => {
                let Ok(mut data) = frame.into_data() else { continue };
                if data.remaining() > MAX_BODY_BYTES - text.len() {
                    return Poll::Ready(Err(BodyError::TooLarge));
                }
                while data.has_remaining() {
                    let piece = data.chunk();
                    text.extend_from_slice(piece);
                    let length = piece.len();
                    data.advance(length);
                }
            }
        }
    }
}

impl<F, B, R> fmt::Debug for EndpointFuture<F, B, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointFuture").finish_non_exhaustive()
    }
}
