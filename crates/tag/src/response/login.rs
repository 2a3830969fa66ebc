//! What `X-Flag-Identify` does to the cookie that remembers the person.
//!
//! The word of the app holds at once in this process. The browser's cookie follows with the same answer, or, where that answer must carry
//! no cookie or the person fits none, with the next one that may: a cookie that comes in although its person is logged out was not
//! reached.

use flagstaff_flags::User;
use jiff::Timestamp;

use crate::identity::id::Id;
use crate::identity::user_cookie::{UserCookie, UserCookies};
use crate::request::flags::Flags;
use crate::request::identify::Identifier;
use crate::response::directives::Identify;

/// What becomes of the cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum UserCookieChange {
    /// It stays as it is.
    Keep,
    /// It is replaced by this signed one.
    Set(String),
    /// It is removed.
    Remove,
}

impl UserCookieChange {
    /// What the answer's directive changes. Another person than before revokes earlier cookies at once, whether or not this answer can set
    /// a cookie. Without consent nobody is logged in, and who was before is logged out all the same.
    pub(crate) fn of(
        settings: &Identifier,
        flags: &Flags,
        identify: Option<&Identify>,
        may_set: bool,
        now: Timestamp,
    ) -> Self {
        let (tagged, cookies) = (flags.tagged(), &flags.tagged().reply.user_cookies);
        // an id that does not last is not the visitor's alone
        let visitor = cookies.holder.or_else(|| tagged.reply.may_set.then_some(tagged.visitor));
        let Some(visitor) = visitor.filter(|_| settings.users.identify()) else {
            return Self::Keep;
        };
        let word = Word { settings, cookies, visitor, may_set, now };
        match identify {
            Some(Identify::User(user)) => word.log_in(user),
            Some(Identify::Nobody) => word.log_out(),
            None => word.follow_up(),
        }
    }
}

/// One word of the app, or its silence, about one visitor.
struct Word<'a> {
    settings: &'a Identifier,
    cookies: &'a UserCookies,
    visitor: Id,
    /// This answer can set a cookie that the browser keeps.
    may_set: bool,
    now: Timestamp,
}

impl Word<'_> {
    fn log_in(&self, user: &User) -> UserCookieChange {
        let revocations = &self.settings.users.revocations;
        let same = self.cookies.newest.as_ref().filter(|before| before.user.as_ref() == Some(user));
        if let Some(before) = same {
            // Revoked: this answer belongs to a request from before a logout that was answered first.
            let stays = !self.may_set || !before.is_old(self.now);
            if stays || revocations.is_revoked(self.visitor, before.issued_at) {
                return UserCookieChange::Keep;
            }
            return self.sealed(Some(user), self.now.as_microsecond());
        }
        if self.may_set {
            let issued_at = revocations.log_in(self.visitor, user, self.now.as_microsecond(), self.issued_before());
            if let set @ UserCookieChange::Set(_) = self.sealed(Some(user), issued_at) {
                return set;
            }
            tracing::warn!("X-Flag-Identify has more groups and roles than a cookie holds, so nobody is logged in");
        } else if revocations.is_logged_in(self.visitor, user) {
            // another answer to the same login has set the cookie
            return UserCookieChange::Keep;
        }
        self.log_out()
    }

    fn log_out(&self) -> UserCookieChange {
        let now = self.now.as_microsecond();
        let issued_at = self.settings.users.revocations.log_out(self.visitor, now, self.issued_before());
        self.end(issued_at)
    }

    /// What an earlier answer could not do. Of a visitor who is logged in again, the answer to that login has replaced the cookie.
    fn follow_up(&self) -> UserCookieChange {
        if !self.cookies.is_revoked {
            return UserCookieChange::Keep;
        }
        let ended = self.settings.users.revocations.logged_out_at(self.visitor);
        ended.map_or(UserCookieChange::Keep, |issued_at| self.end(issued_at))
    }

    /// The cookie is removed. Where several came, or one that was ended before, a sibling host or an older setting of `domain` may hold some
    /// that cannot be reached: then a newer one without a person stays.
    fn end(&self, issued_at: i64) -> UserCookieChange {
        match self.cookies.count {
            0 => UserCookieChange::Keep,
            1 if !self.cookies.is_revoked => UserCookieChange::Remove,
            _ if self.may_set => self.sealed(None, issued_at),
            _ => UserCookieChange::Remove,
        }
    }

    fn issued_before(&self) -> Option<i64> {
        self.cookies.newest.as_ref().map(|before| before.issued_at)
    }

    /// The cookie with a person, or with nobody; as before where it does not fit.
    fn sealed(&self, user: Option<&User>, issued_at: i64) -> UserCookieChange {
        let users = &self.settings.users;
        let expires_at = self.now.as_second().saturating_add_unsigned(users.max_age.as_secs());
        let cookie = UserCookie { user: user.cloned(), issued_at, expires_at };
        let sealed = cookie.seal(self.visitor.as_str(), &self.settings.keys);
        sealed.map_or(UserCookieChange::Keep, UserCookieChange::Set)
    }
}
