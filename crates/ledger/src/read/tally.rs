//! Rows become the counts an experiment is judged by.
//!
//! A unit belongs to the period in which it was first exposed. Within it the variants are compared as they were until the
//! shares changed: whoever came back afterwards may have been moved to another variant, and only one variant loses its
//! regulars to that. So conversions count for a period's comparison up to its end. The totals show something else: those who
//! met one variant and no other, with all they did.
//!
//! Who was first exposed after a change with a variant remembered from before it was drawn by shares nobody recorded. Of
//! those only who would have had the same variant all along are compared, in a step of their own.

use std::time::Duration;

use crate::read::count::count;
use crate::read::ledger::{Error, Ledger};
use flagstaff_flags::ExperimentId;
use jiff::Timestamp;

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The flag.
    pub flag: String,
    /// Which of its experiments; none: the latest.
    pub trial: Option<ExperimentId>,
    /// Its goals.
    pub goals: Vec<TallyGoal>,
    /// The time now: bounces are open until their time is over.
    pub now: Timestamp,
}

/// A goal, and how it is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TallyGoal {
    /// Its name.
    pub name: String,
    /// How it is counted.
    pub kind: GoalKind,
}

/// How a goal is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoalKind {
    /// Who reached it.
    Reached,
    /// Who looked at exactly one page within this time.
    Bounced(Duration),
}

/// What was counted of one experiment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Its variants, the control first.
    pub variants: Vec<VariantTally>,
    /// Steps with the same shares.
    pub steps: Vec<Step>,
    /// Per goal, per variant: what those did who met it and no other.
    pub goals: Vec<Vec<GoalTally>>,
    /// When it began; none: nothing was recorded.
    pub began: Option<Timestamp>,
    /// Units newly exposed in the last 24 hours, or as many a day as came since it began.
    pub per_day: f64,
}

/// Who met a variant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VariantTally {
    /// Its name.
    pub name: String,
    /// Units that met it and no other.
    pub visitors: u64,
    /// Those of them whose cookie came back.
    pub confirmed: u64,
    /// Units that met it first and another later.
    pub crossed: u64,
}

/// What the units of one variant did, over the whole experiment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GoalTally {
    /// Units for which it is settled.
    pub visitors: u64,
    /// Units that reached it.
    pub conversions: u64,
    /// The sum of values.
    pub sum: f64,
    /// Units for which it is not settled.
    pub open: u64,
}

/// Units first exposed with the same shares.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    /// Shares of the variants, in thousandths of a percent.
    pub shares: Vec<f64>,
    /// Units first exposed, per variant.
    pub exposed: Vec<u64>,
    /// Per goal, per variant: those who met no second one within the step.
    pub arms: Vec<Vec<Arm>>,
}

/// What the units of one variant did in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Arm {
    /// Units for which it is settled.
    pub visitors: u64,
    /// Units that reached it.
    pub conversions: u64,
    /// Σ value and Σ value² per unit.
    pub value: (f64, f64),
    /// Σ times and Σ times² per unit.
    pub times: (f64, f64),
    /// Σ value·times.
    pub value_times: f64,
    /// Σ value and Σ value² per unit before its exposure; none where no unit had any.
    pub before: Option<(f64, f64)>,
    /// Σ value·before.
    pub value_before: f64,
}

impl Ledger {
    /// Counts one experiment.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn tally(&mut self, question: &Question) -> Result<Tally, Error> {
        count(self.connection(), question).await.map_err(|error| self.error(error))
    }
}
