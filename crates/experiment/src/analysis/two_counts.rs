//! Two counts by hand.

use std::fmt;

use flagstaff_stats::Proportion;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::analysis::comparison;
use crate::analysis::observed::{Arm, Measure};
use crate::analysis::report::{Comparison, SampleRatio};
use crate::analysis::sample_ratio::of_counts;
use crate::analysis::settings::AnalysisSettings;

/// One comparison of two counts, and whether their sizes fit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TwoCounts {
    /// The comparison.
    #[serde(flatten)]
    pub comparison: Comparison,
    /// Whether the visitors fell into the two as they should have.
    pub sample_ratio: SampleRatio,
}

/// The treatment's share of all visitors (control and treatment).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(f64);

impl Share {
    /// As many in each.
    pub const HALF: Self = Self(0.5);

    /// A share between 0 and 1.
    ///
    /// # Errors
    /// When it lies outside, or at either end.
    pub fn new(share: f64) -> Result<Self, ShareError> {
        if share > 0.0 && share < 1.0 { Ok(Self(share)) } else { Err(ShareError) }
    }
}

/// A share that leaves nothing to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShareError;

impl fmt::Display for ShareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the treatment's share lies above 0 and below 1 (0% and 100%)")
    }
}

impl std::error::Error for ShareError {}

/// Compares a treatment's count with a control's.
#[must_use]
pub fn compare(control: &Proportion, treatment: &Proportion, share: Share, settings: &AnalysisSettings) -> TwoCounts {
    let arm = |count: &Proportion| Arm::counts(count.n(), count.x());
    let pair = [(arm(treatment), arm(control))];
    let mut comparison = comparison::compare("treatment", Measure::Rate, &pair, settings).comparison;
    comparison.adjusted_p_value = comparison.p_value;
    comparison.always_valid.adjusted_p_value = comparison.always_valid.p_value;
    TwoCounts { comparison, sample_ratio: of_counts(&[control.n(), treatment.n()], &[1.0 - share.0, share.0]) }
}
