//! Who asks: everything that is found in one request before a flag is decided.

use flagstaff_flags::{FlagId, ForcedVariant, FormerDraw, Snapshot, StickyVariant, Subject, User, VariantId};
use http::header::{ACCEPT_LANGUAGE, HeaderMap, HeaderValue, USER_AGENT};
use http::{Method, Uri};
use jiff::Timestamp;

use crate::compiled::snapshot::Plan;
use crate::header_names;
use crate::identity::Peer;
use crate::identity::cookies::{OVERRIDES_COOKIE, STICKY_COOKIE, USER_COOKIE, sealed};
use crate::identity::id::Id;
use crate::identity::keys::Purpose;
use crate::identity::own_cookies::Own;
use crate::identity::user::From;
use crate::identity::user_cookie::Named;
use crate::request::attributes::{Looked, host};
use crate::request::counting::NotCounted;
use crate::request::issuance::{Ask, own_address};
use crate::request::language;
use crate::request::overrides::{self, Query, Wishes};
use crate::request::sticky::{self, Memory};
use crate::tagger::Tagger;

/// Ids that are tried for one that is held out of experiments, or not, as the one before was.
const TRIES: usize = 1_000;

/// A request's head, once it is stripped.
#[derive(Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) peer: Option<&'a Peer>,
    pub(crate) now: Timestamp,
}

/// What a trusted peer said in headers that are gone by now.
pub(crate) struct Said {
    /// Variants that it asked for.
    asked: Vec<(FlagId, VariantId)>,
    /// It named the person twice.
    is_named_twice: bool,
}

/// Who asks.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) visitor: Id,
    pub(crate) new_visitor: bool,
    pub(crate) session: Option<Id>,
    pub(crate) new_session: bool,
    /// The session's id came with the request, or is set by its answer.
    pub(crate) session_lasts: bool,
    request: Option<Id>,
    pub(crate) user: Option<User>,
    /// Whom the app named, by the visitor's cookie.
    pub(crate) named: Option<Named>,
    pub(crate) user_cookies: usize,
    pub(crate) consent: bool,
    /// Whether the visitor's id came with the request or may be set by its answer; else why not.
    pub(crate) lasts: Result<(), NotCounted>,
    pub(crate) memory: Memory,
    held: Vec<StickyVariant>,
    pub(crate) wishes: Wishes,
    forced: Vec<ForcedVariant>,
}

/// The ids of one request.
struct Ids {
    visitor: Id,
    session: Option<Id>,
    new_session: bool,
    /// Where the ids before consent fell.
    draws: Vec<FormerDraw>,
}

impl Tagger {
    /// Takes out what only we may say, and what only trusted peers may. Returns what a trusted peer said.
    pub(crate) fn strip(&self, headers: &mut HeaderMap, peer: Option<&Peer>, snapshot: &Snapshot) -> Said {
        let trusted = peer.is_some_and(|peer| peer.trusted);
        let asked = if trusted { overrides::by_header(headers, snapshot) } else { Vec::new() };
        header_names::remove(headers, header_names::is_ours);
        Said { asked, is_named_twice: self.users.strip(headers, trusted) }
    }

    /// Finds out who asks. The head is stripped already.
    pub(crate) fn see(&self, plan: &Plan, head: Head<'_>, said: &Said) -> Seen {
        let own = Own::read(head.headers, &self.visitors, &self.keys);
        let known = own.visitor.filter(|_| own.consent);
        let Head { method, uri, headers, peer, now } = head;
        let issues = self.visitors.may_issue(Ask { method, uri, headers, peer });
        let remembers = plan.remembers() || self.visitors.consent.is_some();
        let payload = known.filter(|_| own.has_sticky && remembers).and_then(|visitor| {
            let mut values = sealed(headers, STICKY_COOKIE);
            values.find_map(|value| self.keys.open(Purpose::Sticky, visitor.as_str(), value))
        });
        let payload = payload.unwrap_or_default();
        let had_session = own.session(sticky::session_of(payload)).filter(|_| own.consent);
        let ids = self.ids(plan, head, (known, had_session), own.consent && issues.is_ok());
        let snapshot = plan.snapshot();
        let session = ids.session.as_ref().map(Id::as_str);
        let memory = Memory::read(payload, snapshot, session).with_draws(ids.draws);
        // Where it is not sure which visitor is meant, what was signed for one of them gives no right.
        let sure = known.filter(|_| !own.is_disputed);
        let wishes = self.wishes(snapshot, head, sure.filter(|_| own.has_overrides));
        let named = sure.filter(|_| own.user_cookies > 0).and_then(|visitor| self.named(headers, visitor, now));
        Seen {
            visitor: ids.visitor,
            new_visitor: known.is_none(),
            session_lasts: had_session.is_some() || ids.new_session,
            session: ids.session,
            new_session: ids.new_session,
            request: plan.needs_request().then(|| Id::of(self.keys.random(Purpose::Request, ids.visitor.as_str()))),
            user: self.users.find(&From {
                headers,
                peer,
                is_named_twice: said.is_named_twice,
                now,
                named: named.as_ref(),
            }),
            named,
            user_cookies: own.user_cookies,
            consent: own.consent,
            lasts: if known.is_some() { Ok(()) } else { issues },
            held: memory.held(snapshot),
            memory,
            forced: wishes.forced(&said.asked),
            wishes,
        }
    }

