//! The service hyper calls for every request of a connection.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;

use bytes::Bytes;
use flagstaff_tag::Peer;
use http::header::{self, HeaderValue};
use http::{Request, Response, StatusCode, Version};
use http_body::Body;
use hyper::body::Incoming;
use pin_project_lite::pin_project;
use tower::Service;

use crate::access_log::{AccessLogWriter, RequestRecord};
use crate::body::{BodyRules, BoxError, ExchangeState, RequestBody};
use crate::client::{Client, InFlight, Tunnel};
use crate::drain::Drain;
use crate::edge::forwarded::{Forwarding, written};
use crate::edge::loop_detection::LoopDetector;
use crate::edge::normalize::{Normalized, Rules, normalize};
use crate::edge::tracked_body::TrackedBody;
use crate::head::scan::HeaderScan;
use crate::meters::METERS;
use crate::pages;
use crate::refusal::Refusal;

/// What stands behind the edge: the layer that was handed in, around the service that answers.
pub(crate) trait InnerService:
    Service<
        Request<RequestBody>,
        Response = Response<<Self as InnerService>::Body>,
        Error = <Self as InnerService>::Fault,
        Future = <Self as InnerService>::Calling,
    > + Clone
    + Send
    + 'static
{
    type Body: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static;
    type Fault: Into<BoxError>;
    type Calling: Future<Output = Result<Response<<Self as InnerService>::Body>, <Self as InnerService>::Fault>>
        + Send
        + 'static;
}

impl<S, B> InnerService for S
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error: Into<BoxError>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Body = B;
    type Fault = S::Error;
    type Calling = S::Future;
}

/// What the edges of all connections have in common.
#[derive(Debug)]
pub(crate) struct EdgeContext {
    pub(crate) forwarding: Forwarding,
    pub(crate) loops: LoopDetector,
    /// Header fields of a request.
    pub(crate) fields: usize,
    pub(crate) bodies: Arc<BodyRules>,
    pub(crate) drain: Arc<Drain>,
    pub(crate) access: Option<AccessLogWriter>,
}

/// The edge of one connection.
#[derive(Debug)]
pub(crate) struct Edge<S> {
    stack: RefCell<S>,
    client: Arc<Client>,
    address: HeaderValue,
    context: Arc<EdgeContext>,
}

impl<S: InnerService> Edge<S> {
    pub(crate) fn new(stack: S, client: Arc<Client>, context: Arc<EdgeContext>) -> Self {
        Self { stack: RefCell::new(stack), address: written(client.address), client, context }
    }

    /// The edge of a connection that is put aside: what services keep of its last request goes, for a clone has its own requests.
    pub(crate) fn rested(self) -> Self {
        let stack = RefCell::new(self.stack.into_inner().clone());
        Self { stack, ..self }
    }

    fn admit(&self, request: &mut Request<Incoming>, scan: HeaderScan) -> Result<Normalized, Refusal> {
        if let Some(refusal) = self.client.broken_request() {
            return Err(refusal);
        }
        let known = request.body().size_hint().exact();
        if let (Some(limit), Some(size)) = (self.context.bodies.limit, known)
            && size > limit
        {
            return Err(Refusal::BodyTooLarge);
        }
        let normalized = normalize(request, self.rules(scan))?;
        self.context.loops.mark(request.headers_mut(), scan)?;
        Ok(normalized)
    }

    fn rules(&self, scan: HeaderScan) -> Rules<'_> {
        let EdgeContext { fields, bodies, .. } = &*self.context;
        Rules { scan, trusted: self.client.trusted, fields: *fields, vouched: &bodies.vouched }
    }

    fn prepare(
        &self,
        mut request: Request<Incoming>,
        normalized: Normalized,
        scan: HeaderScan,
    ) -> Request<RequestBody> {
        let peer: Peer = self.context.forwarding.apply(request.headers_mut(), &self.client, &self.address, scan);
        request.extensions_mut().insert(peer);
        if normalized.upgrade {
            request.extensions_mut().insert(Tunnel(Arc::clone(&self.client)));
        }
        let http2 = request.version() >= Version::HTTP_2;
        let mut request = request.map(|body| RequestBody::new(body, &self.context.bodies, http2));
        if let Some(progress) = request.body().progress() {
            request.extensions_mut().insert(progress);
        }
        request
    }

    fn call_stack(&self, request: Request<RequestBody>) -> Call<S> {
        let mut stack = self.stack.borrow_mut();
        // Ready at once, nearly always; then nothing is cloned.
        match stack.poll_ready(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => Call::Calling { call: stack.call(request) },
            Poll::Ready(Err(fault)) => Call::Done { answer: Some(Box::new(failed(&fault.into()))) },
            Poll::Pending => {
                let mut later = stack.clone();
                let call = async move {
                    std::future::poll_fn(|cx| later.poll_ready(cx)).await?;
                    later.call(request).await
                };
                Call::Waiting { call: Box::pin(call) }
            }
        }
    }
}

