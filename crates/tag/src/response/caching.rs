//! What a shared cache may do with an answer (RFC 9111), and what it is told.

use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, EXPIRES, HeaderMap, HeaderName, HeaderValue, VARY};
use http::{Method, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use crate::compiled::differing::{Differing, DiffersBy};
use crate::request::flags::Reply;
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
    headers.get_all(name).iter().flat_map(list)
}

fn list(value: &HeaderValue) -> impl Iterator<Item = &str> {
    let items = value.to_str().unwrap_or_default().split(',');
    items.map(str::trim).filter(|item| !item.is_empty())
}

/// Fields that some shared caches follow instead of `Cache-Control`: those of RFC 9213, and nginx's own.
fn is_targeted(name: &str) -> bool {
    name.ends_with("cdn-cache-control") || name == "surrogate-control" || name == ACCEL_EXPIRES
}

const ACCEL_EXPIRES: &str = "x-accel-expires";

/// Whether a targeted field has a cache store the answer.
fn targets(headers: &HeaderMap, name: &HeaderName, now: Timestamp) -> bool {
    if name.as_str() != ACCEL_EXPIRES {
        return Control::read(headers, name).invites();
    }
    // seconds from now on, or after an @ since 1970
    let keeps = |text: &str| match text.strip_prefix('@') {
        Some(end) => end.parse::<i64>().is_ok_and(|end| end > now.as_second()),
        None => text.parse::<i64>().is_ok_and(|seconds| seconds > 0),
    };
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).any(|text| keeps(text.trim()))
}

/// What a shared cache may do with the answer to a request of this method, with or without `Authorization`.
fn sharing(method: &Method, authorized: bool, status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Sharing {
    let mut targeted = headers.keys().filter(|name| is_targeted(name.as_str()));
    if targeted.any(|name| targets(headers, name, now)) {
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
    directives(headers, &VARY).any(|field| field.eq_ignore_ascii_case(name))
}

/// Tells caches by what an answer differs between visitors. Returns what a shared cache may do with it then.
pub(crate) fn tell(
    headers: &mut HeaderMap,
    reply: &Reply,
    differing: &Differing,
    how: WhenFlagsDiffer,
    status: StatusCode,
    now: Timestamp,
) -> Sharing {
    let sharing = |authorized| sharing(&reply.method, authorized, status, headers, now);
    let mut shared = sharing(reply.authorized);
    // Some caches store what came with `Authorization` like anything else.
    if shared == Sharing::Never && !(reply.authorized && sharing(false) != Sharing::Never) {
        return shared;
    }
    match Audience::of(headers, reply, differing) {
        Audience::Everybody => {}
        Audience::Alike(by) => shared = differ(headers, how, differing.vary(by), shared),
        Audience::Unnamed if how == WhenFlagsDiffer::Ignore => {}
        Audience::Unnamed | Audience::One => shared = make_private(headers),
    }
    shared
}

/// Who may get one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Audience {
    Everybody,
    /// Those whose requests are alike in some headers.
    Alike(DiffersBy),
    /// Those who are alike in something that no header of theirs tells.
    Unnamed,
    /// The client that asked: it is a preview, whatever its type and the settings say.
    One,
}

impl Audience {
    fn of(headers: &HeaderMap, reply: &Reply, differing: &Differing) -> Self {
        if reply.forced {
            return Self::One;
        }
        let of_page = if is_asset(headers) { DiffersBy::NOTHING } else { reply.differs };
        match differing.routed.and(of_page) {
            DiffersBy::NOTHING => Self::Everybody,
            by if by.holds(DiffersBy::UNNAMED) => Self::Unnamed,
            by if by.holds(DiffersBy::PERSON_BY_PEER) && reply.has_person_by_peer => Self::Unnamed,
            by => Self::Alike(by),
        }
    }
}

/// Says that the answer differs by headers of the request.
fn differ(headers: &mut HeaderMap, how: WhenFlagsDiffer, vary: Option<&HeaderValue>, shared: Sharing) -> Sharing {
    match (how, vary) {
        (WhenFlagsDiffer::Vary, Some(vary)) => {
            // All in one line: some caches read only the last one.
            if !list(vary).all(|name| varies_by(headers, name)) {
                let _ = headers.try_append(VARY, vary.clone());
            }
            shared
        }
        (WhenFlagsDiffer::Ignore, _) => shared,
        (WhenFlagsDiffer::Vary, None) | (WhenFlagsDiffer::Private, _) => make_private(headers),
    }
}

/// Leaves out what invites shared caches, and says `private`.
pub(crate) fn make_private(headers: &mut HeaderMap) -> Sharing {
    let invites = |directive: &&str| {
        let word = directive.split('=').next().unwrap_or_default().trim();
        ["public", "s-maxage", "private", "proxy-revalidate"].iter().any(|w| word.eq_ignore_ascii_case(w))
    };
    let kept: Vec<_> = directives(headers, &CACHE_CONTROL).filter(|directive| !invites(directive)).collect();
    let text = if kept.is_empty() { "private".into() } else { format!("private, {}", kept.join(", ")) };
    let has_own_for_nginx = headers.contains_key(ACCEL_EXPIRES);
    crate::header_names::remove(headers, is_targeted);
    if has_own_for_nginx {
        // one that passes over Cache-Control stores by this alone, and by a time of its own without it
        set(headers, HeaderName::from_static(ACCEL_EXPIRES), "0".into());
    }
    set(headers, CACHE_CONTROL, text);
    Sharing::Never
}

fn set(headers: &mut HeaderMap, name: HeaderName, text: String) {
    if let Ok(value) = HeaderValue::from_maybe_shared(bytes::Bytes::from(text)) {
        let _ = headers.try_insert(name, value);
    }
}

/// Files that are the same whatever a flag says: pictures, fonts, sound, film, style sheets, scripts. Which of them a page uses
/// may differ; what is in one does not.
fn is_asset(headers: &HeaderMap) -> bool {
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
        let cookie = HeaderValue::from_static("Cookie");
        for _ in 0..2 {
            assert_eq!(differ(&mut h, WhenFlagsDiffer::Vary, Some(&cookie), Sharing::Invited), Sharing::Invited);
        }
        let said = |h: &HeaderMap| {
            h.get_all(VARY).iter().map(|value| value.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(said(&h), ["Accept-Encoding", "Cookie"]);
        let more = HeaderValue::from_static("Cookie, Accept-Language");
        for _ in 0..2 {
            differ(&mut h, WhenFlagsDiffer::Vary, Some(&more), Sharing::Invited);
        }
        assert_eq!(said(&h), ["Accept-Encoding", "Cookie", "Cookie, Accept-Language"], "in one line");
        assert_eq!(differ(&mut h, WhenFlagsDiffer::Private, Some(&more), Sharing::Invited), Sharing::Never);
        assert_eq!(h.get(CACHE_CONTROL).unwrap(), "private");
    }

    #[test]
    fn nginx_follows_a_field_of_its_own() {
        for (value, wanted) in [
            ("60", Sharing::Invited),
            ("@1800000000", Sharing::Invited),
            ("0", Sharing::Never),
            ("@1", Sharing::Never),
            ("off", Sharing::Never),
        ] {
            assert_eq!(of(200, &[("x-accel-expires", value), ("cache-control", "private")]), wanted, "{value}");
        }
        let mut h = headers(&[("x-accel-expires", "60")]);
        make_private(&mut h);
        assert_eq!(h, headers(&[("cache-control", "private"), ("x-accel-expires", "0")]));
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
