//! The layer. It stands outside of the one that decides flags, and finds them in the answer.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use flagstaff_layer::Flags;
use http::{Request, Response};
use opentelemetry::trace::Span as _;
use opentelemetry_sdk::trace::Span;
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use crate::exporter::Telemetry;
use crate::parent::{parent, pass_on};
use crate::span::{self, Asked};

/// Makes spans of requests. It belongs outside of the layer that decides flags.
#[derive(Clone, Debug)]
pub struct TraceLayer(Option<Telemetry>);

impl TraceLayer {
    /// Sends spans to this; without, it changes nothing.
    #[must_use]
    pub const fn new(telemetry: Option<Telemetry>) -> Self {
        Self(telemetry)
    }
}

impl<S> Layer<S> for TraceLayer {
    type Service = TraceService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        TraceService { inner, telemetry: self.0.clone() }
    }
}

/// The service of [`TraceLayer`].
#[derive(Clone, Debug)]
pub struct TraceService<S> {
    inner: S,
    telemetry: Option<Telemetry>,
}

impl<S, B, R> Service<Request<B>> for TraceService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = TraceFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let running = self.telemetry.as_ref().map(|telemetry| Running::new(telemetry, &mut request));
        TraceFuture { inner: self.inner.call(request), running }
    }
}

/// A request whose answer is awaited; without a span where its trace is not sampled.
struct Running {
    traced: Option<Traced>,
    with_visitor: bool,
}

struct Traced {
    span: Span,
    asked: Asked,
}

impl Running {
    fn new<B>(telemetry: &Telemetry, request: &mut Request<B>) -> Self {
        let settings = telemetry.settings();
        let parent = parent(request, settings.parents);
        let span = span::builder(request).start_with_context(telemetry.tracer(), &parent);
        let asked = span.is_recording().then(|| Asked::new(request));
        pass_on(request.headers_mut(), span.span_context(), &parent);
        let traced = asked.map(|asked| Traced { span, asked });
        Self { traced, with_visitor: settings.visitor_ids }
    }

    fn finish<R, E>(&mut self, answer: &Result<Response<R>, E>) {
        let Some(Traced { mut span, asked }) = self.traced.take() else { return };
        match answer {
            Ok(response) => {
                span::answered(&mut span, response.status());
                if let Some(flags) = response.extensions().get::<Flags>() {
                    span::flags(&mut span, &asked, flags, self.with_visitor);
                }
            }
            Err(_) => span::failed(&mut span, "no_answer".into()),
        }
        span.end();
    }
}

/// A client that goes away ends its span, too.
impl Drop for Running {
    fn drop(&mut self) {
        if let Some(Traced { mut span, .. }) = self.traced.take() {
            span::failed(&mut span, "client_gone".into());
            span.end();
        }
    }
}

pin_project! {
    /// The future of [`TraceService`].
    pub struct TraceFuture<F> {
        #[pin]
        inner: F,
        running: Option<Running>,
    }
}

impl<F, R, E> Future for TraceFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.inner.poll(cx));
        this.running.iter_mut().for_each(|running| running.finish(&answer));
        Poll::Ready(answer)
    }
}

impl<F> fmt::Debug for TraceFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceFuture").finish_non_exhaustive()
    }
}
