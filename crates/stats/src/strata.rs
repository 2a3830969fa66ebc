//! Comparing within each step of a ramp, then combining.
//!
//! When the shares change, early and late visitors are mixed in different proportions in the two arms; adding the
//! arms up would compare Monday with Friday (Simpson's paradox). Within a step the arms are alike.

use crate::error::{Error, Result};
use crate::level::Level;
use crate::proportion::{ZTest, score};
use crate::tally::Proportion;

/// Both arms as if every step had been shared alike: each step's levels weighted by n_t·n_c/(n_t + n_c), the weights
/// of Mantel and Haenszel (1959, *JNCI* 22:719). Their difference is the Mantel-Haenszel risk difference, their ratio
/// the Mantel-Haenszel risk ratio (Greenland & Robins 1985, *Biometrics* 41:55), with variance Σ w²v/(Σ w)² in each
/// arm. The weights depend on who was assigned, never on what they did, so rare conversions don't bias them.
/// One step comes back unchanged.
///
/// Give the steps as (treatment, control); leave out steps in which an arm is empty, they compare nothing.
///
/// # Errors
/// [`Error::NoVisitors`] without a step.
pub fn standardise(steps: impl IntoIterator<Item = (Level, Level)>) -> Result<(Level, Level)> {
    let (mut t, mut c) = (Sum::default(), Sum::default());
    for (treatment, control) in steps {
        let weight = treatment.n / (treatment.n + control.n) * control.n;
        t.add(&treatment, weight);
        c.add(&control, weight);
    }
    Ok((t.level()?, c.level()?))
}

/// A weighted sum of independent levels.
#[derive(Default)]
struct Sum {
    n: f64,
    weight: f64,
    mean: f64,
    variance: f64,
    satterthwaite: f64,
}

impl Sum {
    fn add(&mut self, level: &Level, weight: f64) {
        let square = weight * weight;
        self.n += level.n;
        self.weight += weight;
        self.mean += weight * level.mean;
        self.variance += square * level.variance;
        self.satterthwaite += square * square * level.satterthwaite();
    }

    fn level(&self) -> Result<Level> {
        if self.weight.is_nan() || self.weight <= 0.0 {
            return Err(Error::NoVisitors);
        }
        let df =
            if self.satterthwaite > 0.0 { self.variance * self.variance / self.satterthwaite } else { self.n - 1.0 };
        let square = self.weight * self.weight;
        Ok(Level { n: self.n, mean: self.mean / self.weight, variance: self.variance / square, df })
    }
}

/// Cochran's test of two proportions over steps (Cochran 1954, *Biometrics* 10:417): Σ w·d over √(Σ w·p̄q̄) with
/// w = n_t·n_c/(n_t + n_c) and p̄ pooled within each step. One step gives exactly [`crate::proportion::z_test`].
///
/// # Errors
/// [`Error::NoSpread`] when in no step both outcomes occur.
pub fn cochran(steps: impl IntoIterator<Item = (Proportion, Proportion)>) -> Result<ZTest> {
    let (mut difference, mut variance) = (0.0, 0.0);
    for (t, c) in steps {
        let (n_t, n_c) = (t.n() as f64, c.n() as f64);
        let weight = n_t / (n_t + n_c) * n_c;
        let pooled = (t.x() as f64 + c.x() as f64) / (n_t + n_c);
        difference += weight * (t.rate() - c.rate());
        variance += weight * pooled * (1.0 - pooled);
    }
    score(difference, variance)
}
