//! Cookies as clients send them, as the app gets them, and as we set them.

use std::fmt::Write as _;
use std::time::Duration;

use http::header::{COOKIE, HeaderMap, HeaderValue};

use crate::identity::keys;
use crate::settings::SameSite;

/// The cookie with the id of the browser session.
pub(crate) const SESSION_COOKIE: &str = "flagstaff_session";
/// The cookie that remembers variants.
pub(crate) const STICKY_COOKIE: &str = "flagstaff_sticky";
/// The cookie that remembers for the session which variants the query asked for.
pub(crate) const OVERRIDES_COOKIE: &str = "flagstaff_override";
/// The cookie that remembers the person the app named.
pub(crate) const USER_COOKIE: &str = "flagstaff_user";
/// All our cookies but the visitor's, whose name is a setting.
pub(crate) const OWN_COOKIES: [&str; 4] = [SESSION_COOKIE, STICKY_COOKIE, OVERRIDES_COOKIE, USER_COOKIE];
/// What the names of the cookies of operators' sessions begin with. Browsers send a host's cookies to every port of it, so they come
/// here too, and the app must not get them.
pub(crate) const OPERATOR_COOKIE: &str = "flagstaff_operator_";
/// Signatures of one cookie's name that are verified. Browsers keep at most 180 cookies of a site.
const MAX_SIGNED: usize = 180;
/// Browsers keep no cookie longer (RFC 6265bis, 5.5).
pub(crate) const MAX_LIFE: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// All cookies whose text is readable, in the order sent; those of several `Cookie` headers too.
pub fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    pieces(headers).filter_map(|piece| {
        let (name, value) = std::str::from_utf8(piece).ok()?.split_once('=')?;
        Some((name.trim(), unquoted(value.trim())))
    })
}

fn pieces(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let all = headers.get_all(COOKIE).iter();
    all.flat_map(|value| value.as_bytes().split(|b| *b == b';'))
        .map(<[u8]>::trim_ascii)
        .filter(|piece| !piece.is_empty())
}

fn unquoted(value: &str) -> &str {
    let inner = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    inner.unwrap_or(value)
}

/// The values of one cookie. A sibling host can put others of its name before the right one.
pub(crate) fn values<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    cookies(headers).filter(move |(own, _)| *own == name).map(|(_, value)| value)
}

/// Those values of one cookie that have the form of a signed one.
pub(crate) fn sealed<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    values(headers, name).filter(|value| keys::looks_sealed(value)).take(MAX_SIGNED)
}

/// Leaves cookies out of what the app gets, and adds some. Several headers become one, as HTTP/1.1 wants it.
pub(crate) fn rewrite(headers: &mut HeaderMap, drop: impl Fn(&[u8]) -> bool, add: &str) {
    let named = |piece: &&[u8]| !drop(name_of(piece));
    if add.is_empty() && pieces(headers).all(|piece| named(&piece)) {
        return;
    }
    let mut kept: Vec<u8> = Vec::new();
    for piece in pieces(headers).filter(named).chain((!add.is_empty()).then_some(add.as_bytes())) {
        if !kept.is_empty() {
            kept.extend_from_slice(b"; ");
        }
        kept.extend_from_slice(piece);
    }
    headers.remove(COOKIE);
    if let Ok(value) = HeaderValue::from_maybe_shared(bytes::Bytes::from(kept))
        && !value.is_empty()
    {
        let _ = headers.try_insert(COOKIE, value);
    }
}

/// The name as a lenient reader sees it: some strip more than blanks from its left.
fn name_of(piece: &[u8]) -> &[u8] {
    let start = piece.iter().position(u8::is_ascii_graphic).unwrap_or(piece.len());
    let piece = piece.get(start..).unwrap_or_default();
    let end = piece.iter().position(|b| *b == b'=').unwrap_or(piece.len());
    piece.get(..end).unwrap_or_default().trim_ascii_end()
}

/// What all our cookies have in common.
#[derive(Clone, Debug)]
pub(crate) struct CookieAttributes {
    pub(crate) domain: Option<String>,
    pub(crate) secure: bool,
    pub(crate) same_site: SameSite,
}

/// How long a cookie lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lasts {
    /// Until the browser ends its session.
    Session,
    For(Duration),
    /// It is to be forgotten now.
    Gone,
}

/// A `Set-Cookie` header; `None` for a value no header can hold.
pub(crate) fn set(name: &str, value: &str, lasts: Lasts, attributes: &CookieAttributes) -> Option<HeaderValue> {
    let mut text = format!("{name}={value}; Path=/; SameSite={}; HttpOnly", attributes.same_site.as_str());
    match lasts {
        Lasts::Session => Ok(()),
        Lasts::For(time) => write!(text, "; Max-Age={}", time.as_secs()),
        Lasts::Gone => write!(text, "; Max-Age=0"),
    }
    .ok()?;
    if let Some(domain) = &attributes.domain {
        write!(text, "; Domain={domain}").ok()?;
    }
    if attributes.secure {
        text.push_str("; Secure");
    }
    HeaderValue::from_maybe_shared(bytes::Bytes::from(text)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&[u8]]) -> HeaderMap {
        let value = |v: &&[u8]| (COOKIE, HeaderValue::from_bytes(v).unwrap());
        values.iter().map(value).collect()
    }

    #[test]
    fn reads_pairs_from_several_headers_and_skips_junk() {
        let headers = headers(&[b"a=1; b=\"2\";;  c = 3 ", b"bad; \xff=1; d=4=5"]);
        let all: Vec<_> = cookies(&headers).collect();
        assert_eq!(all, [("a", "1"), ("b", "2"), ("c", "3"), ("d", "4=5")]);
    }

    #[test]
    fn rewriting_keeps_what_is_not_named_byte_for_byte() {
        let mut h = headers(&[b"a=1;dwf_x=True", b"\xc2\xa0dwf_y=True; \xff=2; dwf_z"]);
        rewrite(&mut h, |name| name.starts_with(b"dwf_"), "dwf_x=False");
        let all: Vec<_> = h.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
        assert_eq!(all, [&b"a=1; \xff=2; dwf_x=False"[..]]);
        rewrite(&mut h, |_| true, "");
        assert!(!h.contains_key(COOKIE));
    }

    #[test]
    fn nothing_to_do_leaves_the_header_alone() {
        let mut h = headers(&[b"a=1;b=2", b"c"]);
        rewrite(&mut h, |name| name == b"x", "");
        assert_eq!(h, headers(&[b"a=1;b=2", b"c"]));
    }

    #[test]
    fn sets_cookies_with_their_attributes() {
        let plain = CookieAttributes { domain: None, secure: false, same_site: SameSite::Lax };
        let shared = CookieAttributes { domain: Some("example.com".into()), secure: true, same_site: SameSite::None };
        assert_eq!(set("a", "1", Lasts::Session, &plain).unwrap(), "a=1; Path=/; SameSite=Lax; HttpOnly");
        let year = Lasts::For(Duration::from_secs(60));
        assert_eq!(
            set("a", "1", year, &shared).unwrap(),
            "a=1; Path=/; SameSite=None; HttpOnly; Max-Age=60; Domain=example.com; Secure"
        );
        assert!(set("a", "1\n", Lasts::Gone, &plain).is_none());
    }
}
