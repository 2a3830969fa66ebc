//! The test: a mixture of likelihood ratios over a grid of risk ratios.

use super::{GOAL_GRID, HARM_GRID, TOLERATED, log_sum_exp};
use crate::error::{Error, Result, chance, positive, share};

/// Visitors with a first bad event while the treatment had one share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Count {
    /// w, the treatment's share of treatment and control, between 0 and 1.
    pub share: f64,
    /// Visitors of the treatment.
    pub treatment: u64,
    /// Visitors of the control.
    pub control: u64,
}

/// Which risk ratio is tolerated, and which ones beyond it are tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Law {
    tolerated: f64,
    grid: Vec<f64>,
}

impl Law {
    /// For bad events (errors, slow requests): more than [`TOLERATED`] times the control's, on [`HARM_GRID`].
    #[must_use]
    pub fn harm() -> Self {
        Self { tolerated: TOLERATED, grid: HARM_GRID.to_vec() }
    }

    /// The mirror for good events (converting visitors): less than the control's, on [`GOAL_GRID`].
    #[must_use]
    pub fn goals() -> Self {
        Self { tolerated: 1.0, grid: GOAL_GRID.to_vec() }
    }

    /// A law of its own: risk ratio `tolerated`, and factors beyond it, all above 1 (the test then holds for every
    /// ratio up to the tolerated one) or all below 1 (for every ratio from it on).
    ///
    /// # Errors
    /// [`Error::BadSetting`] unless the ratio is above 0 and the grid is not empty, above 0 and on one side of 1.
    pub fn new(tolerated: f64, grid: &[f64]) -> Result<Self> {
        let one_sided = grid.iter().all(|factor| *factor > 1.0) || grid.iter().all(|factor| *factor < 1.0);
        if grid.is_empty() || !one_sided || grid.iter().any(|factor| positive(*factor).is_err()) {
            return Err(Error::BadSetting);
        }
        Ok(Self { tolerated: positive(tolerated)?, grid: grid.to_vec() })
    }

    /// The tolerated risk ratio r0.
    #[must_use]
    pub fn tolerated(&self) -> f64 {
        self.tolerated
    }

    /// The factors ψ beyond it.
    #[must_use]
    pub fn grid(&self) -> &[f64] {
        &self.grid
    }

    /// ln E without restarts: the logarithm of the mean over k of exp L_k, where
    /// L_k = Σ [T·ln(θ(w, r0ψ_k)/θ(w, r0)) + C·ln((1 − θ(w, r0ψ_k))/(1 − θ(w, r0)))] over the steps and
    /// θ(w, r) = wr/(wr + 1 − w). The chance that E ever reaches 1/α is α at most while the risk ratio is tolerable,
    /// whatever the ramp and whenever it is read (Ville's inequality).
    ///
    /// # Errors
    /// [`Error::BadShare`] when a share does not lie between 0 and 1.
    pub fn log_evidence(&self, steps: impl IntoIterator<Item = Count>) -> Result<f64> {
        let mut ratios = vec![0.0; self.grid.len()];
        for step in steps {
            self.odds(share(step.share)?).add(&mut ratios, step.treatment, step.control);
        }
        Ok(self.mean(&ratios))
    }

    /// ln of the mean of exp L_k.
    pub(super) fn mean(&self, ratios: &[f64]) -> f64 {
        log_sum_exp(ratios.iter().copied()) - (self.grid.len() as f64).ln()
    }

    /// What one event in each arm adds to every L_k at share `w`, which lies between 0 and 1.
    pub(super) fn odds(&self, w: f64) -> Odds {
        let rest = 1.0 - w;
        let exposed = w * self.tolerated;
        let of = |factor: &f64| {
            let control = ((exposed + rest) / (exposed * factor + rest)).ln();
            (factor.ln() + control, control)
        };
        Odds(self.grid.iter().map(of).collect())
    }
}

/// Log likelihood ratios of one event in treatment and in control, per grid point.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Odds(Vec<(f64, f64)>);

impl Odds {
    /// Adds events to every log likelihood ratio.
    pub(super) fn add(&self, ratios: &mut [f64], treatment: u64, control: u64) {
        let (t, c) = (treatment as f64, control as f64);
        for (ratio, (per_treatment, per_control)) in ratios.iter_mut().zip(&self.0) {
            *ratio += t * per_treatment + c * per_control;
        }
    }
}

/// min(1, 1/E) at this look. The smallest over all looks is the always-valid p-value.
#[must_use]
pub fn p_value(log_evidence: f64) -> f64 {
    (-log_evidence).exp().min(1.0)
}

/// Whether the evidence reaches 1/α.
///
/// # Errors
/// [`Error::BadChance`] unless 0 < alpha < 1.
pub fn trips(log_evidence: f64, alpha: f64) -> Result<bool> {
    Ok(log_evidence >= -chance(alpha)?.ln())
}
