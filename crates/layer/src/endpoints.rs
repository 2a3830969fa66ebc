//! What needs no app: the visitor's own endpoints and closed gates, for services whose bodies can be made of bytes.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use flagstaff_tag::{Flags, closed_gate, endpoint};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower::layer::util::Stack;
use tower::{Layer, Service};

use crate::FlagLayer;

/// Answers what is below `/.flagstaff/` or behind a closed gate; everything else goes on to the service inside. Belongs inside
/// [`FlagLayer`](crate::FlagLayer): a request that is not tagged is passed on.
#[derive(Clone, Copy, Debug, Default)]
pub struct EndpointLayer;

impl FlagLayer {
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
    R: From<Bytes>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = EndpointFuture<S::Future, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (method, path) = (request.method(), request.uri().path());
        let flags = request.extensions().get::<Flags>();
        let own = flags.and_then(|flags| {
            endpoint(flags, method, path, request.headers()).or_else(|| closed_gate(flags, method, path))
        });
        match own {
            Some(answer) => EndpointFuture {
                own: Some(answer.map(R::from)),
                inner: None,
            },
            None => EndpointFuture {
                own: None,
                inner: Some(self.0.call(request)),
            },
        }
    }
}

pin_project! {
    /// The future of [`EndpointService`].
    #[derive(Debug)]
    pub struct EndpointFuture<F, R> {
        own: Option<Response<R>>,
        #[pin]
        inner: Option<F>,
    }
}

impl<F, R, E> Future for EndpointFuture<F, R>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(answer) = this.own.take() {
            return Poll::Ready(Ok(answer));
        }
        // Polled again after its own answer it has none; a future may stay pending then.
        this.inner
            .as_pin_mut()
            .map_or(Poll::Pending, |inner| inner.poll(cx))
    }
}
