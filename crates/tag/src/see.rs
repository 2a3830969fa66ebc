//! Who asks: everything that is found in one request before a flag is decided.

use flagstaff_flags::{FlagId, Forced, Held, Snapshot, Subject, User, VariantId};
use http::header::{ACCEPT_LANGUAGE, HeaderMap, HeaderValue, USER_AGENT};
use http::{Method, Uri};
use jiff::Timestamp;

use crate::attributes::{Looked, host};
use crate::cookies::{Candidates, cookies};
use crate::id::Id;
use crate::keys::Purpose;
use crate::overrides::{self, Query, Wishes};
use crate::plan::Plan;
use crate::sticky::{self, Memory};
use crate::tagger::Tagger;
use crate::user::{self, From};
use crate::visitor::SESSION_COOKIE;
use crate::{Peer, language, strip};

/// A request's head, once it is stripped.
#[derive(Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) peer: Option<&'a Peer>,
    pub(crate) now: Timestamp,
}

/// Who asks.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) visitor: Id,
    pub(crate) new_visitor: bool,
    pub(crate) session: Option<Id>,
    pub(crate) new_session: bool,
    request: Option<Id>,
    pub(crate) user: Option<User>,
    pub(crate) has_user_cookie: bool,
    pub(crate) consent: bool,
    pub(crate) memory: Memory,
    held: Vec<Held>,
    pub(crate) wishes: Wishes,
    forced: Vec<Forced>,
}

/// Our own cookies in one request.
#[derive(Default)]
struct Own<'a> {
    visitor: Option<Id>,
    session: Option<Id>,
    user: Candidates<'a>,
    sticky: Candidates<'a>,
    overrides: Candidates<'a>,
    consent: bool,
}

impl Tagger {
    /// Takes out what only we may say, and what only trusted peers may. Returns the overrides of a trusted peer.
    pub(crate) fn strip(
        &self,
        headers: &mut HeaderMap,
        peer: Option<&Peer>,
        snapshot: &Snapshot,
    ) -> Vec<(FlagId, VariantId)> {
        let trusted = peer.is_some_and(|peer| peer.trusted);
        let asked = if trusted { overrides::by_header(headers, snapshot) } else { Vec::new() };
        strip::remove(headers, strip::is_ours);
        self.users.strip(headers, trusted);
        asked
    }

    fn own<'a>(&self, headers: &'a HeaderMap) -> Own<'a> {
        let mut own = Own::default();
        for (name, value) in cookies(headers) {
            // Of several ids the first well-formed one: none gives a right, so a wrong one does no harm.
            if name == self.visitors.cookie {
                own.visitor = own.visitor.or_else(|| Id::parse(value));
            }
            match name {
                SESSION_COOKIE => own.session = own.session.or_else(|| Id::parse(value)),
                user::COOKIE => own.user.add(value),
                sticky::COOKIE => own.sticky.add(value),
                overrides::COOKIE => own.overrides.add(value),
                _ => {}
            }
            own.consent |= self.visitors.consent.as_ref().is_none_or(|consent| consent.is_given_by(name, value));
        }
        own.consent |= self.visitors.consent.is_none();
        own
    }

    /// Finds out who asks. The head is stripped already.
    pub(crate) fn see(&self, plan: &Plan, head: Head<'_>, asked: &[(FlagId, VariantId)]) -> Seen {
        let own = self.own(head.headers);
        let known = own.visitor.filter(|_| own.consent);
        let visitor = known.unwrap_or_else(|| self.new_visitor(head));
        let had_session = own.session.filter(|_| own.consent);
        let session =
            plan.needs_session().then(|| had_session.unwrap_or_else(|| self.new_session(visitor, known.is_some())));
        let open = |purpose, cookie: &Candidates<'_>| {
            let holder = known?;
            cookie.find(|sealed| self.keys.open(purpose, holder.as_str(), sealed).map(str::to_owned))
        };
        let snapshot = plan.snapshot();
        let memory = open(Purpose::Sticky, &own.sticky).filter(|_| plan.remembers());
        let memory = Memory::read(memory.as_deref().unwrap_or_default(), snapshot, session.as_ref().map(Id::as_str));
        let mut wishes = Wishes::read(open(Purpose::Override, &own.overrides).as_deref(), snapshot, head.now);
        wishes.ask(&Query::read(head.uri.query().unwrap_or_default(), head.now, &self.keys), snapshot);
        Seen {
            visitor,
            new_visitor: known.is_none(),
            new_session: session.is_some() && had_session.is_none(),
            session,
            request: plan.needs_request().then(|| Id::of(self.keys.random(Purpose::Request, visitor.as_str()))),
            user: self.user(head, known.as_ref(), own.user),
            has_user_cookie: own.user.any(),
            consent: own.consent,
            held: memory.held(snapshot),
            memory,
            forced: wishes.forced(asked),
            wishes,
        }
    }

    fn user(&self, head: Head<'_>, known: Option<&Id>, cookie: Candidates<'_>) -> Option<User> {
        let Head { headers, peer, now, .. } = head;
        let from = From { headers, peer, now, visitor: known.map(Id::as_str), cookie };
        self.users.find(&from, &self.keys)
    }

    /// A random id. Where consent is asked for, one that this browser at this address gets again, so that nobody changes variant
    /// on giving it; without an address nobody can be told from others, so it is random.
    fn new_visitor(&self, head: Head<'_>) -> Id {
        let now = head.now.to_string();
        let bits = match head.peer.filter(|_| self.visitors.consent.is_some()) {
            Some(peer) => {
                let agent = head.headers.get(USER_AGENT).map(HeaderValue::as_bytes).unwrap_or_default();
                let address = peer.client.to_canonical().to_string();
                self.keys.derive(Purpose::Visitor, &address, &String::from_utf8_lossy(agent))
            }
            None => self.keys.random(Purpose::Visitor, &now),
        };
        Id::of(bits)
    }

    /// A random id; before and on giving consent one that belongs to the visitor's, for the same reason.
    fn new_session(&self, visitor: Id, known: bool) -> Id {
        let derived = self.visitors.consent.is_some() && !known;
        Id::of(if derived {
            self.keys.derive(Purpose::Session, visitor.as_str(), "")
        } else {
            self.keys.random(Purpose::Session, visitor.as_str())
        })
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
            held: &seen.held,
            forced: &seen.forced,
        })
    }
}
