//! Identifies the visitor, the session and the person of one stripped request, before any flag is decided.

use flagstaff_flags::{ForcedVariant, FormerDraw, StickyVariant, Subject, User};
use http::header::{ACCEPT_LANGUAGE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::compiled::differing::IdentitySources;
use crate::compiled::{Asker, CompiledSnapshot};
use crate::identity::Peer;
use crate::identity::cookies::{OVERRIDES_COOKIE, STICKY_COOKIE, USER_COOKIE, sealed};
use crate::identity::id::Id;
use crate::identity::keys::{Keys, Purpose};
use crate::identity::own_cookies::{Brought, OwnCookies, Withheld};
use crate::identity::user::{UserSources, Users};
use crate::identity::user_cookie::{UserCookie, UserCookies};
use crate::identity::visitor::Visitors;
use crate::request::NotCounted;
use crate::request::attributes::{RequestAttributes, host};
use crate::request::issuance::{client_address, may_issue_id};
use crate::request::language;
use crate::request::overrides::{OverrideQuery, Overrides};
use crate::request::sticky::{self, StickyVariants};
use crate::request::strip::{Head, Stripped};

/// How many ids are tried to find one that the holdout treats as it treated the id before.
const HOLDOUT_TRIES: usize = 1_000;

/// What it takes to identify: the settings that were checked, and the keys.
#[derive(Debug)]
pub(crate) struct Identifier {
    pub(crate) visitors: Visitors,
    pub(crate) users: Users,
    /// The header in which trusted peers say the visitor's country.
    pub(crate) country: Option<HeaderName>,
    pub(crate) keys: Keys,
}

/// The visitor of one request, and what is remembered of them.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) visitor: Id,
    pub(crate) is_new_visitor: bool,
    pub(crate) session: Option<Id>,
    pub(crate) is_new_session: bool,
    /// The session's id came with the request, or is set by its answer.
    pub(crate) session_lasts: bool,
    request: Option<Id>,
    pub(crate) user: Option<User>,
    /// The cookies in which the app named the person. Without consent they say nobody, and can still be ended.
    pub(crate) user_cookies: UserCookies,
    /// Ids that came and do not count.
    pub(crate) withheld: Option<Withheld>,
    pub(crate) consent: bool,
    /// Which of our cookies came that an answer may write anew.
    pub(crate) brought: Brought,
    /// Whether the visitor's id came with the request or may be set by its answer; else why not.
    pub(crate) id_lasts: Result<(), NotCounted>,
    pub(crate) sticky: StickyVariants,
    held: Vec<StickyVariant>,
    pub(crate) overrides: Overrides,
    forced: Vec<ForcedVariant>,
    /// The request brought all that was found, and nothing of it that ends by itself or can be revoked.
    pub(crate) repeats: bool,
}

/// The ids of one request.
struct Ids {
    visitor: Id,
    session: Option<Id>,
    is_new_session: bool,
    /// Where the ids before consent fell.
    draws: Vec<FormerDraw>,
}

impl Identity {
    /// Whether a variant is asked for.
    pub(crate) const fn may_be_forced(&self) -> bool {
        !self.forced.is_empty()
    }
}

