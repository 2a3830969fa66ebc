//! A text that a browser carries from an answer to the next page: a cookie, sealed as the session is.
//!
//! Browsers send a host's cookies to every port of it, and let every port set them. So the cookie has the name of its port, and what is not
//! sealed with the caller's own token is not there. An old one says nothing either.

use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::session::{cookies, now};
use super::token::Token;

/// How long a text may be on its way.
const SECONDS: u64 = 60;
/// The longest text. Sealed, with what stands around it, it is below the 4096 bytes of a cookie that browsers keep.
pub(crate) const MAX_CARRIED_BYTES: usize = 2700;

/// What an answer gives the browser to carry, as an extension of it; as one of a request, what the browser brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Carried(pub(crate) Option<String>);

/// The name of the cookie of an address with this port. It begins as that of the session, so the app gets neither.
pub(super) fn cookie_name(port: u16) -> String {
    format!("flagstaff_operator_said_{port}")
}

/// Opens what a request brings for its route.
pub(super) fn receive(cookie: &str, token: &Token, parts: &mut Parts) {
    let now = now();
    if let Some(text) = cookies(&parts.headers, cookie).find_map(|sealed| open(sealed, token, now)) {
        parts.extensions.insert(Carried(Some(text)));
    }
}

/// Seals what an answer gives the browser to carry; where that is nothing, the cookie is removed.
pub(super) fn send(cookie: &str, token: &Token, answer: &mut Response) {
    let Some(Carried(text)) = answer.extensions_mut().remove::<Carried>() else { return };
    let (value, seconds) = match text {
        Some(text) if text.len() <= MAX_CARRIED_BYTES => (seal(&text, token, now()), SECONDS),
        _ => (String::new(), 0),
    };
    let set = format!("{cookie}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Strict");
    if let Ok(set) = HeaderValue::try_from(set) {
        answer.headers_mut().append(header::SET_COOKIE, set);
    }
}

fn seal(text: &str, token: &Token, now: u64) -> String {
    token.seal("carried", &format!("{}.{}", now + SECONDS, URL_SAFE_NO_PAD.encode(text)))
}

fn open(sealed: &str, token: &Token, now: u64) -> Option<String> {
    let (until, text) = token.open("carried", sealed)?.split_once('.')?;
    let is_in_time = until.parse::<u64>().is_ok_and(|until| now < until);
    String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok().filter(|_| is_in_time)?).ok()
}

#[cfg(test)]
mod tests {
    use super::super::token::checked;
    use super::*;

    #[test]
    fn only_what_was_sealed_here_a_moment_ago_is_carried() {
        let token = checked("token", "a-token-of-letters").unwrap();
        let other = checked("token", "another-token-of-letters").unwrap();
        for text in ["", "text=a+b&flag=form", "\"ä\"; b=c\r\n"] {
            let sealed = seal(text, &token, 1_000);
            assert!(sealed.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)), "{sealed}");
            assert_eq!(open(&sealed, &token, 1_000).as_deref(), Some(text));
            assert_eq!(open(&sealed, &token, 1_000 + SECONDS), None, "it is old");
            assert_eq!(open(&sealed, &other, 1_000), None, "another token sealed it");
        }
        let session = token.seal("session", "9999999999.dGV4dA");
        for foreign in ["", "text=a&flag=form", "9999999999.dGV4dA", &session] {
            assert_eq!(open(foreign, &token, 1_000), None, "{foreign}");
        }
    }
}
