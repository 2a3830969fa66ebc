//! What a shared cache may do with an answer (RFC 9111), and what it is told.

use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, EXPIRES, HeaderMap, HeaderName, HeaderValue, VARY};
use http::{Method, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use crate::settings::WhenFlagsDiffer;

/// What a shared cache may do with one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// It must not store the answer.
    Never,
    /// Nothing says how long it keeps: some caches guess (RFC 9111, 4.2.2), or store it and ask again each time.
    Guessed,
    /// The app invites it to store the answer.
    Invited,
}

/// The directives of `Cache-Control` that matter here.
#[derive(Clone, Copy, Debug, Default)]
struct Control {
    refused: bool,
    public: bool,
    keeps: bool,
    shared_age: bool,
    must_revalidate: bool,
}

impl Control {
    fn read(headers: &HeaderMap, name: &HeaderName) -> Self {
        let mut control = Self::default();
        for directive in directives(headers, name) {
            let (word, value) = directive.split_once('=').unwrap_or((directive, ""));
            let lasts = value.trim().trim_matches('"') != "0";
            let is = |known: &str| word.trim().eq_ignore_ascii_case(known);
            // `private="field"` keeps one field private, not the answer.
            control.refused |= is("no-store") || is("private") && value.is_empty();
            control.public |= is("public");
            control.shared_age |= is("s-maxage");
            control.keeps |= (is("max-age") || is("s-maxage")) && lasts;
            control.must_revalidate |= is("must-revalidate");
        }
        control
    }

    const fn invites(self) -> bool {
        !self.refused && (self.public || self.keeps)
    }
}

fn directives<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|directive| !directive.is_empty())
}

/// Fields that some shared caches follow instead of `Cache-Control` (RFC 9213).
fn is_targeted(name: &str) -> bool {
    name.ends_with("cdn-cache-control") || name == "surrogate-control"
}

/// What a shared cache may do with the answer to a request of this method, with or without `Authorization`.
pub(crate) fn sharing(
    method: &Method,
    authorized: bool,
    status: StatusCode,
    headers: &HeaderMap,
    now: Timestamp,
) -> Sharing {
    let mut targeted = headers.keys().filter(|name| is_targeted(name.as_str()));
    if targeted.any(|name| Control::read(headers, name).invites()) {
        return Sharing::Invited;
    }
    let control = Control::read(headers, &CACHE_CONTROL);
    let with_authorization = control.public || control.shared_age || control.must_revalidate;
    // `Vary: *` fits no later request (RFC 9111, 4.1).
    if control.refused || varies_by(headers, "*") || (authorized && !with_authorization) {
        return Sharing::Never;
    }
    if control.invites() || keeps_until_later(headers, now) {
        return Sharing::Invited;
    }
    if matches!(*method, Method::GET | Method::HEAD) && is_heuristically_cacheable(status) {
        Sharing::Guessed
    } else {
        Sharing::Never
    }
}

/// RFC 9110, 15.1. 304 stands for one of these.
fn is_heuristically_cacheable(status: StatusCode) -> bool {
    matches!(status.as_u16(), 200 | 203 | 204 | 206 | 300 | 301 | 304 | 308 | 404 | 405 | 410 | 414 | 501)
}

/// A date that cannot be read is past (RFC 9111, 5.3).
fn keeps_until_later(headers: &HeaderMap, now: Timestamp) -> bool {
    let Some(text) = headers.get(EXPIRES).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    DateTimeParser::new().parse_timestamp(text).is_ok_and(|end| end > now)
}

fn varies_by(headers: &HeaderMap, name: &str) -> bool {
    let values = headers.get_all(VARY).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|field| field.trim().eq_ignore_ascii_case(name))
}

/// Says that the answer depends on the visitor. True when no shared cache may store it any more.
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
        ["public", "s-maxage", "private", "proxy-revalidate"].iter().any(|w| word.eq_ignore_ascii_case(w))
    };
    let kept: Vec<_> = directives(headers, &CACHE_CONTROL).filter(|directive| !invites(directive)).collect();
    let text = if kept.is_empty() { "private".into() } else { format!("private, {}", kept.join(", ")) };
    crate::header_names::remove(headers, is_targeted);
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
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let is = |text: &str, words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    is(kind.split('/').next().unwrap_or_default(), &["image", "font", "audio", "video"])
        || is(kind, &["text/css", "text/javascript", "application/javascript", "application/wasm"])
}

