//! One whole, valid, immutable set of flags.

use std::collections::HashMap;
use std::sync::Arc;

use super::checks::check;
use super::links::{self, Link, Links};
use super::met::{Meetings, MetFlags};
use super::recorded::{FlagFacts, RecordedFacts};
use crate::plan::{Lists, Plan};
use crate::{ExclusionLayer, Flag, FlagId, Goal, Holdout, Name, Percent, Problem, Segment, Subject};

/// One whole, valid, immutable set of flags.
#[derive(Clone, Debug)]
pub struct Snapshot {
    revision: Arc<str>,
    flags: Vec<Arc<Flag>>,
    by_name: Arc<HashMap<Name, FlagId>>,
    pub(crate) links: Arc<Links>,
    pub(crate) layers: Arc<[ExclusionLayer]>,
    pub(crate) segments: Arc<[Segment]>,
    goals: Arc<[Goal]>,
    pub(crate) holdout: Option<Arc<Holdout>>,
    meetings: Arc<Meetings>,
    facts: Arc<[FlagFacts]>,
    pub(super) lists: Arc<Lists>,
    /// Made anew with whatever it is made of.
    pub(crate) plan: Arc<Plan>,
}

impl Snapshot {
    /// Joins flags, goals, segments and layers that are each valid. `revision` names the text they were made from.
    ///
    /// # Errors
    /// With every problem among them: a name that nothing has, a cycle in `requires`, slices that overlap, a layer that
    /// does not fit its flags.
    pub fn new(
        revision: &str,
        mut flags: Vec<Flag>,
        goals: Vec<Goal>,
        segments: Vec<Segment>,
        layers: Vec<ExclusionLayer>,
    ) -> Result<Self, Vec<Problem>> {
        let by_name = links::index(&flags);
        links::join_layers(&mut flags, &layers);
        let links = check(&flags, &by_name, &goals, &segments, &layers)?;
        let facts = vec![FlagFacts::default(); flags.len()].into();
        let flags: Vec<_> = flags.into_iter().map(Arc::new).collect();
        let snapshot = Self {
            revision: revision.into(),
            meetings: Arc::new(Meetings::of(&flags)),
            lists: Arc::new(Lists::new(&flags)),
            flags,
            by_name: Arc::new(by_name),
            links: Arc::new(links),
            layers: layers.into(),
            segments: segments.into(),
            goals: goals.into(),
            holdout: None,
            facts,
            plan: Arc::default(),
        };
        Ok(snapshot.planned())
    }

    /// The same flags with the plan that fits them.
    fn planned(self) -> Self {
        Self { plan: Arc::new(self.draft()), ..self }
    }

