//! All answers for one subject.

use std::sync::Arc;

use crate::{Decision, DecisionList, Flag, FlagId, Snapshot, Subject, VariantId};

/// All decisions for one subject, with the snapshot they were made from.
#[derive(Clone, Debug)]
pub struct Decisions {
    snapshot: Arc<Snapshot>,
    list: DecisionList,
}

impl Decisions {
    #[inline]
    fn all(&self) -> &[Decision] {
        self.list.all()
    }

    #[inline]
    pub(super) fn all_mut(&mut self) -> &mut [Decision] {
        self.list.all_mut()
    }

    /// Decides every flag for another subject, in the memory of the decisions that were made before.
    pub fn decide_again(&mut self, subject: &Subject<'_>) {
        self.list.copy_from(self.snapshot.plan.beginning());
        self.snapshot.fill(subject, self.list.all_mut());
    }

    /// Decisions that were made from this snapshot before.
    #[must_use]
    pub const fn of_list(snapshot: Arc<Snapshot>, list: DecisionList) -> Self {
        Self { snapshot, list }
    }

    /// The decisions without their snapshot.
    #[must_use]
    pub const fn list(&self) -> &DecisionList {
        &self.list
    }

    /// The snapshot they were made from.
    #[must_use]
    pub const fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// The decision for a flag; [`Decision::UNKNOWN`] when there is no such flag.
    #[must_use]
    pub fn get(&self, name: &str) -> Decision {
        self.snapshot.find(name).map_or(Decision::UNKNOWN, |id| self.of(id))
    }

    /// The decision for a flag by its index.
    #[must_use]
    pub fn of(&self, id: FlagId) -> Decision {
        self.all().get(id.index()).copied().unwrap_or(Decision::UNKNOWN)
    }

    /// The name of the variant of a flag; `off` when there is no such flag.
    #[must_use]
    pub fn variant(&self, name: &str) -> &str {
        let Some(id) = self.snapshot.find(name) else {
            return "off";
        };
        self.snapshot.flag(id).map_or("off", |flag| flag.variants.name(self.of(id).variant()))
    }

    /// Whether a flag is anything but off.
    #[must_use]
    pub fn is_on(&self, name: &str) -> bool {
        self.get(name).variant() != VariantId::OFF
    }

    /// The variant of every flag, in the order of the document.
    pub fn variants(&self) -> impl Iterator<Item = VariantId> {
        self.all().iter().map(|decision| decision.variant())
    }

    /// Every flag with its decision, in the order of the document.
    pub fn iter(&self) -> impl Iterator<Item = (FlagId, &Arc<Flag>, Decision)> {
        self.snapshot.ids().zip(self.snapshot.flags()).zip(self.all()).map(|((id, flag), d)| (id, flag, *d))
    }
}
