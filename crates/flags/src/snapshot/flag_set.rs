//! One whole, valid, immutable set of flags.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::links::{self, Links};
use crate::{Definition, Flag, FlagLayer, Goal, Holdout, Name, Percent, Problem, Segment, Standing};

/// A flag of one snapshot, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FlagId(pub(crate) u32);

impl FlagId {
    /// The place in [`Snapshot::flags`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What was recorded about flags, beside what is written: each holds for one definition of a flag, so an edit ends it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Flags that a guard took back.
    pub tripped: Vec<(Name, Definition)>,
    /// Steps of rollouts, from 0; the number of steps once all are behind.
    pub steps: Vec<(Name, Definition, usize)>,
    /// Flags that a person switched off beside their file, whatever their definition, and who did it in words.
    pub switched_off: Vec<(Name, String)>,
    /// What was recorded could not be read yet. Flags with a rollout or a guard stay off until then: one of them may have
    /// been taken back.
    pub unknown: bool,
    /// Flags of which enough is known all the same.
    pub known: Vec<Name>,
}

impl Facts {
    /// Adds where a flag stands.
    pub fn add(&mut self, flag: &Name, standing: &Standing) {
        if standing.trip.is_some() {
            self.tripped.push((flag.clone(), standing.definition));
        }
        self.tripped.extend(standing.tripped_before.iter().map(|definition| (flag.clone(), *definition)));
        if standing.step > 0 {
            self.steps.push((flag.clone(), standing.definition, standing.step));
        }
        if let Some(off) = &standing.switched_off {
            self.switched_off.push((flag.clone(), format!("switched off by {} at {:.0}", off.by, off.at)));
        }
    }
}

/// One whole, valid, immutable set of flags.
#[derive(Clone, Debug)]
pub struct Snapshot {
    revision: Arc<str>,
    flags: Vec<Arc<Flag>>,
    by_name: Arc<HashMap<Name, FlagId>>,
    pub(crate) links: Arc<Links>,
    pub(crate) layers: Arc<[FlagLayer]>,
    pub(crate) segments: Arc<[Segment]>,
    goals: Arc<[Goal]>,
    pub(crate) holdout: Option<Arc<Holdout>>,
    facts: Arc<[Fact]>,
}

/// What is recorded about one flag.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fact {
    pub(crate) switched_off: Option<Arc<str>>,
    pub(crate) unknown: bool,
    pub(crate) tripped: bool,
    pub(crate) step: usize,
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
        layers: Vec<FlagLayer>,
    ) -> Result<Self, Vec<Problem>> {
        let by_name = links::index(&flags);
        links::join_layers(&mut flags, &layers);
        let links = Links::new(&flags, &by_name, &goals, &segments, &layers)?;
        let facts = vec![Fact::default(); flags.len()].into();
        Ok(Self {
            revision: revision.into(),
            flags: flags.into_iter().map(Arc::new).collect(),
            by_name: Arc::new(by_name),
            links: Arc::new(links),
            layers: layers.into(),
            segments: segments.into(),
            goals: goals.into(),
            holdout: None,
            facts,
        })
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
            facts: Arc::new([]),
        }
    }

    /// The same flags with what was recorded about them. Facts about other definitions are passed over.
    #[must_use]
    pub fn with_facts(&self, facts: &Facts) -> Self {
        let tripped: HashSet<_> = facts.tripped.iter().map(|(name, definition)| (name, *definition)).collect();
        let of = |(name, definition, step): &'_ (Name, Definition, usize)| ((name.clone(), *definition), *step);
        let steps: HashMap<_, _> = facts.steps.iter().map(of).collect();
        let off: HashMap<_, _> = facts.switched_off.iter().map(|(name, words)| (name, words.as_str())).collect();
        let known: HashSet<_> = facts.known.iter().collect();
        // what an earlier version of the program recorded is about the same definition
        let both = |flag: &Flag| [flag.definition, flag.former_definition];
        let of = |flag: &Arc<Flag>| Fact {
            switched_off: off.get(&flag.name).map(|words| Arc::from(*words)),
            unknown: facts.unknown && flag.needs_facts() && !known.contains(&flag.name),
            tripped: both(flag).into_iter().any(|definition| tripped.contains(&(&flag.name, definition))),
            step: both(flag)
                .into_iter()
                .find_map(|one| steps.get(&(flag.name.clone(), one)).copied())
                .unwrap_or_default(),
        };
        Self { facts: self.flags.iter().map(of).collect(), ..self.clone() }
    }

    /// The same flags, supposing another share of one of them; a rollout of it is set aside.
    #[must_use]
    pub fn supposing(&self, id: FlagId, percent: Percent) -> Self {
        let mut flags = self.flags.clone();
        if let Some(flag) = flags.get_mut(id.index()) {
            *flag = Arc::new(Flag { percent: Some(percent), rollout: None, ..Flag::clone(flag) });
        }
        Self { flags, ..self.clone() }
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

    /// All goals.
    #[must_use]
    pub fn goals(&self) -> &[Goal] {
        &self.goals
    }

    /// The place of a flag.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<FlagId> {
        self.by_name.get(name).copied()
    }

    /// A flag by its place; `None` for a place of another snapshot beyond this one's end.
    #[must_use]
    pub fn flag(&self, id: FlagId) -> Option<&Arc<Flag>> {
        self.flags.get(id.index())
    }

    /// A flag by its name.
    #[must_use]
    pub fn flag_named(&self, name: &str) -> Option<&Arc<Flag>> {
        self.find(name).and_then(|id| self.flag(id))
    }

    /// All places, in the order of [`Snapshot::flags`].
    pub fn ids(&self) -> impl Iterator<Item = FlagId> + use<> {
        (0..u32::try_from(self.flags.len()).unwrap_or(u32::MAX)).map(FlagId)
    }

    /// Whether some decision needs the id of the browser session.
    #[must_use]
    pub fn needs_session(&self) -> bool {
        self.links.needs_session
    }

    pub(crate) fn fact(&self, id: FlagId) -> Option<&Fact> {
        self.facts.get(id.index())
    }

    /// Who switched a flag off beside its file, and when, in words; none when nobody did.
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
}