impl Identifier {
    /// Identifies the visitor of a request. Only a stripped one can be asked.
    pub(crate) fn identify(&self, compiled: &CompiledSnapshot, stripped: &Stripped<'_>) -> Identity {
        let head = stripped.head();
        let Head { headers, peer, now, .. } = head;
        let snapshot = compiled.snapshot();
        let own = OwnCookies::read(headers, &self.visitors, &self.keys);
        let known = own.visitor.filter(|_| own.consent);
        let remembers = compiled.remembers() || self.visitors.consent.is_some();
        let payload = known
            .filter(|_| own.has_sticky && remembers)
            .and_then(|visitor| self.last_signed(headers, visitor, (Purpose::Sticky, STICKY_COOKIE)));
        let payload = payload.unwrap_or_default();
        let had_session = own.session(sticky::session_of(payload)).filter(|_| own.consent);
        let brings_all = known.is_some() && (had_session.is_some() || !compiled.needs_session());
        let may_issue = if brings_all { Ok(()) } else { may_issue_id(&self.visitors, head) };
        let ids = self.ids(compiled, head, (known, had_session), own.consent && may_issue.is_ok());
        let session = ids.session.as_ref().map(Id::as_str);
        let sticky = StickyVariants::read(payload, snapshot, session).with_draws(ids.draws);
        let today = || now.to_zoned(TimeZone::UTC).date();
        let sticky = sticky.with_brought(snapshot, compiled.waffle().brought(headers), today);
        // Where it is not sure which visitor is meant, what was signed for one of them gives no right.
        let sure = known.filter(|_| !own.is_disputed);
        let overrides = self.overrides(compiled, head, sure.filter(|_| own.has_overrides));
        let user_cookies = self.user_cookies(headers, &own, now);
        let sources = UserSources {
            headers,
            peer,
            is_named_twice: stripped.names_user_twice(),
            now,
            user_cookie: user_cookies.newest.as_ref().filter(|_| own.consent),
        };
        Identity {
            visitor: ids.visitor,
            is_new_visitor: known.is_none(),
            repeats: brings_all && !own.has_overrides && own.user_cookies == 0 && !own.is_disputed,
            session_lasts: had_session.is_some() || ids.is_new_session,
            session: ids.session,
            is_new_session: ids.is_new_session,
            request: compiled
                .needs_request_id()
                .then(|| Id::of(self.keys.random(Purpose::Request, &ids.visitor.as_str()))),
            user: self.users.find(&sources),
            user_cookies,
            withheld: own.withheld(),
            consent: own.consent,
            brought: Brought { sticky: own.has_sticky, overrides: own.has_overrides },
            id_lasts: if known.is_some() { Ok(()) } else { may_issue },
            held: sticky.held(snapshot),
            sticky,
            forced: overrides.forced(stripped.requested_variants()),
            overrides,
        }
    }

    /// The ids of a request that brings these, and may be given others.
    fn ids(
        &self,
        compiled: &CompiledSnapshot,
        head: Head<'_>,
        (known, had_session): (Option<Id>, Option<Id>),
        may_issue: bool,
    ) -> Ids {
        let needs_session = compiled.needs_session();
        let earlier = || self.derived(head);
        let (visitor, draws) = match (known, may_issue, self.visitors.consent.is_some()) {
            (Some(visitor), ..) => (visitor, Vec::new()),
            (None, true, false) => (self.random(head.now), Vec::new()),
            (None, true, true) => match earlier() {
                Some(earlier) => self.renamed(compiled, earlier, head.now),
                None => (self.random(head.now), Vec::new()),
            },
            (None, false, _) => (earlier().unwrap_or_else(|| self.random(head.now)), Vec::new()),
        };
        let session = needs_session.then(|| {
            had_session.unwrap_or_else(|| match may_issue {
                true => Id::of(self.keys.random(Purpose::Session, &visitor.as_str())),
                false => self.session_of(visitor),
            })
        });
        Ids { visitor, session, is_new_session: needs_session && had_session.is_none() && may_issue, draws }
    }

    fn random(&self, now: Timestamp) -> Id {
        Id::of(self.keys.random(Purpose::Visitor, &now))
    }

