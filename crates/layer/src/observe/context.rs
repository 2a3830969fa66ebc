//! What the answer needs to know of a request that counts.

use std::time::{Duration, Instant};

use flagstaff_flags::{Decision, Flag, FlagId};
use flagstaff_tag::{BodyProgress, Flags};
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body::Body;
use jiff::Timestamp;

const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// An app that failed gave no answer of its own; whoever asked gets one of this kind.
pub(crate) const FAILED: u16 = 500;

/// A request that counts.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) is_page: bool,
    pub(crate) at: Timestamp,
    pub(crate) since: Instant,
    body: AskedBody,
}

/// What is known of a request's body.
#[derive(Debug)]
enum AskedBody {
    /// It was complete when the request came.
    Complete,
    /// The server says when it is.
    Coming(BodyProgress),
    /// Nobody says when it is.
    Unknown,
}

impl Asked {
    pub(crate) fn new<B: Body>(request: &Request<B>, at: Timestamp) -> Self {
        let body = match request.extensions().get::<BodyProgress>() {
            _ if request.body().is_end_stream() => AskedBody::Complete,
            Some(progress) => AskedBody::Coming(progress.clone()),
            None => AskedBody::Unknown,
        };
        Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            is_page: is_page(request.method(), request.headers()),
            at,
            since: Instant::now(),
            body,
        }
    }

    /// Since when the app has the whole request; none while it has not, and where nobody knows.
    fn complete_since(&self) -> Option<Instant> {
        match &self.body {
            AskedBody::Complete => Some(self.since),
            AskedBody::Coming(progress) => progress.completed_at().map(|at| at.max(self.since)),
            AskedBody::Unknown => None,
        }
    }

    /// Whether the whole request is here. Where nobody knows it is not.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete_since().is_some()
    }

    /// The time that the app has taken: since it has the whole request. None while it has not: then the client took it.
    pub(crate) fn taken_by_app(&self) -> Option<Duration> {
        self.complete_since().map(|since| since.elapsed())
    }

    /// Time since the whole request is here, or since it came where that is not known; of an answer's head, the time to first byte.
    pub(crate) fn elapsed(&self) -> Duration {
        self.complete_since().unwrap_or(self.since).elapsed()
    }

    /// Whether a flag is met on it.
    pub(crate) fn meets(&self, flag: &Flag) -> bool {
        flag.is_met_on(self.method.as_str(), self.uri.path(), self.is_page)
    }

    /// The drawn flags that are met on it.
    pub(crate) fn met<'a>(&'a self, flags: &'a Flags) -> impl Iterator<Item = (FlagId, &'a Flag, Decision)> {
        let met = flags.decisions().met(self.method.as_str(), self.uri.path(), self.is_page);
        met.map(|(id, flag, decision)| (id, &**flag, decision))
    }
}

/// Whether an answer is meant not to end: a stream of events, or another protocol.
pub(crate) fn is_endless<R>(answer: &Response<R>) -> bool {
    answer.status() == StatusCode::SWITCHING_PROTOCOLS || is_stream(answer.headers())
}

/// Whether somebody looks at a page: a navigation, by what browsers say of it, or a GET that asks for HTML.
fn is_page(method: &Method, headers: &HeaderMap) -> bool {
    let navigates = || headers.get(FETCH_MODE).is_some_and(|mode| mode.as_bytes() == b"navigate");
    let text = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.contains("text/html"));
    *method == Method::GET && (navigates() || headers.get_all(ACCEPT).iter().any(text))
}

fn is_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    kind.get(..17).is_some_and(|kind| kind.eq_ignore_ascii_case(b"text/event-stream"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn pages_are_what_people_look_at() {
        let html = headers(ACCEPT, "text/html,application/xhtml+xml;q=0.9");
        assert!(is_page(&Method::GET, &headers(FETCH_MODE, "navigate")));
        assert!(is_page(&Method::GET, &html));
        assert!(!is_page(&Method::POST, &html));
        assert!(!is_page(&Method::GET, &headers(FETCH_MODE, "cors")));
        assert!(!is_page(&Method::GET, &headers(ACCEPT, "*/*")));
        assert!(!is_page(&Method::GET, &HeaderMap::new()));
    }

    #[test]
    fn streams_are_known_by_their_type() {
        assert!(is_stream(&headers(CONTENT_TYPE, "Text/Event-Stream; charset=utf-8")));
        assert!(!is_stream(&headers(CONTENT_TYPE, "text/html")));
        assert!(!is_stream(&HeaderMap::new()));
    }
}
