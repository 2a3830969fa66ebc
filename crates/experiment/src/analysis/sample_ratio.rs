//! Did the visitors fall into the variants as they should have? This is checked before anything else.

use flagstaff_stats::srm;

use crate::analysis::observed::{Observed, Step};
use crate::analysis::report::SampleRatio;

/// Fewer expected in a variant, and χ² is no approximation (Cochran 1954, *Biometrics* 10:417).
const EXPECTED_FROM: f64 = 5.0;

/// Counts and shares of the variants that had a share in one step.
struct Split {
    counts: Vec<u64>,
    shares: Vec<f64>,
}

impl Split {
    fn of(step: &Step, variants: usize) -> Option<Self> {
        let with_share = || (0..variants).filter(|variant| step.share(*variant) > 0.0);
        let split = Self {
            counts: with_share().map(|variant| step.exposed.get(variant).copied().unwrap_or(0)).collect(),
            shares: with_share().map(|variant| step.share(variant)).collect(),
        };
        (split.shares.len() > 1 && split.total() > 0).then_some(split)
    }

    fn total(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    fn pair(&self) -> (&[u64], &[f64]) {
        (&self.counts, &self.shares)
    }

    /// Whether enough are expected in each variant for χ².
    fn is_large(&self) -> bool {
        let sum: f64 = self.shares.iter().sum();
        let least = self.shares.iter().copied().fold(f64::INFINITY, f64::min);
        self.total() as f64 * least / sum >= EXPECTED_FROM
    }
}

/// Judges the split, step by step, by everybody who was first exposed in it.
pub(crate) fn sample_ratio(observed: &Observed) -> SampleRatio {
    let variants = observed.variants.len();
    let splits: Vec<_> = observed.steps.iter().filter_map(|step| Split::of(step, variants)).collect();
    judge(&splits, totals(observed))
}

/// Judges one split by hand.
pub(crate) fn of_counts(counts: &[u64], shares: &[f64]) -> SampleRatio {
    let sum: f64 = shares.iter().sum();
    let all = counts.iter().fold(0u64, |sum, count| sum.saturating_add(*count)) as f64;
    let expected = shares.iter().map(|share| share / sum * all).collect();
    let split = Split { counts: counts.to_vec(), shares: shares.to_vec() };
    judge(&[split], (counts.to_vec(), expected))
}

fn judge(splits: &[Split], (observed, expected): (Vec<u64>, Vec<f64>)) -> SampleRatio {
    let log_bayes_factor = srm::log_bayes_factor_by_step(splits.iter().map(Split::pair)).unwrap_or_default();
    let large = splits.iter().filter(|split| split.is_large());
    let chi_square = srm::chi_square_by_step(large.map(Split::pair)).ok();
    let p_value = chi_square.map_or_else(|| srm::p_value(log_bayes_factor), |test| test.p_value);
    let alarm = chi_square.is_some_and(|test| test.p_value < srm::ALARM_P);
    SampleRatio { p_value, log_bayes_factor, broken: alarm || srm::is_alarm(log_bayes_factor), observed, expected }
}

/// Per variant, how many were first exposed to it, and how many should have been.
fn totals(observed: &Observed) -> (Vec<u64>, Vec<f64>) {
    let variants = observed.variants.len();
    let (mut counts, mut expected) = (vec![0u64; variants], vec![0.0; variants]);
    for step in &observed.steps {
        let shares: Vec<_> = (0..variants).map(|variant| step.share(variant)).collect();
        let (sum, all) = (shares.iter().sum::<f64>(), step.exposed.iter().map(|n| *n as f64).sum::<f64>());
        let per_variant = counts.iter_mut().zip(&mut expected).zip(step.exposed.iter().zip(&shares));
        for ((count, expected), (exposed, share)) in per_variant {
            *count = count.saturating_add(*exposed);
            *expected += if sum > 0.0 { share / sum * all } else { 0.0 };
        }
    }
    (counts, expected)
}
