//! The way of a request and of its answer, one step after the other: strip, identify, decide, tell the app; read directives, tell caches,
//! set cookies. [`next`] does it for the next request of a connection, [`signing`] checks what needs keys.

mod next;
mod signing;

use std::sync::Arc;

use flagstaff_flags::{
    DecisionStep, Decisions, Explanation, FlagId, Problem, Snapshot, StickyVariant, Subject, User, VariantId,
};
use http::header::{HeaderMap, SET_COOKIE};
use http::{Request, Response, StatusCode, request};
use jiff::Timestamp;
use signing::{check_signing, fingerprint};

use crate::compiled::differing::IdentitySources;
use crate::compiled::repeats::RepeatRules;
use crate::compiled::unknown_names::UnknownNames;
use crate::compiled::{Asker, CompiledSnapshot, UnknownName};
use crate::endpoints::body::Forgotten;
use crate::endpoints::is_own;
use crate::identity::id::Id;
use crate::identity::keys::{Keys, Purpose};
use crate::identity::user::{Users, header_name};
use crate::identity::visitor::Visitors;
use crate::identity::{Network, Peer};
use crate::request::app_headers::AppHeaders;
use crate::request::counting::{Exclusions, Left};
use crate::request::flags::{Reply, Tagged};
use crate::request::identify::Identifier;
use crate::request::overrides;
use crate::request::strip::{Head, Received, Stripped};
use crate::request::{Flags, LastFlags, LeftOut, NotCounted};
use crate::response::caching::{self, Sharing};
use crate::response::cookies::AnswerCookies;
use crate::response::login::UserCookieChange;
use crate::response::{Directives, Identify};
use crate::settings::{HeaderSettings, TaggerSettings, WhenFlagsDiffer};
use crate::waffle_cookies::WaffleCookies;

/// Tags requests and reads answers, by settings that were checked.
#[derive(Debug)]
pub struct Tagger {
    headers: HeaderSettings,
    waffle: WaffleCookies,
    identifier: Identifier,
    sources: IdentitySources,
    cache: WhenFlagsDiffer,
    exclusions: Exclusions,
    unknown: Arc<UnknownNames>,
    fingerprint: String,
    /// What of a head has to be the same for the same flags; `None` where they end by themselves.
    repeat_rules: Option<RepeatRules>,
}

/// The visitor, where a caller knows more than the request says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The visitor's id, of any form.
    pub visitor: Option<String>,
    /// The person.
    pub user: Option<User>,
    /// Variants remembered from before, besides those the request's own cookie remembers.
    pub held: Vec<StickyVariant>,
}

