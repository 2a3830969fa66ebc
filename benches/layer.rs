//! A layer around an app that answers at once, and what a browser asks it.
#![allow(clippy::unwrap_used, reason = "a bench may fail loudly")]

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use flagstaff_layer::FlagService;
use http::{Request, Response};
use tower::Service;

/// Answers at once.
#[derive(Clone, Copy, Debug)]
pub struct App;

impl Service<Request<String>> for App {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<String>) -> Self::Future {
        ready(Ok(Response::new(())))
    }
}

/// A page, asked for by the visitor of a number.
///
/// # Panics
/// Never: the request is one.
#[must_use]
pub fn request(visitor: u64) -> Request<String> {
    Request::get("/contact")
        .header("host", "shop.example")
        .header("accept", "text/html,application/xhtml+xml")
        .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
        .header("cookie", format!("flagstaff_visitor={visitor:022x}"))
        .body(String::new())
        .unwrap()
}

/// Asks, and takes the answer.
///
/// # Panics
/// Never: the app answers at once.
pub fn call(service: &mut FlagService<App>, request: Request<String>) -> Response<()> {
    let mut cx = Context::from_waker(Waker::noop());
    match pin!(service.call(request)).poll(&mut cx) {
        Poll::Ready(Ok(response)) => response,
        _ => unreachable!("the app answers at once"),
    }
}
