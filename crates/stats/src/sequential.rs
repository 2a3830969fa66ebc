//! Tests that may be read at any time: asymptotic confidence sequences.
//!
//! Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, "Time-uniform central limit theory and asymptotic confidence
//! sequences", arXiv 2103.06476v7. They take any estimate with a standard error (difference, lift, ratio, adjusted
//! mean, steps combined, unequal arms), so no second method is needed.

use crate::error::{Error, Result, chance};
use crate::level::{Estimate, Interval, Level};
use crate::tally::Proportion;

/// Significance level by default.
pub const ALPHA: f64 = 0.05;

/// Planned total of visitors by default.
pub const PLANNED: f64 = 5000.0;

/// Conversions, and visitors without one, that each arm needs before a result is shown: asymptotics need some data.
pub const SHOWN_FROM: u64 = 25;

/// Whether both arms have [`SHOWN_FROM`] conversions and as many non-conversions.
#[must_use]
pub fn is_shown(t: &Proportion, c: &Proportion) -> bool {
    [t, c].iter().all(|arm| arm.x() >= SHOWN_FROM && arm.n() - arm.x() >= SHOWN_FROM)
}

/// What is fixed before the start: the level, and the total at which the sequence shall be tightest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sequence {
    alpha: f64,
    planned: f64,
}

impl Default for Sequence {
    fn default() -> Self {
        Self { alpha: ALPHA, planned: PLANNED }
    }
}

impl Sequence {
    /// A sequence that errs with chance `alpha` over its whole life and is tightest at `planned` visitors of both
    /// arms together. Choosing `planned` after looking at data voids it.
    ///
    /// # Errors
    /// [`Error::BadChance`] unless 0 < alpha < ½, [`Error::BadSetting`]
    /// unless planned is finite and at least 1.
    pub fn new(alpha: f64, planned: f64) -> Result<Self> {
        if chance(alpha)? >= 0.5 {
            return Err(Error::BadChance);
        }
        if planned >= 1.0 && planned.is_finite() { Ok(Self { alpha, planned }) } else { Err(Error::BadSetting) }
    }

    /// Significance level.
    #[must_use]
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// Planned total of visitors.
    #[must_use]
    pub fn planned(&self) -> f64 {
        self.planned
    }

    /// ρ = √((−2 ln α + ln(1 − 2 ln α))/n*) (eq. 161).
    #[must_use]
    pub fn rho(&self) -> f64 {
        rho(self.alpha, self.planned)
    }

    /// Estimate ± s√(2(Nρ² + 1)/(N²ρ²)·ln(√(Nρ² + 1)/α)) with s² = SE²·N (eq. 9). It contains the truth at all times
    /// together with chance 1 − α.
    #[must_use]
    pub fn interval(&self, estimate: &Estimate) -> Interval {
        let seen = seen(self.rho(), estimate);
        Interval::around(estimate.value(), reach(estimate, seen, 0.5 * seen.ln_1p() - self.alpha.ln()))
    }

    /// The interval of the lift t/c − 1: all r for which t − (1 + r)·c is not told from 0 by [`Self::interval`] (Fieller 1954, *J. R.
    /// Statist. Soc.* B 16:175). So it holds 0 exactly where the interval of the difference does, and where the p-value is not below
    /// alpha: one rule for the test and for both intervals.
    ///
    /// # Errors
    /// [`Error::NoSpread`] when neither arm varies, [`Error::NoBase`] when the control's level is not told from 0: then every lift may
    /// be true.
    pub fn lift_interval(&self, t: &Level, c: &Level) -> Result<Interval> {
        let estimate = Estimate::difference(t, c)?;
        let seen = seen(self.rho(), &estimate);
        let errors = reach(&estimate, seen, 0.5 * seen.ln_1p() - self.alpha.ln()) / estimate.std_err();
        let square = errors * errors;
        // (t − q·c)² ≤ k²·(v_t + q²·v_c) with q = 1 + r
        let a = c.mean * c.mean - square * c.variance;
        if c.mean.is_nan() || c.mean <= 0.0 || a.is_nan() || a <= 0.0 {
            return Err(Error::NoBase);
        }
        let root = errors * (t.variance * a + c.variance * t.mean * t.mean).max(0.0).sqrt();
        let middle = t.mean * c.mean;
        Ok(Interval { low: (middle - root) / a - 1.0, high: (middle + root) / a - 1.0 })
    }

    /// √(2(Nρ² + 1)/(Nρ²)·ln(√(Nρ² + 1)·k/α)): how many standard errors from 0 an estimate of `n` visitors is at least whose p-value is
    /// below alpha over `k` tests.
    pub(crate) fn boundary(&self, n: f64, tests: f64) -> f64 {
        let rho = self.rho();
        let seen = n * rho * rho;
        (2.0 * (1.0 + seen) / seen * (0.5 * seen.ln_1p() - (self.alpha / tests).ln())).sqrt()
    }

    /// min(1, √(Nρ² + 1)·exp(−ρ²N·est²/SE²/(2(Nρ² + 1)))) at this look: [`Self::interval`] solved for the level at
    /// which it touches 0. Report the [`RunningP`] over the looks.
    #[must_use]
    pub fn p_value(&self, estimate: &Estimate) -> f64 {
        let seen = seen(self.rho(), estimate);
        let score = estimate.score();
        (0.5 * seen.ln_1p() - seen / (1.0 + seen) * score * score / 2.0).exp().min(1.0)
    }
}

/// The mixture's spread that is tightest at `planned`.
fn rho(alpha: f64, planned: f64) -> f64 {
    let log = -2.0 * alpha.ln();
    ((log + log.ln_1p()) / planned).sqrt()
}

/// Nρ².
fn seen(rho: f64, estimate: &Estimate) -> f64 {
    estimate.n() * rho * rho
}

/// SE·√N·√(2(Nρ² + 1)/(N²ρ²)·log), N cancelled.
fn reach(estimate: &Estimate, seen: f64, log: f64) -> f64 {
    estimate.std_err() * (2.0 * (1.0 + seen) / seen * log).sqrt()
}

/// The smallest p-value seen so far: what an always-valid test may report.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunningP(f64);

impl Default for RunningP {
    fn default() -> Self {
        Self(1.0)
    }
}

impl RunningP {
    /// Takes in the p-value of one more look and returns the smallest so far. What is no probability changes nothing.
    pub fn observe(&mut self, p: f64) -> f64 {
        if p >= 0.0 {
            self.0 = self.0.min(p);
        }
        self.0
    }

    /// The smallest so far, 1 before the first look.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.0
    }
}