impl Tagger {
    /// Checks all settings.
    ///
    /// # Errors
    /// With every problem among them, each with the keys that lead to its place in `flagstaff.toml`.
    pub fn new(settings: &TaggerSettings) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let keys = Keys::new(&settings.keys, &mut problems);
        let visitors = Visitors::new(&settings.visitor, &mut problems);
        let users = Users::new(&settings.user, &mut problems);
        let exclusions = Exclusions::new(&settings.exclude, &settings.count, &mut problems);
        let country = settings.trust.country_header.as_deref();
        let country = country.and_then(|name| header_name(&["trust", "country_header"], name, &mut problems));
        let waffle = WaffleCookies::new(&settings.headers, &mut problems);
        check_signing(settings, &mut problems);
        let Some(keys) = keys.filter(|_| problems.is_empty()) else {
            return Err(problems);
        };
        let keys_fingerprint = keys.fingerprint();
        let repeat_rules = users.lasting_headers().map(|named| {
            let mut rules = exclusions.repeat_rules();
            rules.headers.extend(named.chain(&country).cloned());
            rules
        });
        let identifier = Identifier { visitors, users, country, keys };
        Ok(Self {
            repeat_rules,
            headers: settings.headers.clone(),
            waffle,
            sources: identifier.sources(),
            identifier,
            cache: settings.cache.when_flags_differ,
            exclusions,
            fingerprint: fingerprint(&keys_fingerprint, settings),
            unknown: Arc::default(),
        })
    }

    /// Whether no key was given, so that signed cookies and links end with this process and count in no other.
    #[must_use]
    pub fn keys_are_temporary(&self) -> bool {
        self.identifier.keys.are_temporary()
    }

    /// Tells whether another tagger takes the same visitor for the same: `KEYS-COOKIES`, of which each part is equal where the keys, or the
    /// settings of the visitor's cookie, are. It tells nothing of the keys.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    pub(crate) const fn keys(&self) -> &Keys {
        &self.identifier.keys
    }

    /// What a snapshot means for headers. Make it once per snapshot, not per request.
    #[must_use]
    pub fn compile(&self, snapshot: Arc<Snapshot>) -> CompiledSnapshot {
        let compiled = CompiledSnapshot::new(snapshot, Arc::clone(&self.unknown), &self.waffle, &self.sources);
        match &self.repeat_rules {
            Some(rules) => compiled.repeating(rules),
            None => compiled,
        }
    }

    /// Strips a request, identifies its visitor, decides every flag and writes the decisions into the request's headers and, as
    /// [`Flags`], its extensions. The [`Peer`] is read from the extensions; without it nobody is trusted.
    ///
    /// A request that is tagged already keeps its flags: sent again, it is the same request.
    pub fn tag<B>(&self, compiled: &Arc<CompiledSnapshot>, request: &mut Request<B>, now: Timestamp) -> Flags {
        self.tag_with(compiled, request, now, |stripped| self.decide(compiled, stripped))
    }

    /// As [`Tagger::tag`], for the next request of a connection: where it brings the same as the last one, all that was found then is used
    /// again.
    pub fn tag_next<B>(
        &self,
        compiled: &Arc<CompiledSnapshot>,
        last: &mut LastFlags,
        request: &mut Request<B>,
        now: Timestamp,
    ) -> Flags {
        self.tag_with(compiled, request, now, |stripped| self.decide_next(compiled, last, stripped))
    }

    fn tag_with<B>(
        &self,
        compiled: &Arc<CompiledSnapshot>,
        request: &mut Request<B>,
        now: Timestamp,
        decide: impl FnOnce(&Stripped<'_>) -> Flags,
    ) -> Flags {
        let peer = request.extensions().get::<Peer>().copied();
        let before = request.extensions().get::<Flags>().cloned();
        // taken out, so that the rest of the head need not be cloned
        let mut headers = std::mem::take(request.headers_mut());
        let (method, uri) = (request.method(), request.uri());
        let received = Received { method, uri, headers: &mut headers, peer: peer.as_ref(), now };
        let stripped = received.strip(&self.identifier.users, compiled.snapshot());
        let flags = before.unwrap_or_else(|| decide(&stripped));
        let app =
            AppHeaders { settings: &self.headers, waffle: &self.waffle, keys: &self.identifier.keys, flags: &flags };
        app.write(method, uri.path(), &mut headers, now);
        *request.headers_mut() = headers;
        request.extensions_mut().insert(flags.clone());
        flags
    }

    fn decide(&self, compiled: &Arc<CompiledSnapshot>, stripped: &Stripped<'_>) -> Flags {
        let head = stripped.head();
        let identity = self.identifier.identify(compiled, stripped);
        let counted = self.counted(head, identity.consent, identity.id_lasts);
        let (decisions, units, drawn, values) = self.identifier.with_subject(head, &identity, |subject| {
            let values = compiled.asked().and_then(|asked| asked.read(subject));
            let decisions = compiled.snapshot().decide(subject);
            let drawn = if counted.is_ok() { drawn(compiled, &decisions, subject) } else { Vec::new() };
            (decisions, units(compiled, subject), drawn, values)
        });
        let holder = identity.visitor.as_str();
        let seal = |purpose, payload: &str| self.identifier.keys.seal(purpose, holder, payload);
        let session = identity.session.as_ref().map(Id::as_str);
        let remembers = compiled.remembers() || identity.sticky.has_news();
        let sticky = remembers.then(|| identity.sticky.after(&decisions, session)).flatten();
        let overrides = identity.overrides.payload(compiled.snapshot());
        let forced =
            identity.may_be_forced() && decisions.iter().any(|(.., one)| one.step() == DecisionStep::Override);
        let secure = || head.peer.is_some_and(|peer| peer.tls);
        let reply = Reply {
            method: head.method.clone(),
            differs: compiled.differs(head.method, head.uri.path()),
            has_person_by_peer: self.identifier.has_person_by_peer(identity.user.as_ref(), head.peer),
            forced,
            authorized: caching::is_authorized(head.headers),
            secure: self.identifier.visitors.secure.unwrap_or_else(secure),
            may_set: identity.consent && identity.id_lasts.is_ok(),
            is_new_visitor: identity.is_new_visitor,
            is_new_session: identity.is_new_session,
            sticky: sticky.map(|after| (seal(Purpose::Sticky, &after.text()), after.outlasts_session())),
            ended_at: next::ended_at(head, overrides.as_deref() == Some("")),
            overrides: overrides.map(|text| if text.is_empty() { text } else { seal(Purpose::Override, &text) }),
            user_cookies: identity.user_cookies,
            brought: identity.brought,
            withheld: identity.withheld,
        };
        let repeats = identity.repeats && reply.may_set && reply.sticky.is_none() && reply.overrides.is_none();
        Flags::new(Tagged {
            compiled: Arc::clone(compiled),
            decisions,
            visitor: identity.visitor,
            session: identity.session.filter(|_| identity.session_lasts),
            network: head.peer.map(|peer| Network::of(peer.client)),
            units,
            former_draws: identity.sticky.draws().to_vec(),
            drawn,
            values: values.filter(|_| !forced),
            counted,
            repeats,
            is_own: is_own(head.uri.path()),
            is_waffle: self.headers.waffle,
            is_confirmed: self.headers.waffle && self.headers.waffle_confirms,
            user: identity.user,
            reply,
        })
    }

    /// Whether a request counts. What is left out is counted itself.
    fn counted(&self, head: Head<'_>, consent: bool, id_lasts: Result<(), NotCounted>) -> Result<(), Left> {
        let exclusions = &self.exclusions;
        let may_count = if consent { id_lasts } else { Err(NotCounted::Consent) };
        let checked = exclusions.check(head.uri.path(), head.headers, head.peer);
        let counted = checked.and_then(|()| may_count.map_err(|why| exclusions.left(why)));
        counted.inspect_err(|left| exclusions.count(*left))
    }

    /// How many requests were not counted since the start, by what left them out; most first.
    #[must_use]
    pub fn left_out(&self) -> Vec<LeftOut> {
        self.exclusions.left_out()
    }

    /// Has the counters of requests that are not counted begin with 0. The recorder of metrics must be there.
    pub fn begin_counters(&self) {
        self.exclusions.begin_counters();
    }

    /// Reads and removes the directives of the app's answer, tells caches what they must know, sets cookies where no cache keeps
    /// them, and puts the [`Flags`] into the answer's extensions.
    pub fn answer<B>(&self, flags: &Flags, response: &mut Response<B>, now: Timestamp) -> Directives {
        let mut directives = Directives::take(response.headers_mut());
        if self.headers.waffle {
            let flags_of_waffle = flags.compiled().waffle();
            directives.followed = self.waffle.take(response.headers_mut(), flags_of_waffle, flags.decisions());
        }
        if !self.identifier.users.identify() {
            directives.identify = None;
        }
        self.count_unknown(flags, &directives);
        let status = response.status();
        if response.extensions_mut().remove::<Forgotten>().is_some() {
            // the cookie goes with all others; what was issued before is revoked
            UserCookieChange::of(&self.identifier, flags, Some(&Identify::Nobody), false, now);
            self.cookies(flags).expire(response.headers_mut());
        } else {
            self.finish(flags, directives.identify.as_ref(), status, response.headers_mut(), now);
        }
        if response.extensions().get::<Flags>().is_none() {
            response.extensions_mut().insert(flags.clone());
        }
        directives
    }

    /// Counts the flags that the app says a visitor has seen and that nobody defined.
    fn count_unknown(&self, flags: &Flags, directives: &Directives) {
        let snapshot = flags.compiled().snapshot();
        let unknown = directives.exposed.iter().filter(|name| snapshot.find(name.as_str()).is_none());
        unknown.for_each(|name| self.unknown.count(name.as_str(), Asker::App));
    }

    /// The names that were asked for since the start and that no flag file defines; the most frequent first.
    #[must_use]
    pub fn unknown_names(&self) -> Vec<UnknownName> {
        self.unknown.all()
    }

    /// Tells caches, and sets cookies.
    fn finish(
        &self,
        flags: &Flags,
        identify: Option<&Identify>,
        status: StatusCode,
        headers: &mut HeaderMap,
        now: Timestamp,
    ) {
        let reply = &flags.tagged().reply;
        let sharing = caching::tell(headers, reply, flags.compiled().differing(), self.cache, status, now);
        // A 304 renews what a cache stored, headers and all, and nothing in it says what that was.
        let holds = status != StatusCode::NOT_MODIFIED
            && (!status.is_informational() || status == StatusCode::SWITCHING_PROTOCOLS);
        let takes_cookies = holds && sharing != Sharing::Invited;
        let may_set = takes_cookies && reply.may_set;
        // what the app says of the person ends what was known before, also where this answer cannot tell the browser
        let user_cookie = UserCookieChange::of(&self.identifier, flags, identify, may_set, now);
        if !takes_cookies {
            return;
        }
        let changed = self.cookies(flags).changed(user_cookie);
        if !changed.is_empty() && sharing == Sharing::Guessed {
            caching::make_private(headers);
        }
        for cookie in changed {
            let _ = headers.try_append(SET_COOKIE, cookie);
        }
    }

    const fn cookies<'a>(&'a self, flags: &'a Flags) -> AnswerCookies<'a> {
        AnswerCookies { settings: &self.identifier, flags }
    }

    /// Why this request gets a variant of a flag, by the same code that tags requests.
    #[must_use]
    pub fn explain(
        &self,
        snapshot: &Arc<Snapshot>,
        parts: &request::Parts,
        known: &Known,
        flag: &str,
        now: Timestamp,
    ) -> Explanation {
        let compiled = self.compile(Arc::clone(snapshot));
        let mut headers = parts.headers.clone();
        let received = Received {
            method: &parts.method,
            uri: &parts.uri,
            headers: &mut headers,
            peer: parts.extensions.get::<Peer>(),
            now,
        };
        let stripped = received.strip(&self.identifier.users, snapshot);
        let mut identity = self.identifier.identify(&compiled, &stripped);
        identity.user = known.user.clone().or(identity.user);
        self.identifier.with_subject(stripped.head(), &identity, |subject| {
            let mut subject = *subject;
            if let Some(visitor) = known.visitor.as_deref() {
                (subject.visitor, subject.former_draws) = (Some(visitor), &[]);
            }
            let held: Vec<_> = known.held.iter().chain(subject.sticky).copied().collect();
            subject.sticky = &held;
            snapshot.explain(flag, &subject)
        })
    }

    /// The address of a page with variants that count for everybody who has the link, until then: also those of flags without
    /// `testing = true`. Names and variants that do not exist are passed over when it is followed.
    #[must_use]
    pub fn sign_link(&self, address: &str, overrides: &[(&str, &str)], until: Timestamp) -> String {
        overrides::sign_link(address, overrides, until, &self.identifier.keys)
    }
}

/// What flags that draw by a header or cookie draw by here.
fn units(compiled: &CompiledSnapshot, subject: &Subject<'_>) -> Vec<(FlagId, Box<str>)> {
    let unit = |id: &FlagId| {
        let flag = compiled.snapshot().flag(*id)?;
        Some((*id, flag.bucket_by.unit(subject)?.into()))
    };
    compiled.by_attribute().iter().filter_map(unit).collect()
}

/// What the draw alone gives of monitored flags of which a variant is remembered here.
fn drawn(compiled: &CompiledSnapshot, decisions: &Decisions, subject: &Subject<'_>) -> Vec<(FlagId, VariantId)> {
    let snapshot = compiled.snapshot();
    let remembered = compiled.monitored().iter().filter(|id| decisions.of(**id).step() == DecisionStep::Sticky);
    remembered.filter_map(|id| Some((*id, snapshot.drawn(*id, subject)?))).collect()
}