    /// An id that this browser at this address gets again, for requests that may not be given one of their own: several at once are one
    /// visitor. It is not kept. `None` where the address is that of others too.
    fn derived(&self, head: Head<'_>) -> Option<Id> {
        let peer = head.peer?;
        let asks_consent = self.visitors.consent.is_some();
        let address = client_address(peer).or(asks_consent.then(|| peer.client.to_canonical()))?;
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
    fn renamed(&self, compiled: &CompiledSnapshot, earlier: Id, now: Timestamp) -> (Id, Vec<FormerDraw>) {
        let snapshot = compiled.snapshot();
        let session = compiled.needs_session().then(|| self.session_of(earlier));
        let draws = snapshot.draws(earlier.as_str(), session.as_ref().map(Id::as_str));
        let Some(holdout) = snapshot.holdout() else {
            return (self.random(now), draws);
        };
        let is_held = |id: Id| holdout.holds(holdout.position(id.as_str()));
        let was_held = is_held(earlier);
        let alike = (0..HOLDOUT_TRIES).map(|_| self.random(now)).find(|id| is_held(*id) == was_held);
        (alike.unwrap_or_else(|| self.random(now)), draws)
    }

    /// The cookies in which the app named a person. Where it is not sure which visitor is meant, none of them says anything.
    fn user_cookies(&self, headers: &HeaderMap, own: &OwnCookies, now: Timestamp) -> UserCookies {
        let cookies = UserCookies { holder: own.visitor, count: own.user_cookies, ..UserCookies::default() };
        let reads = self.users.identify() && own.user_cookies > 0 && !own.is_disputed;
        let Some(visitor) = own.visitor.filter(|_| reads) else { return cookies };
        let all =
            sealed(headers, USER_COOKIE).filter_map(|value| UserCookie::unseal(value, visitor, now, &self.keys));
        let newest = all.max_by_key(|cookie| cookie.issued_at);
        let revocations = &self.users.revocations;
        let is_revoked = newest.as_ref().is_some_and(|one| revocations.is_revoked(visitor, one.issued_at));
        UserCookies { newest: newest.filter(|_| !is_revoked), is_revoked, ..cookies }
    }

    /// The payload of a cookie that is signed for a visitor. Of several the last counts: browsers send those first that were set first
    /// (RFC 6265, 5.4), such as one from before a change of `domain`, which may be out of reach.
    fn last_signed<'a>(
        &self,
        headers: &'a HeaderMap,
        visitor: Id,
        (purpose, name): (Purpose, &str),
    ) -> Option<&'a str> {
        sealed(headers, name).filter_map(|value| self.keys.open(purpose, visitor.as_str(), value)).last()
    }

    fn overrides(&self, compiled: &CompiledSnapshot, head: Head<'_>, holder: Option<Id>) -> Overrides {
        let payload =
            holder.and_then(|visitor| self.last_signed(head.headers, visitor, (Purpose::Override, OVERRIDES_COOKIE)));
        let (snapshot, mut overrides) =
            (compiled.snapshot(), Overrides::read(payload, compiled.snapshot(), head.now));
        let query = OverrideQuery::read(head.uri.query().unwrap_or_default(), head.now, &self.keys);
        query.unknown(snapshot).for_each(|name| compiled.unknown().count(name, Asker::Visitor));
        overrides.apply(&query, snapshot);
        overrides
    }

    /// Where persons and countries are looked for.
    pub(crate) fn sources(&self) -> IdentitySources {
        IdentitySources {
            person: self.users.headers(),
            person_by_peer: self.users.are_named_by_peers(),
            country: self.country.is_some(),
        }
    }

    /// Whether a trusted peer may have named the person.
    pub(crate) fn has_person_by_peer(&self, user: Option<&User>, peer: Option<&Peer>) -> bool {
        user.is_some() && self.users.are_named_by_peers() && peer.is_some_and(|peer| peer.trusted)
    }

    fn country<'a>(&self, head: Head<'a>) -> Option<&'a str> {
        let name = self.country.as_ref().filter(|_| head.peer.is_some_and(|peer| peer.trusted))?;
        let code = head.headers.get(name)?.to_str().ok()?.trim();
        // XX is what proxies say when they do not know.
        let is_code = code.len() == 2 && code.bytes().all(|b| b.is_ascii_alphabetic());
        (is_code && !code.eq_ignore_ascii_case("xx")).then_some(code)
    }

    /// Makes the subject that flags are decided for, and calls `decide` with it.
    pub(crate) fn with_subject<T>(
        &self,
        head: Head<'_>,
        identity: &Identity,
        decide: impl FnOnce(&Subject<'_>) -> T,
    ) -> T {
        let accept = head.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        decide(&Subject {
            now: head.now,
            visitor: Some(identity.visitor.as_str()),
            session: identity.session.as_ref().map(Id::as_str),
            request: identity.request.as_ref().map(Id::as_str),
            user: identity.user.as_ref(),
            ip: head.peer.map(|peer| peer.client),
            country: self.country(head),
            language: accept.and_then(language::preferred),
            method: Some(head.method.as_str()),
            host: host(head.headers, head.uri),
            path: Some(head.uri.path()),
            attributes: &RequestAttributes::new(head.headers, head.uri),
            sticky: &identity.held,
            former_draws: identity.sticky.draws(),
            overrides: &identity.forced,
        })
    }
}
