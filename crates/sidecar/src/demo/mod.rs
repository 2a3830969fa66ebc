//! A small shop to look at, for when there is no app yet.
//!
//! It knows nothing of flags but what any app behind the proxy knows: the headers of the request. So what one sees here is what one's
//! own app would get. Three headers are its own, for `flagstaff demo-traffic`: each answer tells in [`VARIANTS`] what it was told, a
//! request may ask in [`FAULT`] for an error or a delay, and `POST /event` says as an app does what stands in [`EVENT`].

mod client;
mod fault;
mod pages;

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use tower::Service;

pub use self::client::{Answer, Browser, Client, ClientError};
pub use self::fault::FAULT;

use self::fault::Fault;
use crate::ResponseBody;

/// The header of the shop's answers with the variants it was told, as in `show_new_contact_form=on, pricing_display=simple`.
pub const VARIANTS: HeaderName = HeaderName::from_static("x-shop-variants");

/// The header of a request to [`EVENT_PATH`] with what the shop is to say in `X-Flag-Event`.
pub const EVENT: HeaderName = HeaderName::from_static("x-shop-event");

/// The path, for POST, at which the shop says what [`EVENT`] asks it to.
pub const EVENT_PATH: &str = "/event";

/// The shop. Answers at once unless it is asked to wait, reads no body.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shop;

impl<B> Service<Request<B>> for Shop {
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let view = pages::View::read(request.headers());
        let fault = Fault::read(request.headers(), &view);
        let mut response = match fault.status {
            Some(status) => page(status, view.lost("This was asked to fail.")),
            None if (request.method(), request.uri().path()) == (&Method::POST, EVENT_PATH) => {
                said(request.headers())
            }
            None => answer(request.method(), request.uri().path(), &view),
        };
        if let Ok(variants) = HeaderValue::from_str(&view.variants()) {
            response.headers_mut().insert(VARIANTS, variants);
        }
        Box::pin(async move {
            if let Some(delay) = fault.delay {
                tokio::time::sleep(delay).await;
            }
            Ok(response)
        })
    }
}

fn answer(method: &Method, path: &str, view: &pages::View<'_>) -> Response<ResponseBody> {
    match (method.as_str(), path) {
        ("GET" | "HEAD", "/") => page(StatusCode::OK, view.home()),
        ("GET" | "HEAD", "/contact") => page(StatusCode::OK, view.contact()),
        ("POST", "/contact") => see_other("/contact/thanks"),
        ("GET" | "HEAD", "/contact/thanks") => page(StatusCode::OK, view.thanks()),
        ("GET" | "HEAD", "/pricing") => page(StatusCode::OK, view.pricing()),
        ("GET" | "HEAD", "/checkout") => page(StatusCode::OK, view.checkout()),
        ("POST", "/checkout") => with(see_other("/order"), "x-flag-event", "order_paid; value=49.90"),
        ("GET" | "HEAD", "/order") => page(StatusCode::OK, view.order()),
        ("GET" | "HEAD", "/pay/card") => page(StatusCode::OK, view.pay()),
        ("POST", "/someone-else") => with(see_other("/"), "set-cookie", "flagstaff_visitor=; Path=/; Max-Age=0"),
        (
            _,
            "/" | "/contact" | "/contact/thanks" | "/pricing" | "/checkout" | "/order" | "/pay/card"
            | "/someone-else",
        ) => page(StatusCode::METHOD_NOT_ALLOWED, view.lost("This page does not take that.")),
        _ => page(StatusCode::NOT_FOUND, view.lost("There is no such page.")),
    }
}

fn said(headers: &http::HeaderMap) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if let Some(event) = headers.get(EVENT) {
        response.headers_mut().insert("x-flag-event", event.clone());
    }
    response
}

fn page(status: StatusCode, html: String) -> Response<ResponseBody> {
    let mut response = Response::new(html.into());
    *response.status_mut() = status;
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, html);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}

fn see_other(to: &'static str) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    with(response, "location", to)
}

fn with(mut response: Response<ResponseBody>, name: &'static str, value: &'static str) -> Response<ResponseBody> {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
    response
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    fn ask(method: &str, path: &str, headers: &[(&'static str, &'static str)]) -> (StatusCode, String) {
        use http_body::Body;
        let headers: HeaderMap =
            headers.iter().map(|(n, v)| (n.parse().unwrap(), HeaderValue::from_static(v))).collect();
        let response = answer(&method.parse().unwrap(), path, &pages::View::read(&headers));
        let status = response.status();
        let mut body = std::pin::pin!(response.into_body());
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let mut text = String::new();
        while let Poll::Ready(Some(frame)) = body.as_mut().poll_frame(&mut cx) {
            text.push_str(std::str::from_utf8(&frame.unwrap().into_data().unwrap()).unwrap());
        }
        (status, text)
    }

    #[test]
    fn pages_differ_by_flag() {
        let (_, long) = ask("GET", "/contact", &[]);
        let (_, short) = ask("GET", "/contact", &[("x-flag-show-new-contact-form", "on")]);
        assert!(long.contains("name=\"phone\"") && !short.contains("name=\"phone\""));
        let (_, annual) = ask("GET", "/pricing", &[("x-flag-pricing-display", "annual_first")]);
        let (_, classic) = ask("GET", "/pricing", &[]);
        assert_ne!(annual, classic);
        let (_, compact) = ask("GET", "/pricing", &[("x-flags", "other=on, pricing_display=annual_first")]);
        assert!(compact.contains("<code>other</code>") && compact.find("€ 99") < compact.find("€ 9.90"));
    }

    #[test]
    fn headers_are_escaped() {
        let (_, html) = ask("GET", "/", &[("x-visitor-id", "<script>")]);
        assert!(html.contains("&lt;script&gt;") && !html.contains("<script>"));
    }

    #[test]
    fn other_paths_and_methods_have_their_status() {
        assert_eq!(ask("GET", "/nowhere", &[]).0, StatusCode::NOT_FOUND);
        assert_eq!(ask("DELETE", "/contact", &[]).0, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(ask("POST", "/contact", &[]).0, StatusCode::SEE_OTHER);
    }
}
