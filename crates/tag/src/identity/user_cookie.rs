//! Whom the app named, in a signed cookie, and which of these words are void.
//!
//! The cookie says when the app said it. A later word about the same visitor voids it: the newest of several cookies counts, and
//! this process remembers for a while whose earlier cookies are void. Other processes, and this one after a restart, know it by the
//! cookies alone: a copy that somebody kept lasts there until its end.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flagstaff_flags::User;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::identity::id::Id;
use crate::identity::keys::{Keys, Purpose};

/// A longer cookie is not kept by browsers.
const FITS: usize = 3500;
/// The form of the payload. Those of an earlier form lasted a year and are not read.
const FORM: u8 = 2;

/// What the app said of a visitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// The person; `None`: nobody, from then on.
    pub(crate) user: Option<User>,
    /// When it was said, in microseconds since 1970.
    pub(crate) said: i64,
    /// When it ends, in seconds since 1970.
    pub(crate) until: i64,
}

impl Named {
    /// The value of the cookie, which holds for this visitor; `None` when it would not fit.
    pub(crate) fn seal(&self, visitor: &str, keys: &Keys) -> Option<String> {
        let text = match &self.user {
            Some(user) => json!([FORM, self.said, self.until, user.id, user.groups, user.roles]),
            None => json!([FORM, self.said, self.until]),
        };
        let sealed = keys.seal(Purpose::User, visitor, &URL_SAFE_NO_PAD.encode(text.to_string()));
        (sealed.len() <= FITS).then_some(sealed)
    }

    /// Reads the value of a cookie; `None` unless it was sealed for this visitor and has not ended.
    pub(crate) fn unseal(sealed: &str, visitor: Id, now: Timestamp, keys: &Keys) -> Option<Self> {
        let payload = keys.open(Purpose::User, visitor.as_str(), sealed)?;
        let named = Self::read(&URL_SAFE_NO_PAD.decode(payload).ok()?)?;
        (now.as_second() < named.until).then_some(named)
    }

    /// Reads the text inside.
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        let parts: Vec<Value> = serde_json::from_slice(text).ok()?;
        let [form, said, until, person @ ..] = parts.as_slice() else {
            return None;
        };
        let user = match person {
            [] => None,
            [id, groups, roles] => {
                Some(User { id: id.as_str()?.into(), groups: texts(groups)?, roles: texts(roles)? })
            }
            _ => return None,
        };
        let named = Self { user, said: said.as_i64()?, until: until.as_i64()? };
        (form.as_u64() == Some(FORM.into())).then_some(named)
    }

    /// Whether less than half of its time is left.
    pub(crate) fn is_old(&self, now: Timestamp) -> bool {
        let (said, now) = (self.said / 1_000_000, now.as_second());
        now.saturating_sub(said) > self.until.saturating_sub(now)
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|one| one.as_str().map(Into::into)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::keys::keys;

    const KEY: &str = "a key that everybody here knows well";

    fn named(user: Option<User>) -> Named {
        Named { user, said: 1_000_000_000, until: 87_400 }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn comes_back_for_its_visitor_until_its_end() {
        let (keys, one, other) = (keys(&[KEY]), Id::of([1; 16]), Id::of([2; 16]));
        let user = User { id: "42".into(), groups: vec!["beta".into()], roles: vec![] };
        for named in [named(Some(user)), named(None)] {
            let sealed = named.seal(one.as_str(), &keys).unwrap();
            assert_eq!(Named::unseal(&sealed, one, at(1_000), &keys), Some(named));
            assert_eq!(Named::unseal(&sealed, other, at(1_000), &keys), None);
            assert_eq!(Named::unseal(&sealed, one, at(87_400), &keys), None);
        }
    }

    #[test]
    fn what_is_of_another_form_is_nobody() {
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
            assert_eq!(Named::unseal(&sealed, one, at(1), &keys), None, "{text}");
        }
    }

    #[test]
    fn is_said_again_in_its_second_half() {
        assert!(!named(None).is_old(at(44_000)));
        assert!(named(None).is_old(at(44_300)));
    }
}
