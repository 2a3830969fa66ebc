//! The visitor's cookie and consent, checked.

use std::time::Duration;

use flagstaff_flags::Problem;

use crate::identity::cookies::{MAX_LIFE, OWN_COOKIES};
use crate::settings::{IssueTo, SameSite, VisitorSettings};

/// How visitors are known.
#[derive(Debug)]
pub(crate) struct Visitors {
    pub(crate) cookie: String,
    pub(crate) domain: Option<String>,
    pub(crate) secure: Option<bool>,
    pub(crate) max_age: Duration,
    pub(crate) consent: Option<Consent>,
    pub(crate) same_site: SameSite,
    pub(crate) issue_to: IssueTo,
}

impl Visitors {
    pub(crate) fn new(settings: &VisitorSettings, problems: &mut Vec<Problem>) -> Self {
        let mut problem = |key, message: String, help: &str| {
            problems.push(Problem::new(["visitor", key], message).help(help));
        };
        let name = settings.cookie.as_str();
        if !is_token(name) || OWN_COOKIES.contains(&name) {
            problem("cookie", format!("`{name}` is not a free name for a cookie"), "flagstaff_visitor");
        }
        if name.starts_with("__Host-") && (settings.domain.is_some() || settings.secure != Some(true)) {
            let message = "browsers refuse `__Host-` cookies with a domain or without secure = true".into();
            problem("cookie", message, "leave `domain` out and say `secure = true`, or take another name");
        }
        if name.starts_with("__Secure-") && settings.secure != Some(true) {
            let message = "browsers refuse `__Secure-` cookies without secure = true".into();
            problem("cookie", message, "say `secure = true`, or take another name");
        }
        if settings.same_site == SameSite::None && settings.secure != Some(true) {
            let message = "browsers refuse cookies with SameSite=None unless they are Secure".into();
            problem("same_site", message, "say `secure = true` too; visitors must then come over https");
        }
        let domain = settings.domain.as_deref().map(|domain| domain.trim_start_matches('.'));
        if let Some(wrong) = domain.filter(|domain| !is_domain(domain)) {
            problem(
                "domain",
                format!("`{wrong}` is not a domain"),
                "such as \"example.com\", without scheme and port",
            );
        }
        if settings.max_age.is_zero() || settings.max_age > MAX_LIFE {
            problem("max_age", "browsers keep a cookie at most 400 days".into(), "\"365d\"");
        }
        let consent = settings.consent_cookie.as_deref().map(Consent::new);
        if consent.as_ref().is_some_and(|consent| !is_token(&consent.name)) {
            problem(
                "consent_cookie",
                "this is not the name of a cookie".into(),
                "\"consent=yes\", or \"consent\" for any value",
            );
        }
        Self {
            cookie: settings.cookie.clone(),
            domain: domain.map(Into::into),
            secure: settings.secure,
            max_age: settings.max_age,
            consent,
            same_site: settings.same_site,
            issue_to: settings.issue_to,
        }
    }
}

/// The cookie that says yes.
#[derive(Debug)]
pub(crate) struct Consent {
    name: String,
    value: Option<String>,
}

impl Consent {
    fn new(text: &str) -> Self {
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        Self { name: name.trim().into(), value: value.map(|value| value.trim().into()) }
    }

    /// Whether a cookie says yes; `None` for another cookie.
    pub(crate) fn said_by(&self, name: &str, value: &str) -> Option<bool> {
        (name == self.name).then(|| self.value.as_deref().is_none_or(|wanted| wanted == value))
    }
}

fn is_token(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !name.is_empty() && name.bytes().all(fits)
}

/// Whether a text is the name of a host, with or without dots; no address.
pub(crate) fn is_domain(text: &str) -> bool {
    let label = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    text.len() <= 253 && text.split('.').all(label) && text.parse::<std::net::IpAddr>().is_err()
}
