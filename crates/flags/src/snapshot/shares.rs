//! What a flag shares out at a time: its percentage, the step of its rollout, its arms.

use jiff::Timestamp;

use crate::{Allocation, ExperimentId, FlagId, Percent, Snapshot, VariantId};

impl Snapshot {
    /// The share that counts for a flag at a time: that of its rollout's step, or the one written. For those whom neither
    /// `deny`, `allow` nor a rule names; nobody, when there is no such flag.
    #[must_use]
    pub fn share(&self, id: FlagId, now: Timestamp) -> Percent {
        let Some(flag) = self.flag(id) else {
            return Percent::ZERO;
        };
        match &flag.rollout {
            Some(rollout) => rollout.percent(now, self.fact(id).map_or(0, |fact| fact.step)),
            None => flag.share_of_the_rest(),
        }
    }

    /// Which experiment a flag is.
    #[must_use]
    pub fn experiment_id(&self, id: FlagId) -> ExperimentId {
        self.link(id).map_or(ExperimentId::default(), |link| link.experiment)
    }

    /// Whether a flag's guard rolled this definition of it back.
    #[must_use]
    pub fn is_tripped(&self, id: FlagId) -> bool {
        self.fact(id).is_some_and(|fact| fact.tripped)
    }

    /// The step of a flag's rollout that is recorded, from 0.
    #[must_use]
    pub fn step(&self, id: FlagId) -> usize {
        self.fact(id).map_or(0, |fact| fact.step)
    }

    /// The arms of a flag's experiment at a time: where the draw sends a unit that nothing else decides for.
    #[must_use]
    pub fn arms(&self, id: FlagId, now: Timestamp) -> Vec<Allocation> {
        self.flag(id).map(|flag| flag.arms(self.share(id, now))).unwrap_or_default()
    }

    /// The variant that the draw alone gives a unit at a time, whatever is remembered of it; none for a position that no arm has.
    #[must_use]
    pub fn drawn(&self, id: FlagId, unit: &str, now: Timestamp) -> Option<VariantId> {
        let position = self.flag(id)?.position(unit);
        let arms = self.arms(id, now);
        arms.iter().find(|arm| (arm.from..arm.to).contains(&position)).map(|arm| arm.variant)
    }
}
