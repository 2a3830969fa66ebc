//! The session of a browser: a signed cookie, and nothing kept here unless somebody signs out.
//!
//! It is signed with a key made of the token that opened it. So it outlives a restart, ends when the token is changed, and says by its
//! signature alone whether it may write.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::author;
use super::token::{Token, new_token};

/// How long a session lasts.
pub(super) const SESSION_SECONDS: u64 = 7 * 24 * 60 * 60;
/// The form of the cookie's value.
const VERSION: &str = "v2";
/// What its signature is for.
const PURPOSE: &str = "session";

/// A browser that was let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    /// The name that the person gave.
    pub(super) name: Option<String>,
    /// What tells it from others. It keeps it when it gets another name.
    pub(super) id: String,
    /// When it ends, in seconds since 1970.
    ends: u64,
}

impl Session {
    /// One that begins now; none where the system has no random numbers.
    pub(super) fn new(name: Option<String>, now: u64) -> Option<Self> {
        Some(Self { name, id: new_token()?, ends: now + SESSION_SECONDS })
    }

    /// The same with another name, and with all its time before it.
    pub(super) fn renamed(self, name: Option<String>, now: u64) -> Self {
        Self { name, ends: now + SESSION_SECONDS, ..self }
    }

    /// As the cookie's value.
    pub(super) fn seal(&self, token: &Token) -> String {
        let name = URL_SAFE_NO_PAD.encode(self.name.as_deref().unwrap_or_default());
        token.seal(PURPOSE, &format!("{VERSION}.{}.{name}.{}", self.ends, self.id))
    }

    /// From the cookie's value, unless it is over.
    pub(super) fn open(sealed: &str, token: &Token, now: u64) -> Option<Self> {
        let mut parts = token.open(PURPOSE, sealed)?.split('.');
        let (version, ends, name) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
        let id = parts.next()?.to_owned();
        let name = String::from_utf8(URL_SAFE_NO_PAD.decode(name).ok()?).ok()?;
        (version == VERSION && now < ends).then(|| Self { name: author::name(&name), id, ends })
    }
}

/// Browsers send a host's cookies to every port of it. So each port's cookie has a name of its own.
pub(super) fn cookie_name(port: u16) -> String {
    format!("flagstaff_operator_{port}")
}

/// The header that sets the cookie; without a value it is removed.
pub(super) fn set_cookie(name: &str, value: Option<&str>, is_https: bool) -> String {
    let secure = if is_https { "; Secure" } else { "" };
    let (value, age) = value.map_or(("", 0), |value| (value, SESSION_SECONDS));
    format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}")
}

/// The values of the cookies of a name.
pub(super) fn cookies<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(key, _)| *key == name).map(|(_, value)| value)
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map(|time| time.as_secs()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::token::checked;
    use super::*;

    #[test]
    fn a_session_has_its_time_and_its_token() {
        let token = checked("token", "a token of letters".replace(' ', "-").as_str()).unwrap();
        let other = checked("token", "another-token-of-letters").unwrap();
        for name in [None, Some("Ada Lovelace".to_owned())] {
            let session = Session::new(name, 1_000).unwrap();
            let sealed = session.seal(&token);
            assert_eq!(Session::open(&sealed, &token, 1_000), Some(session.clone()));
            assert_eq!(Session::open(&sealed, &token, 1_000 + SESSION_SECONDS), None, "it is over");
            assert_eq!(Session::open(&sealed, &other, 1_000), None, "another token signed it");
            assert!(sealed.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)), "{sealed}");
        }
        let [one, other] = [Session::new(None, 1_000), Session::new(None, 1_000)].map(Option::unwrap);
        assert_ne!(one.id, other.id);
        assert_eq!(one.clone().renamed(Some("ada".into()), 2_000).id, one.id);
        for wrong in ["", "v2", "v1.9999999999..id", "v2.9999999999", "v2.x..id", "v2.9999999999."] {
            assert_eq!(Session::open(&token.seal(PURPOSE, wrong), &token, 1_000), None, "{wrong}");
        }
    }

    #[test]
    fn cookies_are_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=1; flagstaff_operator_8081=x; b=".parse().unwrap());
        headers.append(header::COOKIE, "flagstaff_operator_8081=y=z;flagstaff_operator_80=n".parse().unwrap());
        let found: Vec<_> = cookies(&headers, "flagstaff_operator_8081").collect();
        assert_eq!(found, ["x", "y=z"]);
    }
}
