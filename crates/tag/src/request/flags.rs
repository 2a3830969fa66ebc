//! The flags of one request, for the code that handles it.

use std::sync::Arc;

use flagstaff_flags::{BucketBy, DecisionStep, Decisions, FlagId, FormerDraw, KeptValues, User, VariantId};
use http::Method;

use crate::compiled::differing::DiffersBy;
use crate::compiled::{Asker, CompiledSnapshot};
use crate::identity::id::Id;
use crate::identity::network::Network;
use crate::identity::own_cookies::{Brought, Withheld};
use crate::identity::user_cookie::UserCookies;
use crate::request::counting::{Left, NotCounted};
use crate::request::sticky;

/// The flags of one request, in its extensions and in those of its answer. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Flags(Arc<Tagged>);

/// What was found and decided.
#[derive(Debug)]
pub(crate) struct Tagged {
    pub(crate) compiled: Arc<CompiledSnapshot>,
    pub(crate) decisions: Decisions,
    pub(crate) visitor: Id,
    pub(crate) session: Option<Id>,
    pub(crate) network: Option<Network>,
    pub(crate) user: Option<User>,
    /// Units of flags that draw by a header or cookie, as the request had them.
    pub(crate) units: Vec<(FlagId, Box<str>)>,
    /// Where the visitor fell under an earlier id.
    pub(crate) former_draws: Vec<FormerDraw>,
    /// What the draw alone gives of monitored flags of which a variant is remembered, in the order of flags.
    pub(crate) drawn: Vec<(FlagId, VariantId)>,
    /// What conditions look at, where an observer wants to know and nothing was forced.
    pub(crate) values: Option<KeptValues>,
    /// Whether this visitor counts.
    pub(crate) counted: Result<(), Left>,
    /// It is for one of the visitor's own endpoints.
    pub(crate) is_own: bool,
    /// The app uses django-waffle.
    pub(crate) is_waffle: bool,
    /// The app's answer shows to which flags it exposes.
    pub(crate) is_confirmed: bool,
    /// A next request that brings the same gets the same.
    pub(crate) repeats: bool,
    pub(crate) reply: Reply,
}

/// What the answer will need to know about the request.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) method: Method,
    /// By what the flags that are met on this request differ between visitors.
    pub(crate) differs: DiffersBy,
    /// A trusted peer may have named the person, by which flags differ too.
    pub(crate) has_person_by_peer: bool,
    /// Some variant was requested: this answer is a preview, for this client alone.
    pub(crate) forced: bool,
    /// It came with `Authorization`.
    pub(crate) authorized: bool,
    pub(crate) secure: bool,
    /// Cookies may be set at all.
    pub(crate) may_set: bool,
    pub(crate) is_new_visitor: bool,
    pub(crate) is_new_session: bool,
    /// The sealed sticky cookie, and whether it outlasts the session.
    pub(crate) sticky: Option<(String, bool)>,
    /// The sealed override cookie; empty: to be forgotten.
    pub(crate) overrides: Option<String>,
    /// The cookies in which the app named the person before.
    pub(crate) user_cookies: UserCookies,
    /// Which of our cookies came that the answer may write anew.
    pub(crate) brought: Brought,
    /// The host that was asked, where the request itself ends cookies.
    pub(crate) ended_at: Option<Box<str>>,
    /// Ids that came and do not count, because consent is away. They are still what a visitor asks to be forgotten by.
    pub(crate) withheld: Option<Withheld>,
}

impl Flags {
    pub(crate) fn new(tagged: Tagged) -> Self {
        Self(Arc::new(tagged))
    }

    pub(crate) fn tagged(&self) -> &Tagged {
        &self.0
    }

    /// Whether a flag is anything but off. A name that is not defined is off, counted in `flagstaff_unknown_flags_total`, and
    /// logged once.
    #[must_use]
    pub fn is_on(&self, name: &str) -> bool {
        self.note_unknown(name);
        self.0.decisions.is_on(name)
    }

    /// The variant of a flag; `off` for a name that is not defined, as in [`Flags::is_on`].
    #[must_use]
    pub fn variant(&self, name: &str) -> &str {
        self.note_unknown(name);
        self.0.decisions.variant(name)
    }

    fn note_unknown(&self, name: &str) {
        if self.0.compiled.snapshot().find(name).is_none() {
            self.0.compiled.unknown().count(name, Asker::App);
        }
    }

    /// Whether a request exposes to no flag by itself: the answer shows which ones the app followed
    /// ([`Directives::followed`](crate::Directives::followed)).
    #[must_use]
    pub fn are_confirmed_by_app(&self) -> bool {
        self.0.is_confirmed
    }

    /// The visitor's id.
    #[must_use]
    pub fn visitor(&self) -> &str {
        self.0.visitor.as_str()
    }

    /// The visitor's id, where it came with the request or may be set by its answer. Any other stands for one request only, or for all of
    /// one browser at one address, and is not to be kept.
    #[must_use]
    pub fn lasting_visitor(&self) -> Option<&str> {
        self.0.reply.may_set.then(|| self.visitor())
    }

    /// Whether the request brought no id of its own.
    #[must_use]
    pub fn is_new_visitor(&self) -> bool {
        self.0.reply.is_new_visitor
    }