    /// No flags at all.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            revision: "".into(),
            flags: Vec::new(),
            by_name: Arc::default(),
            links: Arc::default(),
            layers: Arc::new([]),
            segments: Arc::new([]),
            goals: Arc::new([]),
            holdout: None,
            meetings: Arc::default(),
            facts: Arc::new([]),
            lists: Arc::default(),
            plan: Arc::default(),
        }
    }

    /// The same flags with what was recorded about them. Facts about other definitions are passed over.
    #[must_use]
    pub fn with_facts(&self, facts: &RecordedFacts) -> Self {
        Self { facts: facts.of_each(&self.flags), ..self.clone() }.planned()
    }

    /// What is known to be recorded about them.
    #[must_use]
    pub fn recorded(&self) -> RecordedFacts {
        let mut facts = RecordedFacts::default();
        self.flags.iter().zip(self.facts.iter()).for_each(|(flag, fact)| fact.tell(flag, &mut facts));
        facts
    }

    /// The same flags, supposing another share of one of them; a rollout of it is set aside.
    #[must_use]
    pub fn supposing(&self, id: FlagId, percent: Percent) -> Self {
        let mut flags = self.flags.clone();
        if let Some(flag) = flags.get_mut(id.index()) {
            *flag = Arc::new(Flag { percent: Some(percent), rollout: None, ..Flag::clone(flag) });
        }
        Self { meetings: Arc::new(Meetings::of(&flags)), flags, ..self.clone() }.planned()
    }

    /// Which text it was made from.
    #[must_use]
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// All flags, in the order of the document.
    #[must_use]
    pub fn flags(&self) -> &[Arc<Flag>] {
        &self.flags
    }

    /// All segments.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// All goals.
    #[must_use]
    pub fn goals(&self) -> &[Goal] {
        &self.goals
    }

    /// The number of the fact since which variants that visitors drew of a flag are remembered, as in [`crate::Standing::remembers_since`].
    #[must_use]
    pub fn remembers_since(&self, id: FlagId) -> u64 {
        self.facts.get(id.index()).map_or(0, |facts| facts.remembers_since)
    }

    /// The index of a flag.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<FlagId> {
        self.by_name.get(name).copied()
    }

    /// A flag by its index; `None` for an index of another snapshot beyond this one's end.
    #[must_use]
    pub fn flag(&self, id: FlagId) -> Option<&Arc<Flag>> {
        self.flags.get(id.index())
    }

    /// A flag by its name.
    #[must_use]
    pub fn flag_named(&self, name: &str) -> Option<&Arc<Flag>> {
        self.find(name).and_then(|id| self.flag(id))
    }

    /// All indices, in the order of [`Snapshot::flags`].
    pub fn ids(&self) -> impl Iterator<Item = FlagId> + use<> {
        (0..u32::try_from(self.flags.len()).unwrap_or(u32::MAX)).map(FlagId)
    }

    /// All indices in an order in which flags that others require come before those.
    #[must_use]
    pub fn required_first(&self) -> &[FlagId] {
        &self.links.order
    }

    /// The flags that a request meets: those of which [`Flag::is_exposed_on`] says so.
    #[must_use]
    pub fn met(&self, method: &str, path: &str, is_page: bool) -> MetFlags {
        self.meetings.met(method, path, is_page)
    }

    /// Whether a decision may need the id of the browser session.
    #[must_use]
    pub fn needs_session(&self) -> bool {
        self.links.needs_session
    }

    pub(crate) fn link(&self, id: FlagId) -> Option<&Link> {
        self.links.of.get(id.index())
    }

    pub(crate) fn fact(&self, id: FlagId) -> Option<&FlagFacts> {
        self.facts.get(id.index())
    }

    /// The person who switched a flag off beside its file, and the time, in words; none when nobody did.
    #[must_use]
    pub fn switched_off(&self, id: FlagId) -> Option<&str> {
        self.fact(id)?.switched_off.as_deref()
    }

    /// Flags that are off only because what was recorded of them cannot be read yet.
    #[must_use]
    pub fn off_for_want_of_facts(&self) -> Vec<&Name> {
        let is_off = |id: &FlagId| self.fact(*id).is_some_and(|fact| fact.unknown);
        let flag = |id: FlagId| self.flag(id).filter(|flag| flag.enabled && flag.pin.is_none());
        self.ids().filter(is_off).filter_map(flag).map(|flag| &flag.name).collect()
    }

    /// The same flags with a share of visitors held out.
    #[must_use]
    pub fn with_holdout(mut self, holdout: Option<Holdout>) -> Self {
        self.holdout = holdout.filter(|holdout| holdout.percent() > Percent::ZERO).map(Into::into);
        self
    }

    /// Who is held out; none when nobody is.
    #[must_use]
    pub fn holdout(&self) -> Option<&Holdout> {
        self.holdout.as_deref()
    }

    pub(crate) fn holds_out(&self, subject: &Subject<'_>) -> bool {
        let held =
            |holdout: &Holdout| subject.visitor.is_some_and(|visitor| holdout.holds(holdout.position(visitor)));
        self.holdout().is_some_and(held)
    }
}
