//! What results are asked of: from what the ledger counted to what an experiment is judged by.

use flagstaff_experiment as experiment;
use flagstaff_flags::{EventGoal, EventValue, ExperimentId, Flag, FlagId, Goal, Holdout, Name, Snapshot, Trigger};
use flagstaff_ledger as ledger;
use jiff::Timestamp;

/// What results are asked of.
pub(crate) struct Question<'a> {
    /// The flag, or what is recorded of the holdout.
    name: &'a str,
    trial: Option<ExperimentId>,
    goals: Vec<&'a Goal>,
    is_holdout: bool,
}

impl<'a> Question<'a> {
    /// One flag, with its goals.
    pub(crate) fn of_flag(snapshot: &'a Snapshot, id: FlagId, flag: &'a Flag) -> Self {
        let goals = goals(snapshot, flag).collect();
        Self { name: flag.name.as_str(), trial: Some(snapshot.experiment_id(id)), goals, is_holdout: false }
    }

    /// All experiments together, with every goal of the file. Where nobody is held out now, what was recorded last.
    pub(crate) fn of_holdout(snapshot: &'a Snapshot) -> Self {
        let trial = snapshot.holdout().map(Holdout::experiment_id);
        Self { name: Holdout::NAME, trial, goals: snapshot.goals().iter().collect(), is_holdout: true }
    }

    /// What is asked of the ledger.
    pub(super) fn to_ledger(&self, now: Timestamp) -> ledger::Question {
        ledger::Question {
            flag: self.name.into(),
            trial: self.trial,
            goals: self.goals.iter().map(|goal| counted(goal)).collect(),
            now,
        }
    }

    /// A tally of it as an experiment.
    pub(super) fn observed(&self, tally: &ledger::Tally) -> experiment::Observed {
        let totals = tally.goals.iter().map(Vec::as_slice).chain(std::iter::repeat(&[][..]));
        experiment::Observed {
            flag: self.name.into(),
            is_holdout: self.is_holdout,
            variants: tally.variants.iter().map(variant).collect(),
            goals: self.goals.iter().zip(totals).map(|(goal, totals)| measured(goal, totals)).collect(),
            steps: tally.steps.iter().map(step).collect(),
            per_day: Some(tally.per_day).filter(|per_day| *per_day > 0.0),
        }
    }
}

/// How the steps stood at the end of each day.
pub(super) fn past(past: &[ledger::Past]) -> Vec<Vec<experiment::Step>> {
    past.iter().map(|day| day.steps.iter().map(step).collect()).collect()
}

/// The goals of a flag, the deciding one first.
pub fn goals<'a>(snapshot: &'a Snapshot, flag: &'a Flag) -> impl Iterator<Item = &'a Goal> {
    let named = move |name: &Name| snapshot.goals().iter().find(move |goal| goal.name == *name);
    flag.goals.iter().filter_map(named)
}

/// How the ledger is to count a goal.
pub(crate) fn counted(goal: &Goal) -> ledger::TallyGoal {
    ledger::TallyGoal {
        name: goal.name.to_string(),
        kind: match goal.trigger {
            Trigger::Bounce { after } => ledger::GoalKind::Bounced(after),
            Trigger::Request { .. } | Trigger::Event { .. } => ledger::GoalKind::Reached,
        },
    }
}

fn variant(variant: &ledger::VariantTally) -> experiment::Variant {
    experiment::Variant {
        name: variant.name.clone(),
        visitors: variant.visitors,
        confirmed: variant.confirmed,
        crossed: variant.crossed,
    }
}

/// Who leaves at once is no success; a value that is summed is compared by its mean.
fn measured(goal: &Goal, totals: &[ledger::GoalTally]) -> experiment::Goal {
    let (measure, better) = match goal.trigger {
        Trigger::Bounce { .. } => (experiment::Measure::Rate, experiment::Direction::Down),
        Trigger::Event(EventGoal { value: EventValue::Sum, .. }) => {
            (experiment::Measure::Mean, experiment::Direction::Up)
        }
        Trigger::Event(_) | Trigger::Request { .. } => (experiment::Measure::Rate, experiment::Direction::Up),
    };
    let total = |total: &ledger::GoalTally| experiment::Total {
        visitors: total.visitors,
        conversions: total.conversions,
        sum: total.sum,
        open: total.open,
    };
    experiment::Goal { name: goal.name.to_string(), measure, better, totals: totals.iter().map(total).collect() }
}

fn step(step: &ledger::Step) -> experiment::Step {
    experiment::Step {
        shares: step.shares.clone(),
        exposed: step.exposed.clone(),
        arms: step.arms.iter().map(|arms| arms.iter().map(arm).collect()).collect(),
    }
}

fn arm(arm: &ledger::Arm) -> experiment::Arm {
    let sums = |(sum, sum_sq)| experiment::Sums { sum, sum_sq };
    experiment::Arm {
        visitors: arm.visitors,
        conversions: arm.conversions,
        value: sums(arm.value),
        times: sums(arm.times),
        value_times: arm.value_times,
        before: arm.before.map(sums),
        value_before: arm.value_before,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn goals_say_what_is_compared_and_which_way_is_better() {
        let of = |trigger| {
            let name = Name::new("goal").unwrap();
            let goal = measured(&Goal { name, trigger }, &[]);
            (goal.measure, goal.better)
        };
        let event = |value| Trigger::Event(EventGoal { value, ..EventGoal::new("paid") });
        let (up, down) = (experiment::Direction::Up, experiment::Direction::Down);
        let (rate, mean) = (experiment::Measure::Rate, experiment::Measure::Mean);
        assert_eq!(of(event(EventValue::Count)), (rate, up));
        assert_eq!(of(event(EventValue::Sum)), (mean, up));
        let after = Duration::from_secs(60);
        assert_eq!(of(Trigger::Bounce { after }), (rate, down));
    }
}