    /// The network that the visitor comes from; none where the server did not say.
    #[must_use]
    pub fn network(&self) -> Option<Network> {
        self.0.network
    }

    /// The id of the browser session, when some flag needs it; none where no cookie holds it.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.0.session.as_ref().map(Id::as_str)
    }

    /// Whether the id of the session was made up for this request.
    #[must_use]
    pub fn is_new_session(&self) -> bool {
        self.0.reply.is_new_session
    }

    /// The visitor's id that came with the request, also where consent is away and it must not count. What ends something, such as the
    /// request to be forgotten, acts on it.
    #[must_use]
    pub fn brought_visitor(&self) -> Option<&str> {
        let withheld = self.0.reply.withheld.as_ref().map(|withheld| withheld.visitor.as_str());
        withheld.or_else(|| (!self.is_new_visitor()).then(|| self.visitor()))
    }

    /// The visitor, the session and the person that came with the request, as the ledger names them, also where consent is away. Of an id
    /// that was made for this request nothing is kept.
    pub fn brought_units(&self) -> impl Iterator<Item = String> {
        let reply = &self.0.reply;
        let withheld = reply.withheld.as_ref().and_then(|withheld| withheld.session.as_ref()).map(Id::as_str);
        let session = withheld.or_else(|| self.session().filter(|_| !self.is_new_session()));
        let by_cookie = || reply.user_cookies.newest.as_ref().and_then(|cookie| cookie.user.as_ref());
        let user = self.user().or_else(by_cookie).map(|user| user.id.as_str());
        let all = [(BucketBy::Visitor, self.brought_visitor()), (BucketBy::Session, session), (BucketBy::User, user)];
        all.into_iter().filter_map(|(kind, unit)| Some(kind.key(unit?).into_owned()))
    }

    /// The person, when known.
    #[must_use]
    pub fn user(&self) -> Option<&User> {
        self.0.user.as_ref()
    }

    /// Every decision, with its reason.
    #[must_use]
    pub fn decisions(&self) -> &Decisions {
        &self.0.decisions
    }

    /// The id that a flag draws by on this request, when known. A flag drawn anew for each request has none that lasts.
    #[must_use]
    pub fn unit(&self, id: FlagId) -> Option<&str> {
        match &self.0.compiled.snapshot().flag(id)?.bucket_by {
            BucketBy::Visitor => Some(self.visitor()),
            BucketBy::User => self.user().map(|user| user.id.as_str()),
            BucketBy::Session => self.session(),
            BucketBy::Request => None,
            BucketBy::Header(_) | BucketBy::Cookie(_) => {
                let mut units = self.0.units.iter();
                units.find(|(of, _)| *of == id).map(|(_, unit)| &**unit)
            }
        }
    }

    /// Where the visitor fell under an earlier id, for flags of that time.
    #[must_use]
    pub fn former_draws(&self) -> &[FormerDraw] {
        &self.0.former_draws
    }

    /// The variant that the draw alone gives of a monitored flag. It differs from that of the decision where a variant is remembered. `None`
    /// for a position that no arm has.
    #[must_use]
    pub fn drawn(&self, id: FlagId) -> Option<VariantId> {
        let decision = self.0.decisions.of(id);
        if decision.step() != DecisionStep::Sticky {
            return Some(decision.variant());
        }
        let place = self.0.drawn.binary_search_by_key(&id, |(of, _)| *of).ok()?;
        self.0.drawn.get(place).map(|(_, variant)| *variant)
    }

    /// Whether the request is for one of the visitor's own endpoints, as [`is_own`](crate::is_own) says of its path.
    #[must_use]
    pub fn are_for_own_endpoint(&self) -> bool {
        self.0.is_own
    }

    /// Whether this request may count in experiments, rollouts and guards.
    ///
    /// # Errors
    /// With the reason why it must not.
    pub fn counted(&self) -> Result<(), NotCounted> {
        if self.0.is_own {
            return Err(NotCounted::Endpoint);
        }
        self.counted_visitor()
    }

    /// Whether what this visitor says may count: as [`Flags::counted`], but for the visitor's own endpoints too.
    ///
    /// # Errors
    /// With the reason why it must not.
    pub fn counted_visitor(&self) -> Result<(), NotCounted> {
        self.0.counted.map_err(|left| left.why)
    }

    /// The values of this request that conditions look at. `None` where no observer wants to know, one of them is too long, a variant was
    /// requested, or the request must not count: then nothing of it may be kept.
    #[must_use]
    pub fn values(&self) -> Option<&KeptValues> {
        self.0.values.as_ref().filter(|_| self.counted().is_ok())
    }

    /// The variants that are remembered of this visitor after this request.
    pub fn remembered(&self) -> impl Iterator<Item = (FlagId, VariantId)> {
        let is_in = |(id, flag, decision): (_, &std::sync::Arc<_>, _)| {
            sticky::is_remembered(flag, decision).then_some((id, decision.variant()))
        };
        self.0.decisions.iter().filter_map(is_in)
    }

    /// What the snapshot means for headers.
    #[must_use]
    pub fn compiled(&self) -> &Arc<CompiledSnapshot> {
        &self.0.compiled
    }
}
