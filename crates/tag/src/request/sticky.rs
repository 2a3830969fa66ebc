//! Assignments that are remembered, in one signed cookie.
//!
//! The cookie says `1/form:on~price:simple/SESSION/other:on`: what lasts as long as the visitor, then what lasts as long as
//! one session. For a visitor who got a new id it begins with 2 and goes on with `/DRAWS/DRAWS`: where the id before fell, for the visitor
//! and for the session. `form:on:w` is a side that django-waffle drew, which is never counted. `form:on:12` was drawn after the flag had started
//! again with fact 12: what was drawn before that is void. It keeps only those whom a share holds, so raising a percentage reaches everybody
//! else at once.

use flagstaff_flags::{
    Decision, DecisionStep, Decisions, Flag, FlagId, FormerDraw, Reason, Snapshot, Sticky, StickyVariant, VariantId,
};
use jiff::civil::Date;

use crate::compiled::snapshot::sticky_scope;
use crate::request::former_draws;

/// A cookie with its name and signature is at most 4096 bytes.
const MAX_PAYLOAD_BYTES: usize = 3500;

/// What follows a side that django-waffle drew. A number in its place is that of the fact since which its flag remembers.
const BROUGHT: &str = "w";

/// One variant that is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kept {
    variant: VariantId,
    /// The visitor brought it from django-waffle.
    brought: bool,
    /// Since when its flag remembered what was drawn, as it was drawn: [`Snapshot::remembers_since`].
    since: u64,
}

impl Kept {
    /// Reads what follows the name of its flag; none where the flag has no such variant, or started again after it was drawn.
    fn read(entry: &str, flag: &Flag, since: u64) -> Option<Self> {
        let (variant, mark) = entry.split_once(':').unwrap_or((entry, ""));
        let brought = mark == BROUGHT;
        let drawn_since = if brought || mark.is_empty() { 0 } else { mark.parse().ok()? };
        let is_kept = drawn_since >= since && (!brought || flag.may_keep_waffle_side());
        Some(Self { variant: flag.variants.find(variant)?, brought, since: drawn_since }).filter(|_| is_kept)
    }

    /// What follows it: nothing of most.
    fn mark(self) -> String {
        match self {
            Self { brought: true, .. } => format!(":{BROUGHT}"),
            Self { since: 0, .. } => String::new(),
            Self { since, .. } => format!(":{since}"),
        }
    }
}

/// What is remembered, by the index of the flag.
#[derive(Clone, Debug, Default)]
pub(crate) struct StickyVariants {
    kept: Vec<Option<Kept>>,
    draws: Vec<FormerDraw>,
    has_news: bool,
    payload: String,
}

/// The session that a payload remembers variants of.
pub(crate) fn session_of(payload: &str) -> Option<&str> {
    payload.split('/').nth(2)
}

impl StickyVariants {
    /// Reads a payload whose signature is verified. What no longer exists is passed over.
    pub(crate) fn read(payload: &str, snapshot: &Snapshot, session: Option<&str>) -> Self {
        if payload.is_empty() {
            return Self::default();
        }
        let mut kept = vec![None; snapshot.flags().len()];
        let mut keep = |entries: &str, scope: Sticky| {
            for (name, variant) in entries.split('~').filter_map(|entry| entry.split_once(':')) {
                let Some(id) = snapshot.find(name) else { continue };
                let Some(flag) = snapshot.flag(id).filter(|flag| sticky_scope(flag) == scope) else {
                    continue;
                };
                let read = Kept::read(variant, flag, snapshot.remembers_since(id));
                if let (Some(slot), Some(read)) = (kept.get_mut(id.index()), read) {
                    *slot = Some(read);
                }
            }
        };
        let mut parts = payload.split('/');
        let mut next = || parts.next().unwrap_or_default();
        let (form, of_visitor, id, of_session) = (next(), next(), next(), next());
        let (drawn, drawn_for_session) = (next(), next());
        let is_same = session.is_some_and(|session| session == id);
        let mut draws = Vec::new();
        if matches!(form, "1" | "2") {
            keep(of_visitor, Sticky::Visitor);
            draws.extend(former_draws::read(drawn, false));
        }
        if matches!(form, "1" | "2") && is_same {
            keep(of_session, Sticky::Session);
            draws.extend(former_draws::read(drawn_for_session, true));
        }
        Self { kept, draws, has_news: false, payload: payload.into() }
    }

    /// With where the visitor fell by an earlier id.
    pub(crate) fn with_draws(mut self, draws: Vec<FormerDraw>) -> Self {
        if !draws.is_empty() {
            self.draws = draws;
            self.draws.truncate(former_draws::MAX_DRAWS);
            self.has_news = true;
        }
        self
    }

    /// With sides that the visitor brings from django-waffle, of flags of which nothing is remembered yet: each is taken once.
    pub(crate) fn with_brought(
        mut self,
        snapshot: &Snapshot,
        brought: impl Iterator<Item = (FlagId, VariantId)>,
        today: impl Fn() -> Date,
    ) -> Self {
        for (id, variant) in brought {
            let takes = snapshot.flag(id).is_some_and(|flag| flag.takes_waffle_cookie(today()));
            self.kept.resize(snapshot.flags().len(), None);
            if let Some(slot @ None) = self.kept.get_mut(id.index()).filter(|_| takes) {
                *slot = Some(Kept { variant, brought: true, since: 0 });
                self.has_news = true;
            }
        }
        self
    }

