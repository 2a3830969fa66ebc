//! The one who tags: settings that hold, and what is done with them.

use std::sync::Arc;

use flagstaff_flags::{DecisionStep, Explanation, FlagId, Problem, Snapshot, StickyVariant, Subject, User};
use http::header::HeaderName;
use http::{Request, Response, request};
use jiff::Timestamp;

use crate::compiled::snapshot::Plan;
use crate::compiled::unknown_names::Unknown;
use crate::endpoints::body::Forgotten;
use crate::endpoints::pages::is_own;
use crate::identity::Peer;
use crate::identity::id::Id;
use crate::identity::keys::{Keys, Purpose};
use crate::identity::network::Network;
use crate::identity::user::{Users, header_name};
use crate::identity::visitor::Visitors;
use crate::request::counting::{Exclude, LeftOut, NotCounted};
use crate::request::flags::{Flags, Reply, Tagged};
use crate::request::identify::{Head, Seen};
use crate::request::overrides;
use crate::response::caching;
use crate::response::directives::{Directives, Identify};
use crate::settings::{HeaderSettings, SendFlags, Settings, WhenFlagsDiffer};

/// Tags requests and reads answers, by settings that were checked.
#[derive(Debug)]
pub struct Tagger {
    pub(crate) headers: HeaderSettings,
    pub(crate) visitors: Visitors,
    pub(crate) users: Users,
    pub(crate) country: Option<HeaderName>,
    pub(crate) cache: WhenFlagsDiffer,
    exclude: Exclude,
    pub(crate) keys: Keys,
    unknown: Arc<Unknown>,
}

