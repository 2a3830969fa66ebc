//! What was counted: the one thing an analysis needs. The ledger fills it.

use flagstaff_flags::{EventGoal, EventValue, Trigger};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One experiment as it was observed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// The flag.
    pub flag: String,
    /// A holdout comparison: the control is the held-out visitors, the other variant is everybody else.
    pub is_holdout: bool,
    /// Its variants; the first is the control.
    pub variants: Vec<Variant>,
    /// Its goals; the first decides.
    pub goals: Vec<Goal>,
    /// Stretches of time in which the shares stayed the same, or other sets of visitors that were split alike.
    pub steps: Vec<Step>,
    /// Visitors newly exposed a day at present, all variants together.
    pub per_day: Option<f64>,
    /// When the first visitor was exposed; `None`: nobody was.
    pub began: Option<Timestamp>,
}

/// The steps of an experiment as they stood at the end of one day. Of what a conversion is worth, only its value is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Day {
    /// The end of the day (UTC).
    pub end: Timestamp,
    /// The steps, as [`Observed::steps`] has them.
    pub steps: Vec<Step>,
}

/// What the visitors did who were exposed first in one week.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cohort {
    /// The beginning of the week.
    pub began: Timestamp,
    /// Per goal, per variant: those who met it and no other.
    pub goals: Vec<Vec<Total>>,
}

/// Who met one variant, over the whole experiment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// Visitors who met it and no other.
    pub visitors: u64,
    /// Those of them whose cookie came back.
    pub confirmed: u64,
    /// Visitors who met it first and another later. They are not among `visitors`.
    pub crossed: u64,
}

/// Something that was counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Goal {
    /// Its name.
    pub name: String,
    /// What of it is compared.
    pub measure: Measure,
    /// Which way is better.
    pub better: Direction,
    /// Per variant, what those did who met it and no other.
    pub totals: Vec<Total>,
}

impl Goal {
    /// A goal as the flag file defines it, before anything was counted. A bounce is no success; a value that is summed is compared by
    /// its mean.
    #[must_use]
    pub fn of(goal: &flagstaff_flags::Goal) -> Self {
        let (measure, better) = match goal.trigger {
            Trigger::Bounce { .. } => (Measure::Rate, Direction::Down),
            Trigger::Event(EventGoal { value: EventValue::Sum, .. }) => (Measure::Mean, Direction::Up),
            Trigger::Event(_) | Trigger::Request { .. } => (Measure::Rate, Direction::Up),
        };
        Self { name: goal.name.to_string(), measure, better, totals: Vec::new() }
    }
}

/// What is compared between variants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// The part of visitors who reached the goal.
    #[default]
    Rate,
    /// The sum of values per visitor.
    Mean,
}

/// Which way is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More is better.
    #[default]
    Up,
    /// Less is better, as with visitors who leave at once.
    Down,
}

/// What the visitors of one variant did about one goal, over the whole experiment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Total {
    /// Visitors for whom it is settled.
    pub visitors: u64,
    /// Those who reached it.
    pub conversions: u64,
    /// The sum of their values.
    pub sum: f64,
    /// Visitors for whom it is not settled yet, as a bounce within 30 minutes is not after 10.
    pub open: u64,
}

/// Visitors first exposed under one set of shares. Conversions count until the shares change: a visitor who changes variant with the
/// percentage does so after the step, so within it the variants are alike.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    /// The share of each variant, in any unit; 0: nobody can get it.
    pub shares: Vec<f64>,
    /// Visitors first exposed to each variant, also those who met another later: the split is judged by all of them.
    pub exposed: Vec<u64>,
    /// Per goal, per variant: those who met no second variant within the step.
    pub arms: Vec<Vec<Arm>>,
}

/// One variant's visitors in one step, for one goal.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Arm {
    /// Visitors for whom the goal is settled.
    pub visitors: u64,
    /// Those who reached it.
    pub conversions: u64,
    /// The sum of values of each visitor (0 for who has none).
    pub value: Sums,
    /// How often each visitor reached it.
    pub times: Sums,
    /// Σ value · times.
    pub value_times: f64,
    /// The sum of values of each visitor before exposure, where it is known.
    pub before: Option<Sums>,
    /// Σ value · before.
    pub value_before: f64,
}

/// A sum over visitors and the sum of squares.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sums {
    /// Σ y.
    pub sum: f64,
    /// Σ y².
    pub sum_sq: f64,
}

impl Sums {
    /// Adds the sums of more visitors.
    pub fn add(&mut self, sum: f64, sum_sq: f64) {
        self.sum += sum;
        self.sum_sq += sum_sq;
    }
}

impl Arm {
    /// Visitors and converters alone.
    #[must_use]
    pub fn counts(visitors: u64, conversions: u64) -> Self {
        Self { visitors, conversions, ..Self::default() }
    }
}

impl Step {
    pub(crate) fn arm(&self, goal: usize, variant: usize) -> Arm {
        self.arms.get(goal).and_then(|arms| arms.get(variant)).copied().unwrap_or_default()
    }

    pub(crate) fn share(&self, variant: usize) -> f64 {
        self.shares.get(variant).copied().filter(|share| share.is_finite() && *share > 0.0).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use flagstaff_flags::Name;

    use super::*;

    #[test]
    fn a_goal_says_what_is_compared_and_which_way_is_better() {
        let of = |trigger| {
            let goal = Goal::of(&flagstaff_flags::Goal { name: Name::new("goal").unwrap(), trigger });
            (goal.measure, goal.better)
        };
        let event = |value| Trigger::Event(EventGoal { value, ..EventGoal::new("paid") });
        assert_eq!(of(event(EventValue::Count)), (Measure::Rate, Direction::Up));
        assert_eq!(of(event(EventValue::Sum)), (Measure::Mean, Direction::Up));
        assert_eq!(of(Trigger::Bounce { after: Duration::from_secs(60) }), (Measure::Rate, Direction::Down));
    }
}
