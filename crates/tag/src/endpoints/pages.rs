//! The visitor's own endpoints, under `/.flagstaff/`.

use bytes::Bytes;
use flagstaff_flags::PlainPath;
use http::header::HeaderMap;
use http::{Method, Response, StatusCode};

use crate::endpoints::waffle;
use crate::reply::{self, plain, with_allow};
use crate::request::flags::Flags;

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
/// and have an `ETag`. So have `waffle_status` and `wafflejs`, where django-waffle's cookies are written. Those that take a body are read by [`post_endpoint`](crate::post_endpoint()). Without a ledger and without guards nothing answers those.
#[must_use]
pub fn endpoint(flags: &Flags, method: &Method, path: &str, headers: &HeaderMap) -> Option<Response<Bytes>> {
    if !is_own(path) {
        return None;
    }
    let answer = match path.strip_prefix(PREFIX).unwrap_or_default() {
        "/flags.json" => read_only(method, || page("application/json", json(flags), headers)),
        "/flags.js" => read_only(method, || page("text/javascript; charset=utf-8", script(flags), headers)),
        "/waffle_status" if flags.tagged().is_waffle => {
            read_only(method, || page("application/json", waffle::status(flags), headers))
        }
        "/wafflejs" if flags.tagged().is_waffle => read_only(method, || {
            let script = with_flags(include_str!("waffle.js"), &waffle::flags_of_script(flags));
            page("text/javascript; charset=utf-8", script, headers)
        }),
        "/events" | "/forget" if *method != Method::POST => not_posted(),
        _ => plain(StatusCode::NOT_FOUND, "There is nothing here.\n"),
    };
    Some(if *method == Method::HEAD { answer.map(|_| Bytes::new()) } else { answer })
}

fn read_only(method: &Method, answer: impl FnOnce() -> Response<Bytes>) -> Response<Bytes> {
    if matches!(*method, Method::GET | Method::HEAD) {
        return answer();
    }
    with_allow(plain(StatusCode::METHOD_NOT_ALLOWED, "Ask with GET.\n"), "GET, HEAD")
}

fn not_posted() -> Response<Bytes> {
    with_allow(plain(StatusCode::METHOD_NOT_ALLOWED, "Send with POST.\n"), "POST")
}

fn json(flags: &Flags) -> String {
    format!("{{\"flags\":{}}}", flags.compiled().client_json(flags.decisions()))
}

fn script(flags: &Flags) -> String {
    with_flags(include_str!("flags.js"), &flags.compiled().client_json(flags.decisions()))
}

/// A script with flags in it. Safe in a script of its own and between `<script>` tags: what could end either is escaped.
fn with_flags(script: &str, json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => safe.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => safe.push(c),
        }
    }
    script.replacen("{/*flags*/}", &safe, 1)
}

fn page(kind: &'static str, body: String, asked: &HeaderMap) -> Response<Bytes> {
    let tag = reply::tag_of(&body);
    reply::tagged(kind, body, &tag, asked)
}
