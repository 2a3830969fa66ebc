//! What a flag shares out at a time: its percentage, the step of its rollout, its arms.

use jiff::Timestamp;

use super::recorded::FlagFacts;
use crate::{Allocation, ExperimentId, Flag, FlagId, Percent, Snapshot, Subject, VariantId};

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

    /// The share of visitors (0 to 100) that each variant of a flag should have at a time, in the order of `Variants::names`. It is that of
    /// visitors for whom the draw decides: nobody who is named, and all who have the flags that it requires.
    #[must_use]
    pub fn expected_shares(&self, id: FlagId, now: Timestamp) -> Vec<f64> {
        let Some(flag) = self.flag(id) else {
            return Vec::new();
        };
        let mut shares = vec![0.0; flag.variants.names().len()];
        let mut give = |variant: VariantId, share: f64| {
            shares.get_mut(variant.index()).into_iter().for_each(|one| *one += share);
        };
        let is_off = !flag.enabled || self.fact(id).is_some_and(FlagFacts::holds_off);
        match &flag.pin {
            Some(pin) => give(pin.variant, 100.0),
            None if is_off => give(VariantId::OFF, 100.0),
            None => {
                let drawn = self.drawn_share(id, flag, now);
                give(flag.variants.control(), 100.0 - drawn);
                flag.variants.weights().for_each(|(variant, weight)| give(variant, weight.as_f64() * drawn / 100.0));
            }
        }
        shares
    }

    /// The share of visitors (0 to 100) among whom the weights of a flag are drawn.
    fn drawn_share(&self, id: FlagId, flag: &Flag, now: Timestamp) -> f64 {
        let share = self.share(id, now);
        let slices = self.link(id).and_then(|link| link.layer.as_ref()).map(|(_, slices)| slices);
        let sliced = slices.map(|all| all.iter().map(|slice| slice.to.as_f64() - slice.from.as_f64()).sum::<f64>());
        let held_out = self.holdout().filter(|_| flag.is_experiment(share)).map(|holdout| holdout.percent().as_f64());
        share.as_f64() * sliced.unwrap_or(100.0) / 100.0 * (100.0 - held_out.unwrap_or_default()) / 100.0
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

    /// The variant that the draw alone gives a subject, whatever is remembered of it; none for a position that no arm has, and for a
    /// subject without the id that is hashed.
    #[must_use]
    pub fn drawn(&self, id: FlagId, subject: &Subject<'_>) -> Option<VariantId> {
        let flag = self.flag(id)?;
        let place = flag.place(flag.bucket_by.unit(subject)?, subject.former_draws);
        flag.variant_at(self.share(id, subject.now), place)
    }
}
