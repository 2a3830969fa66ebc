//! The experiment an exposure belongs to.

use flagstaff_flags::{BucketBy, ExperimentId, FlagId, Holdout, Snapshot};
use jiff::Timestamp;

/// One flag's experiment with the shares it has now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Experiment {
    trial: ExperimentId,
    flag: Box<str>,
    bucket_by: BucketBy,
    arms: Vec<Arm>,
}

/// A variant and its places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arm {
    pub(crate) name: String,
    pub(crate) from: u32,
    pub(crate) to: u32,
}

impl Experiment {
    /// The experiment of a flag at a time; none for a flag that is not there.
    #[must_use]
    pub fn of(snapshot: &Snapshot, id: FlagId, now: Timestamp) -> Option<Self> {
        let flag = snapshot.flag(id)?;
        let arms = snapshot.arms(id, now).into_iter().map(|arm| Arm {
            name: flag.variants.name(arm.variant).into(),
            from: arm.from,
            to: arm.to,
        });
        Some(Self {
            trial: snapshot.experiment_id(id),
            flag: flag.name.as_str().into(),
            bucket_by: flag.bucket_by.clone(),
            arms: arms.collect(),
        })
    }

    /// All experiments together: who is in none, and everybody else.
    #[must_use]
    pub fn of_holdout(holdout: &Holdout) -> Self {
        let arms = holdout.arms().into_iter().zip(Holdout::ARMS);
        let arms = arms.map(|(arm, name)| Arm { name: name.into(), from: arm.from, to: arm.to });
        Self {
            trial: holdout.experiment_id(),
            flag: Holdout::NAME.into(),
            bucket_by: BucketBy::Visitor,
            arms: arms.collect(),
        }
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

    /// Its shares as the ledger keeps them: `from-to` per variant, with commas between.
    pub(crate) fn arms_text(&self) -> String {
        let arm = |arm: &Arm| format!("{}-{}", arm.from, arm.to);
        self.arms.iter().map(arm).collect::<Vec<_>>().join(",")
    }
}
