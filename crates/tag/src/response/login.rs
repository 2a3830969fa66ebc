//! What `X-Flag-Identify` does to the cookie that remembers the person.

use flagstaff_flags::User;
use jiff::Timestamp;

use crate::identity::id::Id;
use crate::identity::user::Users;
use crate::identity::user_cookie::UserCookie;
use crate::request::flags::Flags;
use crate::response::directives::Identify;

/// What becomes of the cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum UserCookieChange {
    /// It stays as it is.
    Keep,
    /// It is replaced.
    Set(UserCookie),
    /// It is removed.
    Remove,
}

impl UserCookieChange {
    /// What the answer's directive changes. Another person than before revokes earlier cookies at once, whether or not this answer can set
    /// a cookie.
    pub(crate) fn of(users: &Users, flags: &Flags, identify: Option<&Identify>, now: Timestamp) -> Self {
        let reply = &flags.tagged().reply;
        if !users.identify() || !reply.may_set {
            return Self::Keep;
        }
        match identify {
            Some(Identify::User(user)) => {
                log_in(users, flags.tagged().visitor, user, reply.user_cookie.as_ref(), now)
            }
            Some(Identify::Nobody) => log_out(users, flags, now),
            None => Self::Keep,
        }
    }
}

fn log_in(users: &Users, visitor: Id, user: &User, before: Option<&UserCookie>, now: Timestamp) -> UserCookieChange {
    let revocations = &users.revocations;
    match before.filter(|before| before.user.as_ref() == Some(user)) {
        // This answer belongs to a request from before a logout that was answered first.
        Some(before) if revocations.is_revoked(visitor, before.issued_at) => UserCookieChange::Keep,
        Some(before) if !before.is_old(now) => UserCookieChange::Keep,
        Some(_) => UserCookieChange::Set(cookie(users, Some(user), now.as_microsecond(), now)),
        None => {
            let before = before.map(|before| before.issued_at);
            let issued_at = revocations.log_in(visitor, user, now.as_microsecond(), before);
            UserCookieChange::Set(cookie(users, Some(user), issued_at, now))
        }
    }
}

/// The cookie is removed. Where several came, a sibling host or an older setting of `domain` holds some that cannot be reached: then a
/// newer one without a person stays.
fn log_out(users: &Users, flags: &Flags, now: Timestamp) -> UserCookieChange {
    let reply = &flags.tagged().reply;
    let before = reply.user_cookie.as_ref().map(|before| before.issued_at);
    let issued_at = users.revocations.log_out(flags.tagged().visitor, now.as_microsecond(), before);
    match reply.user_cookies {
        0 => UserCookieChange::Keep,
        1 => UserCookieChange::Remove,
        _ => UserCookieChange::Set(cookie(users, None, issued_at, now)),
    }
}

fn cookie(users: &Users, user: Option<&User>, issued_at: i64, now: Timestamp) -> UserCookie {
    let expires_at = now.as_second().saturating_add_unsigned(users.max_age.as_secs());
    UserCookie { user: user.cloned(), issued_at, expires_at }
}