impl<S: InnerService> hyper::service::Service<Request<Incoming>> for Edge<S> {
    type Response = Response<TrackedBody<S::Body>>;
    type Error = BoxError;
    type Future = Answering<S>;

    fn call(&self, mut request: Request<Incoming>) -> Answering<S> {
        let http1 = request.version() < Version::HTTP_2;
        let record = self.context.access.as_ref().map(|access| RequestRecord::new(access, &request));
        let mut scope = RequestScope {
            http1,
            last: false,
            started: Instant::now(),
            record,
            exchange_state: None,
            in_flight: InFlight::new(&self.client),
            context: Arc::clone(&self.context),
        };
        let scan = HeaderScan::of(request.headers());
        let call = match self.admit(&mut request, scan) {
            Ok(normalized) => {
                scope.last = normalized.last;
                let request = self.prepare(request, normalized, scan);
                scope.exchange_state = request.body().exchange_state();
                if let (Some(record), Some(peer)) = (&mut scope.record, request.extensions().get::<Peer>()) {
                    record.client = peer.client;
                }
                self.call_stack(request)
            }
            Err(refusal) => {
                scope.last = true;
                match refusal {
                    // Over HTTP/2 one bad request is no reason to end the others.
                    _ if !http1 => METERS.refuse(refusal),
                    _ => self.client.refuse(refusal),
                }
                Call::Done { answer: Some(Box::new(pages::refused(refusal).map(TrackedBody::page))) }
            }
        };
        Answering { call, scope: Some(scope) }
    }
}

fn failed<B: Body>(fault: &BoxError) -> Response<TrackedBody<B>> {
    tracing::error!(error = %fault, "a layer failed");
    pages::page(StatusCode::INTERNAL_SERVER_ERROR).map(TrackedBody::page)
}

/// What is remembered of a request until its answer has ended.
#[derive(Debug)]
pub(crate) struct RequestScope {
    http1: bool,
    last: bool,
    started: Instant,
    record: Option<Box<RequestRecord>>,
    /// With a request that has a body.
    exchange_state: Option<Arc<ExchangeState>>,
    in_flight: InFlight,
    context: Arc<EdgeContext>,
}

impl RequestScope {
    fn finish<B: Body>(self, mut answer: Response<TrackedBody<B>>) -> Response<TrackedBody<B>> {
        let status = answer.status();
        METERS.answer(status);
        METERS.seconds.record(self.started.elapsed());
        let switched = status == StatusCode::SWITCHING_PROTOCOLS;
        let last = self.last || self.context.drain.has_begun();
        if self.http1 && last && !switched {
            answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        // hyper writes the version the client speaks; the upstream's own would end the client's connection.
        *answer.version_mut() = Version::HTTP_11;
        let record = self.record.map(|record| record.answered(&answer, self.started));
        answer.map(|body| body.track(self.in_flight, self.exchange_state, record))
    }
}

pin_project! {
    #[project = CallProjected]
    enum Call<S: InnerService> {
        Calling { #[pin] call: S::Calling },
        Waiting { call: Pin<Box<dyn Future<Output = Result<Response<S::Body>, S::Fault>> + Send>> },
        Done { answer: Option<Box<Response<TrackedBody<S::Body>>>> },
    }
}

pin_project! {
    /// The answer to one request, on its way.
    pub(crate) struct Answering<S: InnerService> {
        #[pin]
        call: Call<S>,
        scope: Option<RequestScope>,
    }
}

impl<S: InnerService> Future for Answering<S> {
    type Output = Result<Response<TrackedBody<S::Body>>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let called = match this.call.project() {
            CallProjected::Calling { call } => ready!(call.poll(cx)).map_err(Into::into),
            CallProjected::Waiting { call } => ready!(call.as_mut().poll(cx)).map_err(Into::into),
            CallProjected::Done { answer } => {
                let answer = answer.take().ok_or("polled after it was ready")?;
                return Poll::Ready(finish(this.scope, *answer));
            }
        };
        let answer = called.map_or_else(|fault| failed(&fault), |answer| answer.map(TrackedBody::new));
        Poll::Ready(finish(this.scope, answer))
    }
}

fn finish<B: Body>(
    scope: &mut Option<RequestScope>,
    answer: Response<TrackedBody<B>>,
) -> Result<Response<TrackedBody<B>>, BoxError> {
    let scope = scope.take().ok_or("polled after it was ready")?;
    Ok(scope.finish(answer))
}
