//! The visitor's own endpoints, under `/.flagstaff/`.

use bytes::Bytes;
use flagstaff_flags::PlainPath;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{Method, Response, StatusCode};

use crate::request::flags::Flags;

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The reserved prefix. Nothing below it reaches the app.
pub const PREFIX: &str = "/.flagstaff";

/// Whether a path is below the reserved prefix, as written or as servers understand it, in upper or lower case: in front of
/// an app that reads `/%2eflagstaff/x` as `/.flagstaff/x`, that is ours too.
#[must_use]
pub fn is_own(path: &str) -> bool {
    let below = |path: &str| {
        let (start, rest) = path.as_bytes().split_at_checked(PREFIX.len())?;
        Some(start.eq_ignore_ascii_case(PREFIX.as_bytes()) && matches!(rest.first(), None | Some(b'/')))
    };
    below(path) == Some(true) || below(PlainPath::of(path).as_str()) == Some(true)
}

/// Answers a request for one of the visitor's own endpoints; `None` for every other path.
///
/// `flags.json` and `flags.js` hold the flags with `client = true` as decided for this request. They are for this visitor alone
/// and have an `ETag`. Those that take a body are read by [`post_endpoint`](crate::post_endpoint()). Without a ledger and without guards nothing answers those.
#[must_use]
pub fn endpoint(flags: &Flags, method: &Method, path: &str, headers: &HeaderMap) -> Option<Response<Bytes>> {
    if !is_own(path) {
        return None;
    }
    let answer = match path.strip_prefix(PREFIX).unwrap_or_default() {
        "/flags.json" => read_only(method, || page("application/json", json(flags), headers)),
        "/flags.js" => read_only(method, || page("text/javascript; charset=utf-8", script(flags), headers)),
        "/events" | "/forget" if *method != Method::POST => not_posted(),
        _ => plain(StatusCode::NOT_FOUND, "There is nothing here.\n"),
    };
    Some(if *method == Method::HEAD { answer.map(|_| Bytes::new()) } else { answer })
}

fn read_only(method: &Method, answer: impl FnOnce() -> Response<Bytes>) -> Response<Bytes> {
    if matches!(*method, Method::GET | Method::HEAD) {
        return answer();
    }
    let mut refusal = plain(StatusCode::METHOD_NOT_ALLOWED, "Ask with GET.\n");
    refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    refusal
}

fn not_posted() -> Response<Bytes> {
    let mut refusal = plain(StatusCode::METHOD_NOT_ALLOWED, "Send with POST.\n");
    refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    refusal
}

fn json(flags: &Flags) -> String {
    format!("{{\"flags\":{}}}", flags.compiled().client_json(flags.decisions()))
}

/// Safe in a script of its own and between `<script>` tags: what could end either is escaped.
fn script(flags: &Flags) -> String {
    let json = flags.compiled().client_json(flags.decisions());
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => safe.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => safe.push(c),
        }
    }
    include_str!("flags.js").replacen("{/*flags*/}", &safe, 1)
}

fn page(kind: &'static str, body: String, asked: &HeaderMap) -> Response<Bytes> {
    let tag = etag_of(&body);
    let mut answer = Response::new(Bytes::from(body));
    if HeaderValue::from_str(&tag).is_ok_and(|value| answer.headers_mut().insert(ETAG, value).is_none())
        && has(asked, &tag)
    {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        *answer.body_mut() = Bytes::new();
    } else {
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    for_this_visitor(answer)
}

pub(crate) fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<Bytes> {
    let mut answer = Response::new(text.into());
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    for_this_visitor(answer)
}

fn for_this_visitor(mut answer: Response<Bytes>) -> Response<Bytes> {
    let headers = answer.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // A page of another site could load a script, and read in it what this visitor gets.
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    answer
}

/// A hash of the body: what two visitors get alike has one tag.
fn etag_of(body: &str) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, body.as_bytes());
    let hash = hash.as_ref().iter().take(16);
    format!("\"{}\"", hash.map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// Whether the client has this version: a list of tags, compared weakly, or `*` (RFC 9110, 13.1.2).
fn has(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}
