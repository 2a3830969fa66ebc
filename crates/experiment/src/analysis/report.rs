//! What an analysis says, in the shape scripts rely on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::analysis::observed::{Direction, Measure};
use crate::analysis::verdict::Verdict;

/// The results of one experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The flag.
    pub flag: String,
    /// Whether visitors fell into the variants as they should have.
    pub sample_ratio: SampleRatio,
    /// One per goal; the first decides.
    pub goals: Vec<GoalReport>,
    /// Who is not counted.
    pub left_out: LeftOut,
    /// Steps of the ramp that were compared, each by itself.
    pub steps: usize,
    /// What to do.
    pub verdict: Verdict,
}

/// Whether visitors fell into the variants as they should have.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SampleRatio {
    /// Pearson's χ², its steps added up: the chance of a split at least this uneven. Before enough visitors came for
    /// it, that of the sequential test.
    pub p_value: f64,
    /// ln of the Bayes factor of the sequential test, which may be read at any time; the alarm is at ln 1000.
    pub log_bayes_factor: f64,
    /// Either test raised the alarm: p below 0.001, or a Bayes factor of 1000.
    pub broken: bool,
    /// Visitors first exposed to each variant, all steps together.
    pub observed: Vec<u64>,
    /// As many as should have been.
    pub expected: Vec<f64>,
}

/// Who is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeftOut {
    /// Visitors who met two variants.
    pub crossovers: u64,
}

/// One goal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GoalReport {
    /// Its name.
    pub goal: String,
    /// What is compared: `rate` or `mean`.
    pub measure: Measure,
    /// Which way is better: `up` or `down`.
    pub better: Direction,
    /// One per variant; the first is the control.
    pub variants: Vec<VariantReport>,
    /// One per variant but the control.
    pub comparisons: Vec<Comparison>,
}

/// One variant, for one goal: those who met it and no other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VariantReport {
    /// Its name.
    pub variant: String,
    /// Visitors for whom the goal is settled.
    pub visitors: u64,
    /// Those who reached it.
    pub conversions: u64,
    /// Conversions over visitors.
    pub rate: Option<f64>,
    /// Visitors whose cookie came back, of all who met the variant.
    pub confirmed: u64,
    /// Visitors for whom it is not settled yet.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub open: u64,
    /// The sum of values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sum: Option<f64>,
    /// The sum per visitor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// A variant compared with the control: within each step, then combined. What cannot be said is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// The variant.
    pub variant: String,
    /// Its level less the control's: of rates 0.01 is one point, of means it is in their unit.
    pub difference: Option<f64>,
    /// Its level over the control's, less 1: 0.1 is ten percent more.
    pub lift: Option<f64>,
    /// Of the test at a planned end (z for rates, Welch's for means). Not to be read before that.
    pub p_value: Option<f64>,
    /// The same, corrected by Holm for all goals and variants.
    pub adjusted_p_value: Option<f64>,
    /// Of the difference, at a planned end.
    pub interval: Option<Range>,
    /// Of the lift, at a planned end.
    pub lift_interval: Option<Range>,
    /// What may be read every day.
    pub always_valid: AlwaysValid,
    /// The difference with less noise, where values before exposure are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adjusted: Option<Adjusted>,
    /// The value of one conversion, where there are values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_conversion: Option<PerConversion>,
    /// The smallest rise that this many visitors would show four times in five.
    pub smallest_effect: Option<f64>,
}

/// A test that may be read at any time. Said from 25 visitors with a conversion on in both variants, and for rates from 25
/// without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlwaysValid {
    /// Its smallest p-value so far.
    pub p_value: Option<f64>,
    /// Its p-value at this look alone.
    pub p_value_now: Option<f64>,
    /// The same, corrected by Holm for all goals and variants. Verdicts rest on it.
    pub adjusted_p_value: Option<f64>,
    /// Of the difference.
    pub interval: Option<Range>,
    /// Of the lift.
    pub lift_interval: Option<Range>,
}

/// CUPED: the difference of what the past of the visitors does not explain.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Adjusted {
    /// The difference.
    pub difference: f64,
    /// Its interval, at a planned end.
    pub interval: Range,
    /// Welch's p-value.
    pub p_value: f64,
    /// The part of the variance that the past explains, 0 to 1.
    pub variance_explained: f64,
}

/// The mean value of one conversion: a ratio of two sums, compared as such.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PerConversion {
    /// The control's.
    pub control: f64,
    /// The variant's.
    pub treatment: f64,
    /// The variant's less the control's.
    pub difference: f64,
    /// Its interval, at a planned end.
    pub interval: Range,
    /// Its p-value.
    pub p_value: f64,
}

/// From one value to another; in JSON `[low, high]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "[f64; 2]", into = "[f64; 2]")]
pub struct Range {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl From<[f64; 2]> for Range {
    fn from([low, high]: [f64; 2]) -> Self {
        Self { low, high }
    }
}

impl From<Range> for [f64; 2] {
    fn from(range: Range) -> Self {
        [range.low, range.high]
    }
}

impl From<flagstaff_stats::Interval> for Range {
    fn from(interval: flagstaff_stats::Interval) -> Self {
        Self { low: interval.low, high: interval.high }
    }
}

impl Range {
    /// Whether a value lies inside, ends included.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}