    /// Where the visitor fell by an earlier id.
    pub(crate) fn draws(&self) -> &[FormerDraw] {
        &self.draws
    }

    /// Whether there is something new to keep, whatever is decided.
    pub(crate) const fn has_news(&self) -> bool {
        self.has_news
    }

    /// As decisions ask for it.
    pub(crate) fn held(&self, snapshot: &Snapshot) -> Vec<StickyVariant> {
        let of = |(flag, kept): (FlagId, &Option<Kept>)| {
            kept.map(|Kept { variant, brought, .. }| StickyVariant { flag, variant, brought })
        };
        snapshot.ids().zip(&self.kept).filter_map(of).collect()
    }

    /// The payload after these decisions; `None` when nothing changed.
    pub(crate) fn after(&self, decisions: &Decisions, session: Option<&str>) -> Option<StickyPayload> {
        let before = |id: FlagId| self.kept.get(id.index()).copied().flatten();
        let fresh = |id, flag: &Flag, decision: Decision| {
            let variant = decision.variant();
            // a side from django-waffle stays what it is while everybody has the flag
            let is_new = before(id).is_none_or(|kept| kept.variant != variant && !kept.brought);
            let since = || decisions.snapshot().remembers_since(id);
            (is_new && is_remembered(flag, decision)).then(|| Kept { variant, brought: false, since: since() })
        };
        if !self.has_news && !decisions.iter().any(|(id, flag, decision)| fresh(id, flag, decision).is_some()) {
            return None;
        }
        let mut payload = StickyPayload::new(session, &self.draws);
        // What was there goes first: a full cookie forgets nobody who was in.
        for (id, flag, decision) in decisions.iter().filter(|(id, ..)| before(*id).is_some()) {
            if let Some(kept) = fresh(id, flag, decision).or(before(id)) {
                payload.add(flag, kept);
            }
        }
        for (id, flag, decision) in decisions.iter().filter(|(id, ..)| before(*id).is_none()) {
            if let Some(kept) = fresh(id, flag, decision) {
                payload.add(flag, kept);
            }
        }
        (payload.text() != self.payload).then_some(payload)
    }
}

/// A payload in the making.
pub(crate) struct StickyPayload {
    visitor: String,
    session: String,
    id: String,
    /// For the visitor and for the session.
    draws: [String; 2],
}

impl StickyPayload {
    fn new(session: Option<&str>, draws: &[FormerDraw]) -> Self {
        Self {
            visitor: String::new(),
            session: String::new(),
            id: session.unwrap_or_default().into(),
            draws: [false, true].map(|by_session| former_draws::write(draws, by_session)),
        }
    }

    fn add(&mut self, flag: &Flag, kept: Kept) {
        let drawn: usize = self.draws.iter().map(String::len).sum();
        let room = MAX_PAYLOAD_BYTES.saturating_sub(self.visitor.len() + self.session.len() + self.id.len() + drawn);
        let (name, variant, mark) = (flag.name.as_str(), flag.variants.name(kept.variant), kept.mark());
        let entries = if sticky_scope(flag) == Sticky::Visitor { &mut self.visitor } else { &mut self.session };
        if name.len() + variant.len() + mark.len() + 2 > room {
            return;
        }
        if !entries.is_empty() {
            entries.push('~');
        }
        entries.extend([name, ":", variant, &mark]);
    }

    pub(crate) fn text(&self) -> String {
        let [drawn, drawn_for_session] = &self.draws;
        if drawn.is_empty() && drawn_for_session.is_empty() {
            return format!("1/{}/{}/{}", self.visitor, self.id, self.session);
        }
        format!("2/{}/{}/{}/{drawn}/{drawn_for_session}", self.visitor, self.id, self.session)
    }

    /// Whether something in it outlasts the session.
    pub(crate) fn outlasts_session(&self) -> bool {
        !self.visitor.is_empty() || self.draws.first().is_some_and(|drawn| !drawn.is_empty())
    }
}

/// Whether a decision is remembered of its subject.
pub(crate) fn is_remembered(flag: &Flag, decision: Decision) -> bool {
    sticky_scope(flag) != Sticky::None && is_in(flag, decision)
}

/// Whether the share of a flag holds its subject. Of a flag of off and on, those outside are counted as off, and at 100 percent nobody is
/// drawn or counted, though all are inside: that is remembered where the file asks for `sticky`. By default a test alone remembers, and at 100
/// percent there is none.
fn is_in(flag: &Flag, decision: Decision) -> bool {
    let is_for_all = || decision.step() == DecisionStep::Percent && decision.reason() == Reason::Static;
    let is_named = flag.variants.are_named();
    if decision.is_counted() {
        is_named || decision.variant() != VariantId::OFF
    } else {
        flag.sticky.is_some() && !is_named && decision.variant() != VariantId::OFF && is_for_all()
    }
}