    /// The ids of a request that brings these, and may be given others.
    fn ids(&self, plan: &Plan, head: Head<'_>, (known, had_session): (Option<Id>, Option<Id>), issues: bool) -> Ids {
        let needs_session = plan.needs_session();
        let earlier = || self.derived(head);
        let (visitor, draws) = match (known, issues, self.visitors.consent.is_some()) {
            (Some(visitor), ..) => (visitor, Vec::new()),
            (None, true, false) => (self.random(head.now), Vec::new()),
            (None, true, true) => match earlier() {
                Some(earlier) => self.renamed(plan, earlier, head.now),
                None => (self.random(head.now), Vec::new()),
            },
            (None, false, _) => (earlier().unwrap_or_else(|| self.random(head.now)), Vec::new()),
        };
        let session = needs_session.then(|| {
            had_session.unwrap_or_else(|| match issues {
                true => Id::of(self.keys.random(Purpose::Session, visitor.as_str())),
                false => self.session_of(visitor),
            })
        });
        Ids { visitor, session, new_session: needs_session && had_session.is_none() && issues, draws }
    }

    fn random(&self, now: Timestamp) -> Id {
        Id::of(self.keys.random(Purpose::Visitor, &now.to_string()))
    }

    /// An id that this browser at this address gets again, for requests that may not be given one of their own: several at once are one
    /// visitor. Nobody keeps it. `None` where the address is that of others too.
    fn derived(&self, head: Head<'_>) -> Option<Id> {
        let peer = head.peer?;
        let asks_consent = self.visitors.consent.is_some();
        let address = own_address(peer).or(asks_consent.then(|| peer.client.to_canonical()))?;
        let agent = head.headers.get(USER_AGENT).map(HeaderValue::as_bytes).unwrap_or_default();
        let bits = self.keys.derive(Purpose::Visitor, &address.to_string(), &String::from_utf8_lossy(agent));
        Some(Id::of(bits))
    }

    /// The session that goes with an id that is not given.
    fn session_of(&self, visitor: Id) -> Id {
        Id::of(self.keys.derive(Purpose::Session, visitor.as_str(), ""))
    }

    /// A fresh id for a visitor who has consented, and where the one before fell: two people with one address and browser must not
    /// share an id for good, and neither may change variant.
    fn renamed(&self, plan: &Plan, earlier: Id, now: Timestamp) -> (Id, Vec<FormerDraw>) {
        let snapshot = plan.snapshot();
        let session = plan.needs_session().then(|| self.session_of(earlier));
        let draws = snapshot.draws(earlier.as_str(), session.as_ref().map(Id::as_str));
        let Some(holdout) = snapshot.holdout() else {
            return (self.random(now), draws);
        };
        let is_held = |id: Id| holdout.holds(holdout.place(id.as_str()));
        let was_held = is_held(earlier);
        let alike = (0..TRIES).map(|_| self.random(now)).find(|id| is_held(*id) == was_held);
        (alike.unwrap_or_else(|| self.random(now)), draws)
    }

    /// Whom the app named last, when this is not void by now.
    fn named(&self, headers: &HeaderMap, visitor: Id, now: Timestamp) -> Option<Named> {
        if !self.users.identify() {
            return None;
        }
        let all = sealed(headers, USER_COOKIE).filter_map(|value| Named::unseal(value, visitor, now, &self.keys));
        let newest = all.max_by_key(|named| named.said)?;
        (!self.users.statements.voids(visitor, newest.said)).then_some(newest)
    }

    fn wishes(&self, snapshot: &Snapshot, head: Head<'_>, holder: Option<Id>) -> Wishes {
        let payload = holder.and_then(|visitor| {
            let mut values = sealed(head.headers, OVERRIDES_COOKIE);
            values.find_map(|value| self.keys.open(Purpose::Override, visitor.as_str(), value))
        });
        let mut wishes = Wishes::read(payload, snapshot, head.now);
        wishes.ask(&Query::read(head.uri.query().unwrap_or_default(), head.now, &self.keys), snapshot);
        wishes
    }

    fn country<'a>(&self, head: Head<'a>) -> Option<&'a str> {
        let name = self.country.as_ref().filter(|_| head.peer.is_some_and(|peer| peer.trusted))?;
        let code = head.headers.get(name)?.to_str().ok()?.trim();
        // XX is what proxies say when they do not know.
        let is_code = code.len() == 2 && code.bytes().all(|b| b.is_ascii_alphabetic());
        (is_code && !code.eq_ignore_ascii_case("xx")).then_some(code)
    }

    /// Hands the subject of a request to whoever decides.
    pub(crate) fn with_subject<T>(&self, head: Head<'_>, seen: &Seen, decide: impl FnOnce(&Subject<'_>) -> T) -> T {
        let accept = head.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        decide(&Subject {
            now: head.now,
            visitor: Some(seen.visitor.as_str()),
            session: seen.session.as_ref().map(Id::as_str),
            request: seen.request.as_ref().map(Id::as_str),
            user: seen.user.as_ref(),
            ip: head.peer.map(|peer| peer.client),
            country: self.country(head),
            language: accept.and_then(language::preferred),
            method: Some(head.method.as_str()),
            host: host(head.headers, head.uri),
            path: Some(head.uri.path()),
            attributes: &Looked::new(head.headers, head.uri),
            sticky: &seen.held,
            former_draws: seen.memory.draws(),
            overrides: &seen.forced,
        })
    }
}
