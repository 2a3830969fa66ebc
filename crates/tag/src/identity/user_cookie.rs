//! The person the app named, in a signed cookie.
//!
//! The cookie says when it was issued. A later login or logout of the same visitor revokes it: the newest of several cookies counts, and
//! this process remembers for a while whose earlier cookies are revoked. Other processes, and this one after a restart, know it by the
//! cookies alone: a copy that somebody kept is valid there until it expires.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flagstaff_flags::User;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::identity::id::Id;
use crate::identity::keys::{Keys, Purpose};

/// A longer cookie is not kept by browsers.
const MAX_SEALED_BYTES: usize = 3500;
/// The version of the payload. Those of an earlier version lasted a year and are not accepted.
const VERSION: u8 = 2;

/// Who the app said that a visitor is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UserCookie {
    /// The person; `None`: nobody, from then on.
    pub(crate) user: Option<User>,
    /// When it was issued, in microseconds since 1970.
    pub(crate) issued_at: i64,
    /// When it expires, in seconds since 1970.
    pub(crate) expires_at: i64,
}

impl UserCookie {
    /// The value of the cookie, which holds for this visitor; `None` when it would not fit.
    pub(crate) fn seal(&self, visitor: &str, keys: &Keys) -> Option<String> {
        let text = match &self.user {
            Some(user) => json!([VERSION, self.issued_at, self.expires_at, user.id, user.groups, user.roles]),
            None => json!([VERSION, self.issued_at, self.expires_at]),
        };
        let sealed = keys.seal(Purpose::User, visitor, &URL_SAFE_NO_PAD.encode(text.to_string()));
        (sealed.len() <= MAX_SEALED_BYTES).then_some(sealed)
    }

    /// Reads the value of a cookie; `None` unless it was sealed for this visitor and has not ended.
    pub(crate) fn unseal(sealed: &str, visitor: Id, now: Timestamp, keys: &Keys) -> Option<Self> {
        let payload = keys.open(Purpose::User, visitor.as_str(), sealed)?;
        let cookie = Self::read(&URL_SAFE_NO_PAD.decode(payload).ok()?)?;
        (now.as_second() < cookie.expires_at).then_some(cookie)
    }

    /// Reads the text inside.
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        let parts: Vec<Value> = serde_json::from_slice(text).ok()?;
        let [version, issued_at, expires_at, person @ ..] = parts.as_slice() else {
            return None;
        };
        let user = match person {
            [] => None,
            [id, groups, roles] => {
                Some(User { id: id.as_str()?.into(), groups: texts(groups)?, roles: texts(roles)? })
            }
            _ => return None,
        };
        let cookie = Self { user, issued_at: issued_at.as_i64()?, expires_at: expires_at.as_i64()? };
        (version.as_u64() == Some(VERSION.into())).then_some(cookie)
    }

    /// Whether less than half of its time is left.
    pub(crate) fn is_old(&self, now: Timestamp) -> bool {
        let (issued_at, now) = (self.issued_at / 1_000_000, now.as_second());
        now.saturating_sub(issued_at) > self.expires_at.saturating_sub(now)
    }
}

/// What the cookies that name a person say, of one request.
#[derive(Debug, Default)]
pub(crate) struct UserCookies {
    /// The visitor whose id came with them, whether or not consent lets the id count.
    pub(crate) holder: Option<Id>,
    /// How many came, revoked ones too.
    pub(crate) count: usize,
    /// The newest one of the holder, unless it is revoked.
    pub(crate) newest: Option<UserCookie>,
    /// The newest one of the holder was revoked when it came: no answer has reached it in the browser.
    pub(crate) is_revoked: bool,
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|one| one.as_str().map(Into::into)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::keys::keys;

    const KEY: &str = "a key that everybody here knows well";

    fn cookie(user: Option<User>) -> UserCookie {
        UserCookie { user, issued_at: 1_000_000_000, expires_at: 87_400 }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn comes_back_for_its_visitor_until_its_end() {
        let (keys, one, other) = (keys(&[KEY]), Id::of([1; 16]), Id::of([2; 16]));
        let user = User { id: "42".into(), groups: vec!["beta".into()], roles: vec![] };
        for cookie in [cookie(Some(user)), cookie(None)] {
            let sealed = cookie.seal(one.as_str(), &keys).unwrap();
            assert_eq!(UserCookie::unseal(&sealed, one, at(1_000), &keys), Some(cookie));
            assert_eq!(UserCookie::unseal(&sealed, other, at(1_000), &keys), None);
            assert_eq!(UserCookie::unseal(&sealed, one, at(87_400), &keys), None);
        }
    }

    #[test]
    fn what_is_of_another_version_is_nobody() {
        let (keys, one) = (keys(&[KEY]), Id::of([1; 16]));
        for text in [
            "",
            "7",
            "[]",
            "[2]",
            "[2,1,null]",
            "[1,1,90000]",
            "[2,1,90000,42,[],[]]",
            "[2,1,90000,\"a\"]",
            "[90000,\"a\",[],[]]",
        ] {
            let sealed = keys.seal(Purpose::User, one.as_str(), &URL_SAFE_NO_PAD.encode(text));
            assert_eq!(UserCookie::unseal(&sealed, one, at(1), &keys), None, "{text}");
        }
    }

    #[test]
    fn is_issued_again_in_its_second_half() {
        assert!(!cookie(None).is_old(at(44_000)));
        assert!(cookie(None).is_old(at(44_300)));
    }
}
