//! Our own cookies in one request.
//!
//! A sibling host can put cookies of our names before the right ones, with values of its choice. A signed one is looked for among all that
//! came. Of several ids the one counts for which something is signed; where nothing is, the first. Where something is signed for several,
//! somebody else who visited us sent them too, and nobody can tell which id is the right one: then none of them gives a right.

use std::sync::Once;

use http::header::HeaderMap;

use crate::identity::cookies::{OVERRIDES_COOKIE, SESSION_COOKIE, STICKY_COOKIE, USER_COOKIE, cookies, sealed};
use crate::identity::id::Id;
use crate::identity::keys::{Keys, Purpose};
use crate::identity::visitor::Visitors;

/// Ids of one cookie's name that are looked at. Browsers keep at most 180 cookies of a site.
const MAX_IDS: usize = 180;
/// Signatures that are verified to tell which of several visitors' ids is the right one.
const MAX_SIGNATURES: usize = 1024;
/// Cookies that are signed for one visitor.
const SIGNED: [(Purpose, &str); 3] =
    [(Purpose::Sticky, STICKY_COOKIE), (Purpose::User, USER_COOKIE), (Purpose::Override, OVERRIDES_COOKIE)];

/// Our own cookies in one request.
#[derive(Default)]
pub(crate) struct OwnCookies {
    pub(crate) visitor: Option<Id>,
    /// Something is signed for several visitors, or too much came to tell.
    pub(crate) is_disputed: bool,
    sessions: Ids,
    /// How many have the name of the cookie that remembers a person.
    pub(crate) user_cookies: usize,
    pub(crate) has_sticky: bool,
    pub(crate) has_overrides: bool,
    pub(crate) consent: bool,
}

/// Which cookies came, of those that are written again and again.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Brought {
    pub(crate) sticky: bool,
    pub(crate) overrides: bool,
}

/// Ids that a request brought without consent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Withheld {
    pub(crate) visitor: Id,
    pub(crate) session: Option<Id>,
}

/// Different ids in the order sent; nearly always one at most.
#[derive(Default)]
struct Ids {
    first: Option<Id>,
    more: Vec<Id>,
}

impl Ids {
    fn add(&mut self, value: &str) {
        let Some(id) = Id::parse(value) else { return };
        match self.first {
            None => self.first = Some(id),
            Some(first) if first != id && self.more.len() + 1 < MAX_IDS && !self.more.contains(&id) => {
                self.more.push(id);
            }
            Some(_) => {}
        }
    }

    fn all(&self) -> impl Iterator<Item = Id> {
        self.first.into_iter().chain(self.more.iter().copied())
    }
}

impl OwnCookies {
    pub(crate) fn read(headers: &HeaderMap, names: &Visitors, keys: &Keys) -> Self {
        let (mut own, mut visitors) = (Self::default(), Ids::default());
        let mut consent = names.consent.is_none().then_some(true);
        for (name, value) in cookies(headers) {
            if name == names.cookie {
                visitors.add(value);
            }
            match name {
                SESSION_COOKIE => own.sessions.add(value),
                USER_COOKIE => own.user_cookies += 1,
                STICKY_COOKIE => own.has_sticky = true,
                OVERRIDES_COOKIE => own.has_overrides = true,
                _ => {}
            }
            if let Some(said) = names.consent.as_ref().and_then(|consent| consent.said_by(name, value)) {
                // said twice and differently it is not given: nobody can tell which of the two is meant
                consent = Some(said && consent != Some(false));
            }
        }
        own.consent = consent == Some(true);
        own.visitor = visitors.first;
        if !visitors.more.is_empty() {
            let (found, is_sure) = signed_visitor(&visitors, headers, keys);
            (own.visitor, own.is_disputed) = (found.or(visitors.first), !is_sure);
        }
        if own.is_disputed {
            warn_of_several(&names.cookie);
        }
        own
    }

    /// The ids that do not count, because consent is away.
    pub(crate) fn withheld(&self) -> Option<Withheld> {
        let visitor = self.visitor.filter(|_| !self.consent)?;
        Some(Withheld { visitor, session: self.sessions.first })
    }

    /// The id of the browser session: of several the one that remembered variants belong to.
    pub(crate) fn session(&self, remembered: Option<&str>) -> Option<Id> {
        let fits = |id: &Id| Some(id.as_str()) == remembered;
        self.sessions.all().find(fits).or(self.sessions.first)
    }
}

/// The first id for which one of our signed cookies was made, and whether it is sure that there is no other. Each cookie is tried with
/// all ids before the next one, so that many ids before the right one do not use up what may be tried.
fn signed_visitor(visitors: &Ids, headers: &HeaderMap, keys: &Keys) -> (Option<Id>, bool) {
    let signed = |(purpose, name): (Purpose, &'static str)| sealed(headers, name).map(move |value| (purpose, value));
    let signed = SIGNED.into_iter().flat_map(signed);
    let pairs = signed.flat_map(|(purpose, value)| visitors.all().map(move |id| (id, purpose, value)));
    let (mut found, mut tried) = (None, 0);
    for (id, purpose, value) in pairs {
        if found == Some(id) {
            continue;
        }
        if tried == MAX_SIGNATURES {
            return (found, false);
        }
        tried += 1;
        if keys.open(purpose, id.as_str(), value).is_some() {
            if found.is_some() {
                return (found, false);
            }
            found = Some(id);
        }
    }
    (found, true)
}

fn warn_of_several(name: &str) {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        tracing::warn!(
            cookie = name,
            "a request has the ids of several visitors, and signed cookies of more than one or too many to tell, so nobody \
             is logged in by cookie for it and no variant is asked for; a sibling host may have set them: with \
             visitor.cookie = \"__Host-visitor\", visitor.secure = true and no visitor.domain it cannot"
        );
    });
}
