//! By whom a goal is reached.

use flagstaff_flags::{BucketBy, FlagId, Goal, Name, Snapshot, Trigger};

/// For each goal of a snapshot, one flag for each kind of unit that flags with this goal draw by.
#[derive(Debug)]
pub(crate) struct Goals {
    by_goal: Vec<Vec<FlagId>>,
    bounces: Vec<FlagId>,
}

impl Goals {
    pub(crate) fn new(snapshot: &Snapshot) -> Self {
        let is_bounce = |goal: &Goal| matches!(goal.trigger, Trigger::Bounce { .. });
        Self {
            by_goal: snapshot.goals().iter().map(|goal| kinds(snapshot, |one| one.name == goal.name)).collect(),
            bounces: kinds(snapshot, is_bounce),
        }
    }

    pub(crate) fn of(&self, snapshot: &Snapshot, goal: &Goal) -> &[FlagId] {
        let place = snapshot.goals().iter().position(|one| one.name == goal.name);
        place.and_then(|place| self.by_goal.get(place)).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn bounces(&self) -> &[FlagId] {
        &self.bounces
    }
}

/// One flag for each kind of unit, of those that have such a goal.
fn kinds(snapshot: &Snapshot, wanted: impl Fn(&Goal) -> bool) -> Vec<FlagId> {
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
