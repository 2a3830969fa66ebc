//! The headers and cookies that tell the app which visitor asks, with which flags.

use std::fmt::Write as _;

use bytes::Bytes;
use flagstaff_flags::VariantId;
use http::Method;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

use crate::compiled::blocks::ReadyBlock;
use crate::identity::cookies::{self, OPERATOR_COOKIE, OWN_COOKIES};
use crate::identity::keys::Keys;
use crate::request::flags::Flags;
use crate::settings::{HeaderSettings, SendFlags};
use crate::waffle_cookies::{self, WaffleCookies};

/// Headers that are written besides those of flags.
const BESIDE: usize = 3;

const FLAGS: HeaderName = HeaderName::from_static("x-flags");
const VISITOR: HeaderName = HeaderName::from_static("x-visitor-id");
const SIGNATURE: HeaderName = HeaderName::from_static("x-flags-signature");

/// What the app gets of one request.
pub(crate) struct AppHeaders<'a> {
    pub(crate) settings: &'a HeaderSettings,
    pub(crate) waffle: &'a WaffleCookies,
    pub(crate) keys: &'a Keys,
    pub(crate) flags: &'a Flags,
}

impl AppHeaders<'_> {
    /// Writes them. Names and values of flags were made with the compiled snapshot.
    pub(crate) fn write(&self, method: &Method, path: &str, headers: &mut HeaderMap, now: Timestamp) {
        let (compiled, decisions) = (self.flags.compiled(), self.flags.decisions());
        let ready = compiled.ready(decisions, self.settings.off);
        let dictionary = match ready.as_ref().and_then(ReadyBlock::block) {
            Some(block) => {
                self.write_each(headers, block.each.len(), block.each.iter().map(|(name, value)| (name, value)));
                block.dictionary.clone().filter(|_| self.needs_dictionary())
            }
            None => {
                let is_told = |variant| self.settings.off || variant != VariantId::OFF;
                let told = decisions.variants().filter(|variant| is_told(*variant)).count();
                self.write_each(headers, told, compiled.each(decisions, self.settings.off));
                self.needs_dictionary().then(|| value(compiled.dictionary(decisions, self.settings.off))).flatten()
            }
        };
        put(headers, VISITOR, value(self.flags.visitor().to_owned()));
        if self.settings.sign {
            let text = dictionary.as_ref().map(HeaderValue::as_bytes).unwrap_or_default();
            let text = std::str::from_utf8(text).unwrap_or_default();
            put(headers, SIGNATURE, value(self.signature(text, method, path, now)));
        }
        if self.settings.send != SendFlags::Each {
            put(headers, FLAGS, dictionary.filter(|dictionary| !dictionary.is_empty()));
        }
        self.write_cookies(headers);
    }

    /// Whether anybody reads all flags in one.
    fn needs_dictionary(&self) -> bool {
        self.settings.send != SendFlags::Each || self.settings.sign
    }

    /// Writes a header per flag where the app wants that, in room that is made once.
    fn write_each<'a>(
        &self,
        headers: &mut HeaderMap,
        count: usize,
        each: impl Iterator<Item = (&'a HeaderName, &'a HeaderValue)>,
    ) {
        if self.settings.send == SendFlags::Compact {
            return;
        }
        let _ = headers.try_reserve(count + BESIDE);
        for (name, value) in each {
            let _ = headers.try_insert(name.clone(), value.clone());
        }
    }

    /// `t`, visitor, `X-Flags`, method and path, a line each, signed with the first key.
    fn signature(&self, dictionary: &str, method: &Method, path: &str, now: Timestamp) -> String {
        let (t, visitor) = (now.as_second(), self.flags.visitor());
        let tag = self.keys.sign_for_app(&format!("{t}\n{visitor}\n{dictionary}\n{method}\n{path}"));
        format!("t={t}, v1={tag}")
    }

    /// Removes our own cookies, and writes django-waffle's where the settings say so. Those of flags that it alone knows are its own. The
    /// visitor's cookie is passed on: it says no more than `X-Visitor-Id`.
    fn write_cookies(&self, headers: &mut HeaderMap) {
        let is_ours = |name: &[u8]| {
            OWN_COOKIES.iter().any(|own| own.as_bytes() == name) || name.starts_with(OPERATOR_COOKIE.as_bytes())
        };
        if !self.settings.waffle {
            return cookies::rewrite(headers, is_ours, "");
        }
        let mut add = String::new();
        for (_, flag, decision) in self.flags.decisions().iter() {
            let join = if add.is_empty() { "" } else { "; " };
            let (name, value) = (self.waffle.of(flag.waffle_name()), waffle_cookies::word(decision.variant()));
            let _ = write!(add, "{join}{name}={value}");
        }
        let is_waffle = |name: &[u8]| self.waffle.are_decided(name, self.flags.compiled().waffle());
        cookies::rewrite(headers, |name| is_ours(name) || is_waffle(name), &add);
    }
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: Option<HeaderValue>) {
    if let Some(value) = value {
        let _ = headers.try_insert(name, value);
    }
}

fn value(text: String) -> Option<HeaderValue> {
    HeaderValue::from_maybe_shared(Bytes::from(text)).ok()
}
