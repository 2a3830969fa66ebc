//! The experiment an exposure belongs to.

use std::sync::Arc;

use flagstaff_flags::{Allocation, BucketBy, ExperimentId, Flag, FlagId, Holdout, Snapshot};
use jiff::Timestamp;
use quick_cache::sync::Cache;

/// Experiments that are kept to be given again: one of a new visitor costs no more than to look it up.
const KEPT: usize = 10_000;

/// One flag's experiment as it is drawn now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Experiment {
    trial: ExperimentId,
    flag: Box<str>,
    bucket_by: BucketBy,
    arms: Vec<Arm>,
    /// Who is drawn, as [`Snapshot::draw_key`] says.
    draw_key: u64,
}

/// A variant and its places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arm {
    pub(crate) name: String,
    pub(crate) from: u32,
    pub(crate) to: u32,
}

impl Arm {
    fn new(name: &str, Allocation { from, to, .. }: Allocation) -> Self {
        Self { name: name.into(), from, to }
    }
}

impl Experiment {
    fn of_flag(flag: &Flag, trial: ExperimentId, arms: &[Allocation], draw_key: u64) -> Self {
        let arm = |arm: &Allocation| Arm::new(flag.variants.name(arm.variant), *arm);
        Self {
            trial,
            flag: flag.name.as_str().into(),
            bucket_by: flag.bucket_by.clone(),
            arms: arms.iter().map(arm).collect(),
            draw_key,
        }
    }

    /// All experiments together: who is in none, and everybody else.
    fn of_holdout(holdout: &Holdout) -> Self {
        let arms = holdout.arms().into_iter().zip(Holdout::ARMS);
        Self {
            trial: holdout.experiment_id(),
            flag: Holdout::NAME.into(),
            bucket_by: BucketBy::Visitor,
            arms: arms.map(|(arm, name)| Arm::new(name, arm)).collect(),
            // its arms say all
            draw_key: 0,
        }
    }

    /// Whether its variants have these places, and the same units come to them.
    fn is_drawn_by(&self, arms: &[Allocation], draw_key: u64) -> bool {
        self.draw_key == draw_key
            && self.arms.iter().map(|arm| (arm.from, arm.to)).eq(arms.iter().map(|arm| (arm.from, arm.to)))
    }

    /// Which experiment.
    #[must_use]
    pub fn trial(&self) -> ExperimentId {
        self.trial
    }

    /// The flag, or [`Holdout::NAME`].
    #[must_use]
    pub fn flag(&self) -> &str {
        &self.flag
    }

    pub(crate) fn bucket_by(&self) -> String {
        self.bucket_by.to_string()
    }

    /// Names of its variants, the control first, with commas between.
    pub(crate) fn variants(&self) -> String {
        self.arms.iter().map(|arm| arm.name.as_str()).collect::<Vec<_>>().join(",")
    }

    /// Who is drawn, as the ledger keeps it.
    pub(crate) fn draw_key(&self) -> i64 {
        self.draw_key.cast_signed()
    }

    /// Its shares as the ledger keeps them: `from-to` per variant, with commas between.
    pub(crate) fn arms_text(&self) -> String {
        let arm = |arm: &Arm| format!("{}-{}", arm.from, arm.to);
        self.arms.iter().map(arm).collect::<Vec<_>>().join(",")
    }
}

/// Experiments with the shares they have now.
pub(crate) struct Experiments(Cache<ExperimentId, Arc<Experiment>>);

impl Default for Experiments {
    fn default() -> Self {
        Self(Cache::new(KEPT))
    }
}

impl Experiments {
    /// The experiment of a flag at a time; none for a flag that is not there.
    pub(crate) fn of_flag(&self, snapshot: &Snapshot, id: FlagId, now: Timestamp) -> Option<Arc<Experiment>> {
        let (flag, trial, arms) = (snapshot.flag(id)?, snapshot.experiment_id(id), snapshot.arms(id, now));
        let key = snapshot.draw_key(id, now);
        Some(self.kept(trial, (&arms, key), || Experiment::of_flag(flag, trial, &arms, key)))
    }

    /// All experiments together.
    pub(crate) fn of_holdout(&self, holdout: &Holdout) -> Arc<Experiment> {
        self.kept(holdout.experiment_id(), (&holdout.arms(), 0), || Experiment::of_holdout(holdout))
    }

    /// The id says all of an experiment but how it is drawn now.
    fn kept(
        &self,
        trial: ExperimentId,
        (arms, key): (&[Allocation], u64),
        make: impl FnOnce() -> Experiment,
    ) -> Arc<Experiment> {
        self.0.get(&trial).filter(|kept| kept.is_drawn_by(arms, key)).unwrap_or_else(|| {
            let made = Arc::new(make());
            self.0.insert(trial, Arc::clone(&made));
            made
        })
    }
}

#[cfg(test)]
mod tests {
    use flagstaff_flags::{Name, Percent};

    use super::*;

    fn shared_out(percent: u32) -> (Snapshot, FlagId) {
        let name = Name::new("a").unwrap();
        let flag = Flag { percent: Some(Percent::from_thousandths(percent)), ..Flag::new(name) };
        let snapshot = Snapshot::new("", vec![flag], vec![], vec![], vec![]).unwrap();
        let id = snapshot.find("a").unwrap();
        (snapshot, id)
    }

    #[test]
    fn an_experiment_is_made_once_for_the_shares_it_has() {
        let (all, now) = (Experiments::default(), Timestamp::UNIX_EPOCH);
        let [half, more] = [50_000, 60_000].map(shared_out);
        let of = |(snapshot, id): &(Snapshot, FlagId)| all.of_flag(snapshot, *id, now).unwrap();
        let (first, second) = (of(&half), of(&half));
        assert!(Arc::ptr_eq(&first, &second));
        assert_eq!((of(&more).trial(), of(&more).arms_text().as_str()), (first.trial(), "60000-100000,0-60000"));
        assert_eq!(*of(&half), *first, "it has the shares of its own snapshot, whatever was asked for in between");
    }

    #[test]
    fn a_holdout_is_made_once_for_its_share() {
        let all = Experiments::default();
        let [tenth, fifth] = [10_000, 20_000].map(|share| Holdout::new(Percent::from_thousandths(share), None));
        let first = all.of_holdout(&tenth);
        assert!(Arc::ptr_eq(&first, &all.of_holdout(&tenth)));
        assert_eq!(all.of_holdout(&fifth).arms_text(), "0-20000,20000-100000");
        assert_eq!(all.of_holdout(&tenth).arms_text(), "0-10000,10000-100000");
    }
}