/// Who asks, where a caller knows better than the request tells.
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
    pub fn new(settings: &Settings) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let keys = Keys::new(&settings.keys, &mut problems);
        let visitors = Visitors::new(&settings.visitor, &mut problems);
        let users = Users::new(&settings.user, &mut problems);
        let exclude = Exclude::new(&settings.exclude, &settings.count, &mut problems);
        let country = settings.trust.country_header.as_deref();
        let country = country.and_then(|name| header_name(&["trust", "country_header"], name, &mut problems));
        check_signing(settings, &mut problems);
        let Some(keys) = keys.filter(|_| problems.is_empty()) else {
            return Err(problems);
        };
        Ok(Self {
            headers: settings.headers.clone(),
            visitors,
            users,
            country,
            cache: settings.cache.when_flags_differ,
            exclude,
            keys,
            unknown: Arc::default(),
        })
    }

    /// Whether no key was given, so that signed cookies and links end with this process and count in no other.
    #[must_use]
    pub fn keys_are_temporary(&self) -> bool {
        self.keys.are_temporary()
    }

    /// What a snapshot means for headers. Make it once per snapshot, not per request.
    #[must_use]
    pub fn plan(&self, snapshot: Arc<Snapshot>) -> Plan {
        Plan::new(snapshot, Arc::clone(&self.unknown))
    }

    /// Strips a request, finds out who asks, decides every flag and writes the answer into the request's headers and, as
    /// [`Flags`], its extensions. The [`Peer`] is read from the extensions; without it nobody is trusted.
    ///
    /// A request that is tagged already gets the same once more: whoever sends it again sends the same.
    pub fn tag<B>(&self, plan: &Arc<Plan>, request: &mut Request<B>, now: Timestamp) -> Flags {
        let peer = request.extensions().get::<Peer>().copied();
        let before = request.extensions().get::<Flags>().cloned();
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let headers = request.headers_mut();
        let said = self.strip(headers, peer.as_ref(), plan.snapshot());
        let head = Head { method: &method, uri: &uri, headers, peer: peer.as_ref(), now };
        let flags = before.unwrap_or_else(|| self.decide(plan, head, self.see(plan, head, &said)));
        self.write(&flags, &method, uri.path(), request.headers_mut(), now);
        request.extensions_mut().insert(flags.clone());
        flags
    }

    fn decide(&self, plan: &Arc<Plan>, head: Head<'_>, seen: Seen) -> Flags {
        let (decisions, units) =
            self.with_subject(head, &seen, |subject| (plan.snapshot().decide(subject), units(plan, subject)));
        let holder = seen.visitor.as_str();
        let seal = |purpose, payload: &str| self.keys.seal(purpose, holder, payload);
        let session = seen.session.as_ref().map(Id::as_str);
        let remembers = plan.remembers() || seen.memory.has_new_draws();
        let sticky = remembers.then(|| seen.memory.after(&decisions, session)).flatten();
        let overrides = seen.wishes.payload(plan.snapshot());
        let secure = || head.peer.is_some_and(|peer| peer.tls);
        let reply = Reply {
            method: head.method.clone(),
            differs: plan.differs(head.method, head.uri.path()),
            forced: decisions.iter().any(|(.., one)| one.step() == DecisionStep::Override),
            authorized: caching::is_authorized(head.headers),
            secure: self.visitors.secure.unwrap_or_else(secure),
            may_set: seen.consent && seen.lasts.is_ok(),
            new_visitor: seen.new_visitor,
            new_session: seen.new_session,
            sticky: sticky.map(|after| (seal(Purpose::Sticky, &after.text()), after.outlasts_session())),
            overrides: overrides.map(|text| if text.is_empty() { text } else { seal(Purpose::Override, &text) }),
            named: seen.named,
            user_cookies: seen.user_cookies,
        };
        Flags::new(Tagged {
            plan: Arc::clone(plan),
            decisions,
            visitor: seen.visitor,
            session: seen.session.filter(|_| seen.session_lasts),
            network: head.peer.map(|peer| Network::of(peer.client)),
            units,
            counted: self.counts(head, seen.consent, seen.lasts),
            is_own: is_own(head.uri.path()),
            user: seen.user,
            reply,
        })
    }

    fn counts(&self, head: Head<'_>, consent: bool, lasts: Result<(), NotCounted>) -> Result<(), NotCounted> {
        self.exclude.judge(head.uri.path(), head.headers, head.peer)?;
        if consent {
            return lasts.inspect_err(|why| self.exclude.note(*why));
        }
        self.exclude.note(NotCounted::Consent);
        Err(NotCounted::Consent)
    }

    /// How many requests were not counted since the start, by what left them out; most first.
    #[must_use]
    pub fn left_out(&self) -> Vec<LeftOut> {
        self.exclude.left_out()
    }

    /// Reads and removes what the app answered for us, tells caches what they must know, sets cookies where no cache keeps
    /// them, and puts the [`Flags`] into the answer's extensions.
    pub fn answer<B>(&self, flags: &Flags, response: &mut Response<B>, now: Timestamp) -> Directives {
        let mut directives = Directives::take(response.headers_mut());
        if !self.users.identify() {
            directives.identify = None;
        }
        let status = response.status();
        if response.extensions_mut().remove::<Forgotten>().is_some() {
            self.hear(flags, Some(&Identify::Nobody), now);
            self.expire_cookies(flags, response.headers_mut());
        } else {
            let word = self.hear(flags, directives.identify.as_ref(), now);
            self.finish(flags, word, status, response.headers_mut(), now);
        }
        if response.extensions().get::<Flags>().is_none() {
            response.extensions_mut().insert(flags.clone());
        }
        directives
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
        let plan = self.plan(Arc::clone(snapshot));
        let peer = parts.extensions.get::<Peer>();
        let mut headers = parts.headers.clone();
        let said = self.strip(&mut headers, peer, snapshot);
        let head = Head { method: &parts.method, uri: &parts.uri, headers: &headers, peer, now };
        let mut seen = self.see(&plan, head, &said);
        seen.user = known.user.clone().or(seen.user);
        self.with_subject(head, &seen, |subject| {
            let mut subject = *subject;
            if let Some(visitor) = known.visitor.as_deref() {
                (subject.visitor, subject.former_draws) = (Some(visitor), &[]);
            }
            let held: Vec<_> = known.held.iter().chain(subject.sticky).copied().collect();
            subject.sticky = &held;
            snapshot.explain(flag, &subject)
        })
    }

    /// The address of a page with variants that count for everybody who has it, until then: also those of flags without
    /// `testing = true`. Names and variants that do not exist are passed over when it is followed.
    #[must_use]
    pub fn sign_link(&self, address: &str, overrides: &[(&str, &str)], until: Timestamp) -> String {
        overrides::sign_link(address, overrides, until, &self.keys)
    }
}

/// What flags that draw by a header or cookie draw by here.
fn units(plan: &Plan, subject: &Subject<'_>) -> Vec<(FlagId, Box<str>)> {
    let unit = |id: &FlagId| {
        let flag = plan.snapshot().flag(*id)?;
        Some((*id, flag.bucket_by.unit(subject)?.into()))
    };
    plan.by_attribute().iter().filter_map(unit).collect()
}

fn check_signing(settings: &Settings, problems: &mut Vec<Problem>) {
    let needs_key = [
        (settings.headers.sign, ["headers", "sign"]),
        (settings.user.identify == Some(true), ["user", "identify"]),
        (settings.visitor.consent_cookie.is_some(), ["visitor", "consent_cookie"]),
    ];
    for (_, at) in needs_key.iter().filter(|(on, _)| *on && settings.keys.is_empty()) {
        let problem = Problem::new(*at, "this needs a key that outlasts the process");
        problems.push(problem.help("set FLAGSTAFF_KEYS; make one with `openssl rand -base64 32`"));
    }
    if settings.headers.sign && settings.headers.send == SendFlags::Each {
        let problem =
            Problem::new(["headers", "sign"], "the signature is of X-Flags, which `send = \"each\"` leaves out");
        problems.push(problem.help("say `send = \"both\"`"));
    }
}
