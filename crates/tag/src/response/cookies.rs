//! The cookies that one answer sets.

use http::header::{HeaderMap, HeaderValue, SET_COOKIE};

use crate::identity::cookies::{
    self, CookieAttributes, Lasts, OVERRIDES_COOKIE, OWN_COOKIES, SESSION_COOKIE, STICKY_COOKIE, USER_COOKIE,
};
use crate::identity::visitor::is_domain;
use crate::request::flags::Flags;
use crate::request::identify::Identifier;
use crate::response::login::UserCookieChange;

/// Domains of a host that cookies are removed from.
const MAX_DOMAINS: usize = 8;

/// The cookies of the answer to one request.
pub(crate) struct AnswerCookies<'a> {
    pub(crate) settings: &'a Identifier,
    pub(crate) flags: &'a Flags,
}

impl AnswerCookies<'_> {
    /// Those that are new or changed. Where none may be set, one may still be removed.
    pub(crate) fn changed(&self, user_cookie: UserCookieChange) -> Vec<HeaderValue> {
        let reply = &self.flags.tagged().reply;
        let (attributes, mut all) = (self.attributes(), Vec::new());
        let mut set = |name: &str, value: &str, lasts| match lasts {
            Lasts::Gone => self.remove(name, &mut all),
            _ => {
                if attributes.domain.is_some() && self.was_brought(name) {
                    // one without a domain, from before the setting, would stay beside it
                    let host_only = CookieAttributes { domain: None, ..attributes.clone() };
                    all.extend(cookies::set(name, "", Lasts::Gone, &host_only));
                }
                all.extend(cookies::set(name, value, lasts, &attributes));
            }
        };
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
        let mut all = Vec::new();
        for name in OWN_COOKIES.into_iter().chain([self.settings.visitors.cookie.as_str()]) {
            self.remove(name, &mut all);
        }
        for cookie in all {
            let _ = headers.try_append(SET_COOKIE, cookie);
        }
    }

    /// Removes a cookie wherever it may be: without a domain, with that of the settings, and with one that they had before, as far as the host
    /// that was asked tells. A browser passes over domains that are nobody's.
    fn remove(&self, name: &str, all: &mut Vec<HeaderValue>) {
        let host = self.flags.tagged().reply.ended_at.as_deref().filter(|host| is_domain(host));
        let earlier = host.into_iter().flat_map(parents);
        let own = self.settings.visitors.domain.as_deref();
        let others = earlier.filter(|domain| Some(*domain) != own).take(MAX_DOMAINS);
        for domain in [None].into_iter().chain(own.map(Some)).chain(others.map(Some)) {
            let attributes = CookieAttributes { domain: domain.map(Into::into), ..self.attributes() };
            all.extend(cookies::set(name, "", Lasts::Gone, &attributes));
        }
    }

    /// Whether a cookie of this name came, which the answer writes anew.
    fn was_brought(&self, name: &str) -> bool {
        let reply = &self.flags.tagged().reply;
        match name {
            STICKY_COOKIE => reply.brought.sticky,
            OVERRIDES_COOKIE => reply.brought.overrides,
            USER_COOKIE => reply.user_cookies.count > 0,
            _ => false,
        }
    }

    fn attributes(&self) -> CookieAttributes {
        let visitors = &self.settings.visitors;
        let secure = self.flags.tagged().reply.secure;
        CookieAttributes { domain: visitors.domain.clone(), secure, same_site: visitors.same_site }
    }
}

/// A host and what is above it, down to two labels: no browser keeps a cookie for a whole `com`.
fn parents(host: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(host), |host| Some(host.split_once('.')?.1)).filter(|domain| domain.contains('.'))
}
