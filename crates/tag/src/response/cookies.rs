//! The cookies that one answer sets.

use http::header::{HeaderMap, HeaderValue, SET_COOKIE};

use crate::identity::cookies::{
    self, CookieAttributes, Lasts, OVERRIDES_COOKIE, OWN_COOKIES, SESSION_COOKIE, STICKY_COOKIE, USER_COOKIE,
};
use crate::request::flags::Flags;
use crate::request::identify::Identifier;
use crate::response::login::UserCookieChange;

/// The cookies of the answer to one request.
pub(crate) struct AnswerCookies<'a> {
    pub(crate) settings: &'a Identifier,
    pub(crate) flags: &'a Flags,
}

impl AnswerCookies<'_> {
    /// Those that are new or changed. Where none may be set, one may still be removed.
    pub(crate) fn changed(&self, user_cookie: UserCookieChange) -> Vec<HeaderValue> {
        let reply = &self.flags.tagged().reply;
        let attributes = self.attributes();
        let mut all = Vec::new();
        let mut set = |name: &str, value: &str, lasts| all.extend(cookies::set(name, value, lasts, &attributes));
        if reply.may_set {
            self.of_visitor(&mut set);
        }
        match user_cookie {
            UserCookieChange::Set(sealed) => set(USER_COOKIE, &sealed, Lasts::For(self.settings.users.max_age)),
            UserCookieChange::Remove => set(USER_COOKIE, "", Lasts::Gone),
            UserCookieChange::Keep => {}
        }
        all
    }

    /// Those of the visitor, the session and what is remembered of both.
    fn of_visitor(&self, set: &mut impl FnMut(&str, &str, Lasts)) {
        let (reply, visitors) = (&self.flags.tagged().reply, &self.settings.visitors);
        let long = Lasts::For(visitors.max_age);
        if reply.is_new_visitor {
            set(&visitors.cookie, self.flags.visitor(), long);
        }
        if let Some(session) = self.flags.session().filter(|_| reply.is_new_session) {
            set(SESSION_COOKIE, session, Lasts::Session);
        }
        if let Some((sealed, outlasts_session)) = &reply.sticky {
            set(STICKY_COOKIE, sealed, if *outlasts_session { long } else { Lasts::Session });
        }
        match reply.overrides.as_deref() {
            Some("") => set(OVERRIDES_COOKIE, "", Lasts::Gone),
            Some(sealed) => set(OVERRIDES_COOKIE, sealed, Lasts::Session),
            None => {}
        }
    }

    /// Makes the browser forget every cookie that is ours.
    pub(crate) fn expire(&self, headers: &mut HeaderMap) {
        let attributes = self.attributes();
        for name in OWN_COOKIES.into_iter().chain([self.settings.visitors.cookie.as_str()]) {
            if let Some(cookie) = cookies::set(name, "", Lasts::Gone, &attributes) {
                let _ = headers.try_append(SET_COOKIE, cookie);
            }
        }
    }

    fn attributes(&self) -> CookieAttributes {
        let visitors = &self.settings.visitors;
        let secure = self.flags.tagged().reply.secure;
        CookieAttributes { domain: visitors.domain.clone(), secure, same_site: visitors.same_site }
    }
}
