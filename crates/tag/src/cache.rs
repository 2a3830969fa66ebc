//! What a shared cache may do with an answer (RFC 9111), and what it is told.

use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, EXPIRES, HeaderMap, HeaderName, HeaderValue, VARY,
};
use http::{Method, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use crate::settings::WhenFlagsDiffer;

/// What a shared cache may do with one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// It must not store it.
    Never,
    /// Nothing says how long it keeps; some caches guess (RFC 9111, 4.2.2), or ask again each time.
    Guessed,
    /// It was told that it may.
    Told,
}

/// The directives of `Cache-Control` that matter here.
#[derive(Clone, Copy, Debug, Default)]
struct Control {
    refused: bool,
    public: bool,
    max_age: bool,
    shared_age: bool,
    must_revalidate: bool,
}

impl Control {
    fn read(headers: &HeaderMap) -> Self {
        let mut control = Self::default();
        for directive in directives(headers) {
            // `private="field"` keeps one field private, not the answer.
            match directive.split('=').next().unwrap_or_default().trim() {
                word if word.eq_ignore_ascii_case("no-store") => control.refused = true,
                word if word.eq_ignore_ascii_case("private") => control.refused |= !directive.contains('='),
                word if word.eq_ignore_ascii_case("public") => control.public = true,
                word if word.eq_ignore_ascii_case("max-age") => control.max_age = true,
                word if word.eq_ignore_ascii_case("s-maxage") => control.shared_age = true,
                word if word.eq_ignore_ascii_case("must-revalidate") => control.must_revalidate = true,
                _ => {}
            }
        }
        control
    }
}

fn directives(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers
        .get_all(CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|directive| !directive.is_empty())
}

/// What a shared cache may do with the answer to a request of this method, with or without `Authorization`.
pub(crate) fn sharing(
    method: &Method,
    authorized: bool,
    status: StatusCode,
    headers: &HeaderMap,
    now: Timestamp,
) -> Sharing {
    let control = Control::read(headers);
    let allowed_with_authorization = control.public || control.shared_age || control.must_revalidate;
    // `Vary: *` fits no later request (RFC 9111, 4.1).
    if control.refused || varies_by(headers, "*") || (authorized && !allowed_with_authorization) {
        return Sharing::Never;
    }
    if control.public || control.max_age || control.shared_age || keeps_until_later(headers, now) {
        return Sharing::Told;
    }
    let may_be_guessed = matches!(*method, Method::GET | Method::HEAD) && is_heuristically_cacheable(status);
    if may_be_guessed {
        Sharing::Guessed
    } else {
        Sharing::Never
    }
}

/// RFC 9110, 15.1. 304 stands for one of these.
fn is_heuristically_cacheable(status: StatusCode) -> bool {
    matches!(
        status.as_u16(),
        200 | 203 | 204 | 206 | 300 | 301 | 304 | 308 | 404 | 405 | 410 | 414 | 501
    )
}

/// A date that cannot be read is past (RFC 9111, 5.3).
fn keeps_until_later(headers: &HeaderMap, now: Timestamp) -> bool {
    let text = headers
        .get(EXPIRES)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    DateTimeParser::new()
        .parse_timestamp(text)
        .is_ok_and(|end| end > now)
}

fn varies_by(headers: &HeaderMap, name: &str) -> bool {
    let values = headers
        .get_all(VARY)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|field| field.trim().eq_ignore_ascii_case(name))
}

/// Says that the answer depends on who asks. True when a shared cache may no longer store it.
pub(crate) fn differ(headers: &mut HeaderMap, how: WhenFlagsDiffer) -> bool {
    match how {
        WhenFlagsDiffer::Vary if !varies_by(headers, "cookie") => {
            let _ = headers.try_append(VARY, HeaderValue::from_static("Cookie"));
            false
        }
        WhenFlagsDiffer::Vary | WhenFlagsDiffer::Ignore => false,
        WhenFlagsDiffer::Private => {
            make_private(headers);
            true
        }
    }
}

/// Leaves out what invites shared caches, and says `private`.
pub(crate) fn make_private(headers: &mut HeaderMap) {
    let invites = |directive: &&str| {
        let word = directive.split('=').next().unwrap_or_default().trim();
        ["public", "s-maxage", "private", "proxy-revalidate"]
            .iter()
            .any(|w| word.eq_ignore_ascii_case(w))
    };
    let kept: Vec<_> = directives(headers)
        .filter(|directive| !invites(directive))
        .collect();
    let text = if kept.is_empty() {
        "private".into()
    } else {
        format!("private, {}", kept.join(", "))
    };
    // Some caches have a field of their own, which goes before Cache-Control (RFC 9213).
    for own in ["cdn-cache-control", "surrogate-control"] {
        headers.remove(own);
    }
    set(headers, CACHE_CONTROL, text);
}

fn set(headers: &mut HeaderMap, name: HeaderName, text: String) {
    if let Ok(value) = HeaderValue::from_maybe_shared(bytes::Bytes::from(text)) {
        let _ = headers.try_insert(name, value);
    }
}

/// Files that are the same whatever a flag says: pictures, fonts, sound, film, style sheets, scripts. Which of them a page uses
/// may differ; what is in one does not.
pub(crate) fn is_asset(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kind = kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let family = kind.split('/').next().unwrap_or_default();
    let file = [
        "text/css",
        "text/javascript",
        "application/javascript",
        "application/wasm",
    ];
    matches!(family, "image" | "font" | "audio" | "video") || file.contains(&kind.as_str())
}

/// Whether a request came with `Authorization`.
pub(crate) fn is_authorized(headers: &HeaderMap) -> bool {
    headers.contains_key(AUTHORIZATION)
}
