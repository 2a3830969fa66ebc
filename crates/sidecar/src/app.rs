//! What answers behind the layer: the app, or the demo shop while there is none.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower::Service;

use crate::demo::Shop;
use crate::{Proxy, ProxyError, RequestBody, ResponseBody, Settings};

/// The app behind the proxy, or the demo shop.
#[derive(Clone, Debug)]
pub enum App {
    /// Requests are passed on.
    Proxy(Proxy),
    /// The shop answers.
    Demo(Shop),
}

impl App {
    /// The app of the settings; the demo shop when they name none.
    ///
    /// # Errors
    /// When the certificates of an upstream cannot be read.
    pub fn new(settings: &Settings) -> Result<Self, ProxyError> {
        if settings.has_upstream() { Proxy::new(settings).map(Self::Proxy) } else { Ok(Self::Demo(Shop)) }
    }
}

impl Service<Request<RequestBody>> for App {
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = AppFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        match self {
            Self::Proxy(proxy) => proxy.poll_ready(cx),
            Self::Demo(shop) => Service::<Request<RequestBody>>::poll_ready(shop, cx),
        }
    }

    fn call(&mut self, request: Request<RequestBody>) -> AppFuture {
        match self {
            Self::Proxy(proxy) => AppFuture::Proxy(proxy.call(request)),
            Self::Demo(shop) => AppFuture::Demo(shop.call(request)),
        }
    }
}

/// The answer of an [`App`] to come.
pub enum AppFuture {
    /// From the proxy.
    Proxy(<Proxy as Service<Request<RequestBody>>>::Future),
    /// From the shop.
    Demo(<Shop as Service<Request<RequestBody>>>::Future),
}

impl std::fmt::Debug for AppFuture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AppFuture")
    }
}

impl Future for AppFuture {
    type Output = Result<Response<ResponseBody>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Proxy(future) => Pin::new(future).poll(cx),
            Self::Demo(future) => Pin::new(future).poll(cx),
        }
    }
}
