//! Pages of other sites that may ask here, as browsers have them ask (CORS).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderValue, ORIGIN, VARY,
};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

/// What a page may read of an answer besides its body.
const EXPOSED: HeaderValue = HeaderValue::from_static("etag, retry-after");
/// How long a browser remembers that it may ask, in seconds.
const REMEMBERED: HeaderValue = HeaderValue::from_static("600");

/// Paths, and the origins of pages that may ask below them: `https://shop.example`, or `*` for all.
#[derive(Clone, Debug)]
pub(crate) struct Origins(Arc<[(&'static str, Vec<String>)]>);

impl Origins {
    pub(crate) fn new<const N: usize>(all: [(&'static str, Vec<String>); N]) -> Self {
        Self(Arc::new(all))
    }

    /// Those that may ask for a path; `None` for one that no page of another site asks for.
    fn of(&self, path: &str) -> Option<&[String]> {
        self.0.iter().find(|(start, _)| path.starts_with(start)).map(|(_, origins)| origins.as_slice())
    }
}

fn have(origins: &[String], origin: &HeaderValue) -> bool {
    let is_it = |one: &String| one == "*" || one.trim_end_matches('/').as_bytes() == origin.as_bytes();
    origins.iter().any(is_it)
}

/// Lets pages of these origins ask. What they are let in with is another's to check: browsers send no cookie along.
pub(crate) async fn allow(State(origins): State<Origins>, request: Request, next: Next) -> Response {
    let Some(wanted) = origins.of(request.uri().path()) else {
        return next.run(request).await;
    };
    let origin = request.headers().get(ORIGIN).filter(|origin| have(wanted, origin)).cloned();
    let Some(origin) = origin else {
        return vary(next.run(request).await);
    };
    let mut answer = if is_preflight(&request) { preflight(&request) } else { next.run(request).await };
    answer.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    answer.headers_mut().insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    vary(answer)
}

fn is_preflight(request: &Request) -> bool {
    *request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Clients can be told to send headers of any name, so a page may send those that it asks for.
fn preflight(request: &Request) -> Response {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    let headers = answer.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    headers.insert(ACCESS_CONTROL_MAX_AGE, REMEMBERED);
    if let Some(wanted) = request.headers().get(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    answer
}

/// A cache that keeps an answer for one page must not give it to another.
fn vary(mut answer: Response) -> Response {
    answer.headers_mut().append(VARY, HeaderValue::from_static("Origin"));
    answer
}
