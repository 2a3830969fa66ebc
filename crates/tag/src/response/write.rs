//! What the app gets, and what the visitor gets back.

use std::fmt::Write as _;

use http::header::{HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use http::{Method, StatusCode};
use jiff::Timestamp;

use crate::identity::cookies::{
    self, Attributes, Lasts, OVERRIDES_COOKIE, SESSION_COOKIE, STICKY_COOKIE, USER_COOKIE,
};
use crate::identity::visitor::Visitors;
use crate::request::flags::Flags;
use crate::response::caching::{self, Sharing};
use crate::response::login::Word;
use crate::settings::{SendFlags, WhenFlagsDiffer};
use crate::tagger::Tagger;

const FLAGS: HeaderName = HeaderName::from_static("x-flags");
const VISITOR: HeaderName = HeaderName::from_static("x-visitor-id");
const SIGNATURE: HeaderName = HeaderName::from_static("x-flags-signature");

impl Tagger {
    /// Tells the app. Names and values were made with the plan.
    pub(crate) fn write(&self, flags: &Flags, method: &Method, path: &str, headers: &mut HeaderMap, now: Timestamp) {
        let (plan, decisions) = (flags.plan(), flags.decisions());
        if self.headers.send != SendFlags::Compact {
            for (name, value) in plan.each(decisions, self.headers.off) {
                let _ = headers.try_insert(name.clone(), value.clone());
            }
        }
        let dictionary = plan.dictionary(decisions, self.headers.off);
        put(headers, VISITOR, flags.visitor().to_owned());
        if self.headers.sign {
            put(headers, SIGNATURE, self.signature(flags.visitor(), &dictionary, method, path, now));
        }
        if self.headers.send != SendFlags::Each && !dictionary.is_empty() {
            put(headers, FLAGS, dictionary);
        }
        self.write_cookies(flags, headers);
    }

    /// `t`, visitor, `X-Flags`, method and path, a line each, signed with the first key.
    fn signature(&self, visitor: &str, dictionary: &str, method: &Method, path: &str, now: Timestamp) -> String {
        let t = now.as_second();
        let tag = self.keys.sign_for_app(&format!("{t}\n{visitor}\n{dictionary}\n{method}\n{path}"));
        format!("t={t}, v1={tag}")
    }

    /// Keeps our own cookies to ourselves, and speaks django-waffle's where asked to. The visitor's goes on: it says no more than
    /// `X-Visitor-Id`.
    fn write_cookies(&self, flags: &Flags, headers: &mut HeaderMap) {
        const OURS: [&str; 4] = [USER_COOKIE, STICKY_COOKIE, OVERRIDES_COOKIE, SESSION_COOKIE];
        let is_ours = |name: &[u8]| OURS.iter().any(|own| own.as_bytes() == name);
        if !self.headers.waffle {
            return cookies::rewrite(headers, is_ours, "");
        }
        let mut add = String::new();
        for (_, flag, decision) in flags.decisions().iter() {
            let join = if add.is_empty() { "" } else { "; " };
            let value = if decision.variant() == flagstaff_flags::VariantId::OFF { "False" } else { "True" };
            let _ = write!(add, "{join}dwf_{}={value}", flag.waffle_name());
        }
        let is_waffle = |name: &[u8]| name.starts_with(b"dwf_") || name.starts_with(b"dwft_");
        cookies::rewrite(headers, |name| is_ours(name) || is_waffle(name), &add);
    }

    /// Tells caches and sets cookies.
    pub(crate) fn finish(
        &self,
        flags: &Flags,
        word: Word,
        status: StatusCode,
        headers: &mut HeaderMap,
        now: Timestamp,
    ) {
        let reply = &flags.tagged().reply;
        let mut sharing = caching::sharing(&reply.method, reply.authorized, status, headers, now);
        let is_asset = caching::is_asset(headers);
        // What one person previews is nobody else's page, whatever is written for those who are drawn.
        let how = if reply.forced { WhenFlagsDiffer::Private } else { self.cache };
        let differs = (reply.differs || reply.forced) && !is_asset;
        if sharing != Sharing::Never && differs && caching::differ(headers, how) {
            sharing = Sharing::Never;
        }
        // A 304 renews what a cache stored, headers and all, and nothing in it says what that was.
        let holds = status != StatusCode::NOT_MODIFIED
            && (!status.is_informational() || status == StatusCode::SWITCHING_PROTOCOLS);
        if !reply.may_set || sharing == Sharing::Told || !holds {
            return;
        }
        let set = self.set_cookies(flags, word);
        if !set.is_empty() && sharing == Sharing::Guessed {
            caching::make_private(headers);
        }
        for cookie in set {
            let _ = headers.try_append(SET_COOKIE, cookie);
        }
    }

    /// Makes the browser forget everything we gave it.
    pub(crate) fn expire_cookies(&self, flags: &Flags, headers: &mut HeaderMap) {
        let attributes = self.attributes(flags);
        let ours = [SESSION_COOKIE, STICKY_COOKIE, OVERRIDES_COOKIE, USER_COOKIE];
        for name in ours.into_iter().chain([self.visitors.cookie.as_str()]) {
            if let Some(cookie) = cookies::set(name, "", Lasts::Gone, &attributes) {
                let _ = headers.try_append(SET_COOKIE, cookie);
            }
        }
    }

    fn attributes(&self, flags: &Flags) -> Attributes {
        let Visitors { domain, same_site, .. } = &self.visitors;
        Attributes { domain: domain.clone(), secure: flags.tagged().reply.secure, same_site: *same_site }
    }

    fn set_cookies(&self, flags: &Flags, word: Word) -> Vec<HeaderValue> {
        let reply = &flags.tagged().reply;
        let attributes = self.attributes(flags);
        let long = Lasts::For(self.visitors.max_age);
        let mut all = Vec::new();
        let mut set = |name: &str, value: &str, lasts| all.extend(cookies::set(name, value, lasts, &attributes));
        if reply.new_visitor {
            set(&self.visitors.cookie, flags.visitor(), long);
        }
        if let Some(session) = flags.session().filter(|_| reply.new_session) {
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
        match word {
            Word::Set(named) => match named.seal(flags.visitor(), &self.keys) {
                Some(sealed) => set(USER_COOKIE, &sealed, Lasts::For(self.users.max_age)),
                None => tracing::warn!("X-Flag-Identify has more groups and roles than a cookie holds"),
            },
            Word::Remove => set(USER_COOKIE, "", Lasts::Gone),
            Word::Nothing => {}
        }
        all
    }
}

fn put(headers: &mut HeaderMap, name: HeaderName, text: String) {
    if let Ok(value) = HeaderValue::from_maybe_shared(bytes::Bytes::from(text)) {
        let _ = headers.try_insert(name, value);
    }
}
