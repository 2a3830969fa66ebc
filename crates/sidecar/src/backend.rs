//! What answers behind the layer: the app, or the demo shop while there is none.

use std::convert::Infallible;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower::Service;

use crate::demo::Shop;
use crate::{Proxy, ProxyError, ProxySettings, RequestBody, ResponseBody};

/// The app behind the proxy, or the demo shop.
#[derive(Clone, Debug)]
pub enum Backend {
    /// Requests are passed on.
    Proxy(Proxy),
    /// The shop answers, but for visitors whose variant has an upstream of its own.
    Demo(Shop, Proxy),
}

impl Backend {
    /// The app of the settings; the demo shop when they name none.
    ///
    /// # Errors
    /// When the certificates of an upstream cannot be read.
    pub fn new(settings: &ProxySettings) -> Result<Self, ProxyError> {
        if settings.has_upstream() {
            Proxy::new(settings).map(Self::Proxy)
        } else {
            Proxy::for_canaries(settings).map(|canaries| Self::Demo(Shop, canaries))
        }
    }
}

impl Service<Request<RequestBody>> for Backend {
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = <Proxy as Service<Request<RequestBody>>>::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        match self {
            Self::Proxy(proxy) => proxy.poll_ready(cx),
            Self::Demo(shop, _) => Service::<Request<RequestBody>>::poll_ready(shop, cx),
        }
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        match self {
            Self::Proxy(proxy) => proxy.call(request),
            Self::Demo(_, canaries) if canaries.has_canary(&request) => canaries.call(request),
            Self::Demo(shop, _) => shop.call(request),
        }
    }
}
