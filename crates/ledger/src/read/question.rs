//! What a ledger is asked of an experiment.

use flagstaff_flags::{ExperimentId, Flag, FlagId, Goal, Holdout, Name, Snapshot};
use jiff::Timestamp;

/// One experiment, and what of it is counted.
#[derive(Clone, Debug)]
pub struct Question {
    /// The flag, or [`Holdout::NAME`] for all experiments together.
    pub flag: String,
    /// Which of the flag's experiments; `None`: the latest.
    pub trial: Option<ExperimentId>,
    /// The goals that are counted; the first decides.
    pub goals: Vec<Goal>,
    /// The time of the question: a bounce is open until its time is over.
    pub now: Timestamp,
}

impl Question {
    /// The present experiment of a flag, with the flag's goals.
    #[must_use]
    pub fn of_flag(snapshot: &Snapshot, id: FlagId, flag: &Flag, now: Timestamp) -> Self {
        let goals = goals_of(snapshot, flag).cloned().collect();
        Self { flag: flag.name.to_string(), trial: Some(snapshot.experiment_id(id)), goals, now }
    }

    /// All experiments together, with every goal of the file. Where no visitor is held out now, what was recorded last.
    #[must_use]
    pub fn of_holdout(snapshot: &Snapshot, now: Timestamp) -> Self {
        let trial = snapshot.holdout().map(Holdout::experiment_id);
        Self { flag: Holdout::NAME.into(), trial, goals: snapshot.goals().to_vec(), now }
    }
}

/// The goals of a flag, the deciding one first.
pub fn goals_of<'a>(snapshot: &'a Snapshot, flag: &'a Flag) -> impl Iterator<Item = &'a Goal> {
    let named = move |name: &Name| snapshot.goals().iter().find(move |goal| goal.name == *name);
    flag.goals.iter().filter_map(named)
}
