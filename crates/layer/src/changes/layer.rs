//! The layer that answers with a stream of changes.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use flagstaff_tag::{ChangeQuestion, Flags, Peer, is_own};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use super::body::EndpointBody;
use super::streams::ChangeStreams;

/// nginx holds an answer back until it is large, unless it says this.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Answers browsers that wait for changes of flags. Belongs between [`FlagLayer`](crate::FlagLayer) and [`EndpointLayer`](crate::EndpointLayer), which names the stream in its
/// answers then.
#[derive(Clone, Debug)]
pub struct ChangeLayer(ChangeStreams);

impl ChangeLayer {
    pub(crate) const fn new(streams: ChangeStreams) -> Self {
        Self(streams)
    }
}

/// The service of [`ChangeLayer`].
#[derive(Clone, Debug)]
pub struct ChangeService<S> {
    inner: S,
    streams: ChangeStreams,
}

impl<S> Layer<S> for ChangeLayer {
    type Service = ChangeService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ChangeService { inner, streams: self.0.clone() }
    }
}

impl<S, B, R> Service<Request<B>> for ChangeService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: From<bytes::Bytes>,
{
    type Response = Response<EndpointBody<R>>;
    type Error = S::Error;
    type Future = ChangeFuture<S::Future, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if is_own(request.uri().path()) {
            if let Some(answer) = own(&self.streams, &request) {
                return ChangeFuture { doing: Doing::Answering { own: Some(Box::new(answer)) } };
            }
            request.extensions_mut().insert(self.streams.clone());
        }
        ChangeFuture { doing: Doing::Calling { inner: self.inner.call(request) } }
    }
}

fn own<B, R: From<bytes::Bytes>>(streams: &ChangeStreams, request: &Request<B>) -> Option<Response<EndpointBody<R>>> {
    // a request that is not tagged is not for us
    request.extensions().get::<Flags>()?;
    let whole = |answer: Response<bytes::Bytes>| answer.map(|bytes| EndpointBody::whole(R::from(bytes)));
    let question = match ChangeQuestion::of(request)? {
        Ok(question) => question,
        Err(refusal) => return Some(whole(refusal)),
    };
    let network = request.extensions().get::<Peer>().map(|peer| flagstaff_tag::Network::of(peer.client));
    let Some(stream) = streams.open(network, question.known()) else {
        return Some(whole(ChangeQuestion::too_many()));
    };
    let mut answer = whole(ChangeQuestion::accepted()).map(|_| EndpointBody::changes(stream));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    answer.headers_mut().insert(BUFFERING, HeaderValue::from_static("no"));
    Some(answer)
}

pin_project! {
    /// The future of [`ChangeService`].
    pub struct ChangeFuture<F, R> {
        #[pin]
        doing: Doing<F, R>,
    }
}

pin_project! {
    #[project = DoingNow]
    enum Doing<F, R> {
        Calling { #[pin] inner: F },
        // In a box, so that the requests that go on carry less.
        Answering { own: Option<Box<Response<EndpointBody<R>>>> },
    }
}

impl<F, R, E> Future for ChangeFuture<F, R>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<EndpointBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().doing.project() {
            DoingNow::Calling { inner } => {
                Poll::Ready(ready!(inner.poll(cx)).map(|answer| answer.map(EndpointBody::whole)))
            }
            // Polled again after its own answer it has none; a future may stay pending then.
            DoingNow::Answering { own } => own.take().map_or(Poll::Pending, |own| Poll::Ready(Ok(*own))),
        }
    }
}

impl<F, R> fmt::Debug for ChangeFuture<F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangeFuture").finish_non_exhaustive()
    }
}
