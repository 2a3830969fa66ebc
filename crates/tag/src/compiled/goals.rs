//! Which flags and experiments each goal of a snapshot counts for.

use std::sync::Arc;

use flagstaff_flags::{BucketBy, ExperimentId, FlagId, Goal, Holdout, LogThrottle, Name, Snapshot, Trigger};
use jiff::Timestamp;

/// Why an event does not reach a goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotReached {
    /// A page sent it, and the goal counts only what the app sends.
    SaidByPage,
    /// The app sent it, and the goal counts only what pages send.
    SaidByApp,
    /// Its value is not a number from -10¹² to 10¹².
    Value,
    /// The visitor's unit sent too many events of the goal.
    Unit,
    /// The visitor's network sent too many events.
    Network,
    /// The events of pages fill their part of the queue to the ledger.
    Queue,
    /// The app sent it with the answer to a request that came from another site without an id.
    CrossSite,
    /// The app sent it with the answer to a request that brings no id and gets none.
    NoId,
}

impl NotReached {
    /// All reasons.
    pub const ALL: [Self; 8] = [
        Self::SaidByPage,
        Self::SaidByApp,
        Self::Value,
        Self::Unit,
        Self::Network,
        Self::Queue,
        Self::CrossSite,
        Self::NoId,
    ];

    /// The reason as a label of metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SaidByPage => "said_by_page",
            Self::SaidByApp => "said_by_app",
            Self::Value => "value",
            Self::Unit => "unit",
            Self::Network => "network",
            Self::Queue => "queue",
            Self::CrossSite => "cross_site",
            Self::NoId => "no_id",
        }
    }

    const fn advice(self) -> &'static str {
        match self {
            Self::SaidByPage => "write from = \"page\" or from = \"both\" in the goal's table where pages send it",
            Self::SaidByApp => "write from = \"app\" or from = \"both\" in the goal's table where the app sends it",
            Self::Value => "send a number from -10^12 to 10^12, such as 49.90",
            Self::Unit => "one visitor sends more than anybody does; nothing is to be done if that is not you",
            Self::Network => "one network sends more than visitors do; behind a balancer, name it in [trust]",
            Self::Queue => "the ledger is slower than pages send; look at flagstaff_ledger_up",
            Self::CrossSite => "answer it on the page that follows the return from another site",
            Self::NoId => "answer it on a request that brings the visitor's cookie, such as the next page",
        }
    }
}

/// For each goal of a snapshot, one flag for each kind of unit that flags with this goal draw by.
#[derive(Debug)]
pub(crate) struct SnapshotGoals {
    by_goal: Vec<Vec<FlagId>>,
    bounces: Vec<FlagId>,
    /// By goal, the experiments that have it.
    experiments: Vec<Arc<[ExperimentId]>>,
    /// By goal and reason.
    refused: Vec<[LogThrottle; NotReached::ALL.len()]>,
}

impl SnapshotGoals {
    pub(crate) fn new(snapshot: &Snapshot) -> Self {
        let is_bounce = |goal: &Goal| matches!(goal.trigger, Trigger::Bounce { .. });
        Self {
            by_goal: snapshot
                .goals()
                .iter()
                .map(|goal| one_per_unit(snapshot, |one| one.name == goal.name))
                .collect(),
            bounces: one_per_unit(snapshot, is_bounce),
            experiments: snapshot.goals().iter().map(|goal| experiments(snapshot, goal)).collect(),
            refused: snapshot.goals().iter().map(|_| Default::default()).collect(),
        }
    }

    pub(crate) fn of(&self, snapshot: &Snapshot, goal: &Goal) -> &[FlagId] {
        let index = snapshot.goals().iter().position(|one| one.name == goal.name);
        index.and_then(|index| self.by_goal.get(index)).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn experiments(&self, snapshot: &Snapshot, goal: &Goal) -> Option<&Arc<[ExperimentId]>> {
        self.experiments.get(snapshot.goals().iter().position(|one| one.name == goal.name)?)
    }

    /// Counts an event that does not reach a goal, and says so in the log now and then.
    pub(crate) fn refuse(&self, snapshot: &Snapshot, goal: &Goal, why: NotReached, now: Timestamp) {
        let (name, reason) = (goal.name.to_string(), why.as_str());
        metrics::counter!("flagstaff_events_refused_total", "goal" => name.clone(), "reason" => reason).increment(1);
        let index = snapshot.goals().iter().position(|one| one.name == goal.name);
        let throttle = index.and_then(|index| self.refused.get(index)?.get(why as usize));
        if let Some(events) = throttle.and_then(|throttle| throttle.count(1, now)) {
            tracing::warn!(goal = name, events, reason, mend = why.advice(), "events do not reach a goal");
        }
    }

    pub(crate) fn bounces(&self) -> &[FlagId] {
        &self.bounces
    }
}

/// The experiments of flags that have a goal, and that of the holdout, which has them all.
fn experiments(snapshot: &Snapshot, goal: &Goal) -> Arc<[ExperimentId]> {
    let has = |id: &FlagId| snapshot.flag(*id).is_some_and(|flag| flag.goals.contains(&goal.name));
    let of_flags = snapshot.ids().filter(has).map(|id| snapshot.experiment_id(id));
    of_flags.chain(snapshot.holdout().map(Holdout::experiment_id)).collect()
}

/// One flag for each kind of unit, of those that have such a goal.
fn one_per_unit(snapshot: &Snapshot, wanted: impl Fn(&Goal) -> bool) -> Vec<FlagId> {
    let named = |name: &Name| snapshot.goals().iter().find(|goal| goal.name == *name);
    let mut seen: Vec<&BucketBy> = Vec::new();
    let mut new = |id: &FlagId| {
        let Some(flag) = snapshot.flag(*id) else {
            return false;
        };
        let is_one = flag.goals.iter().filter_map(named).any(&wanted);
        let is_new = is_one && flag.bucket_by != BucketBy::Request && !seen.contains(&&flag.bucket_by);
        if is_new {
            seen.push(&flag.bucket_by);
        }
        is_new
    };
    snapshot.ids().filter(|id| new(id)).collect()
}
