//! Answers of our own: for one client alone, with a tag, so that asking again costs no more than a 304.

use std::fmt::Write as _;

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{Response, StatusCode};
use serde::Serialize;

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// How long a client that asked too often stays silent, in seconds.
const SILENCE: HeaderValue = HeaderValue::from_static("60");

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// It has more bytes than are taken.
    TooLarge,
    /// It did not come whole.
    Incomplete,
}

/// A text.
pub(crate) fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<Bytes> {
    typed(status, "text/plain; charset=utf-8", text.into())
}

/// What is said as JSON.
pub(crate) fn json(status: StatusCode, said: &impl Serialize) -> Response<Bytes> {
    typed(status, "application/json", Bytes::from(to_json(said)))
}

/// As JSON. What is written here has texts for keys and finite numbers, so it can always be.
pub(crate) fn to_json(said: &impl Serialize) -> String {
    serde_json::to_string(said).unwrap_or_default()
}

fn typed(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Bytes> {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    for_this_client(answer)
}

/// A body with its tag, or 304 for a client that has it.
pub(crate) fn tagged(kind: &'static str, body: String, tag: &str, asked: &HeaderMap) -> Response<Bytes> {
    let mut answer = typed(StatusCode::OK, kind, Bytes::from(body));
    let value = HeaderValue::from_str(tag);
    if value.is_ok_and(|value| answer.headers_mut().insert(ETAG, value).is_none()) && has(asked, tag) {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        *answer.body_mut() = Bytes::new();
        answer.headers_mut().remove(CONTENT_TYPE);
    }
    answer
}

/// Another method was wanted.
pub(crate) fn with_allow(mut refusal: Response<Bytes>, methods: &'static str) -> Response<Bytes> {
    refusal.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    refusal
}

/// The client is to stay silent for a while.
pub(crate) fn with_silence(mut refusal: Response<Bytes>) -> Response<Bytes> {
    refusal.headers_mut().insert(RETRY_AFTER, SILENCE);
    refusal
}

pub(crate) fn for_this_client(mut answer: Response<Bytes>) -> Response<Bytes> {
    let headers = answer.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // A page of another site could load a script, and read in it what this visitor gets.
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    answer
}

/// A hash of the body: what two visitors get alike has one tag.
pub(crate) fn tag_of(body: &str) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, body.as_bytes());
    let mut tag = String::with_capacity(34);
    tag.push('"');
    for byte in hash.as_ref().iter().take(16) {
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

/// Whether the client has this version: a list of tags, compared weakly, or `*` (RFC 9110, 13.1.2).
fn has(headers: &HeaderMap, tag: &str) -> bool {
    let strong = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
    let wanted = strong(tag);
    let values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|one| one == "*" || strong(one) == wanted)
}