/// Whether a request came with `Authorization`.
pub(crate) fn is_authorized(headers: &HeaderMap) -> bool {
    headers.contains_key(AUTHORIZATION)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    fn of(status: u16, pairs: &[(&'static str, &'static str)]) -> Sharing {
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        sharing(&Method::GET, false, StatusCode::from_u16(status).unwrap(), &headers(pairs), now)
    }

    #[test]
    fn invited_by_any_header_that_caches_follow() {
        for control in [
            "public",
            "max-age=60",
            "s-maxage=60",
            "MAX-AGE = \"60\"",
            "no-cache, public",
            "private=\"x\", max-age=9",
        ] {
            assert_eq!(of(200, &[("cache-control", control)]), Sharing::Invited, "{control}");
        }
        assert_eq!(of(500, &[("cache-control", "max-age=60")]), Sharing::Invited);
        assert_eq!(of(200, &[("expires", "Sat, 21 Nov 2026 12:00:00 GMT")]), Sharing::Invited);
        assert_eq!(of(200, &[("cdn-cache-control", "max-age=60"), ("cache-control", "private")]), Sharing::Invited);
        assert_eq!(of(200, &[("cloudflare-cdn-cache-control", "max-age=60")]), Sharing::Invited);
    }

    #[test]
    fn never_when_told_not_to() {
        for control in ["private", "no-store", "private, max-age=60", "public, no-store"] {
            assert_eq!(of(200, &[("cache-control", control)]), Sharing::Never, "{control}");
        }
        assert_eq!(of(200, &[("vary", "Accept, *"), ("cache-control", "max-age=60")]), Sharing::Never);
        for status in [201, 302, 303, 307, 400, 403, 500, 503] {
            assert_eq!(of(status, &[]), Sharing::Never, "{status}");
        }
    }

    #[test]
    fn guessed_when_nothing_says_how_long() {
        for status in [200, 204, 301, 308, 404, 410] {
            assert_eq!(of(status, &[]), Sharing::Guessed, "{status}");
        }
        for control in ["no-cache", "max-age=0", "s-maxage=0, must-revalidate"] {
            assert_eq!(of(200, &[("cache-control", control)]), Sharing::Guessed, "{control}");
        }
        for past in ["Thu, 01 Jan 1970 00:00:00 GMT", "0", "nonsense"] {
            assert_eq!(of(200, &[("expires", past)]), Sharing::Guessed, "{past}");
        }
    }

    #[test]
    fn authorization_and_methods_matter() {
        let now = Timestamp::UNIX_EPOCH;
        let of = |method, authorized, control| {
            sharing(&method, authorized, StatusCode::OK, &headers(&[("cache-control", control)]), now)
        };
        assert_eq!(of(Method::GET, true, "max-age=60"), Sharing::Never);
        assert_eq!(of(Method::GET, true, "public"), Sharing::Invited);
        assert_eq!(of(Method::POST, false, "no-cache"), Sharing::Never);
        assert_eq!(of(Method::POST, false, "max-age=60"), Sharing::Invited);
    }

    #[test]
    fn becomes_private_and_keeps_the_rest() {
        let mut h = headers(&[
            ("cache-control", "public, max-age=60, s-maxage=600, immutable"),
            ("surrogate-control", "max-age=60"),
        ]);
        make_private(&mut h);
        assert_eq!(h, headers(&[("cache-control", "private, max-age=60, immutable")]));
    }

    #[test]
    fn vary_is_said_once() {
        let mut h = headers(&[("vary", "Accept-Encoding")]);
        assert!(!differ(&mut h, WhenFlagsDiffer::Vary) && !differ(&mut h, WhenFlagsDiffer::Vary));
        let all: Vec<_> = h.get_all(VARY).iter().collect();
        assert_eq!(all, ["Accept-Encoding", "Cookie"]);
        assert!(differ(&mut h, WhenFlagsDiffer::Private));
        assert_eq!(h.get(CACHE_CONTROL).unwrap(), "private");
    }

    #[test]
    fn assets_are_known_by_their_type() {
        for (kind, asset) in [
            ("text/css; charset=utf-8", true),
            ("image/svg+xml", true),
            ("Font/woff2", true),
            ("text/html", false),
            ("application/json", false),
        ] {
            assert_eq!(is_asset(&headers(&[("content-type", kind)])), asset, "{kind}");
        }
        assert!(!is_asset(&HeaderMap::new()));
    }
}
