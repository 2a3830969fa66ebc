//! The two-sided beta-binomial mixture: always-valid statements about one rate, exact at every size.
//!
//! Howard, Ramdas, McAuliffe, Sekhon 2021, *Ann. Statist.* 49:1055, sub-Bernoulli case, written for x converters
//! among n visitors: the mixture of likelihood ratios against rate p is B(a + x, b + n − x)/B(a, b)/(pˣ(1 − p)ⁿ⁻ˣ) with
//! a = r/(1 − p) and b = r/p, a prior around p itself.

use statrs::function::gamma::ln_gamma;

use crate::error::{Result, chance, positive};
use crate::level::Interval;
use crate::mixture::tightest;
use crate::root::bisect;
use crate::tally::Proportion;

/// The least that r may be, as a part of g·h.
const LEAST: f64 = 1e-3;

/// A mixture that tests one rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct BetaBinomial {
    rate: f64,
    prior_x: f64,
    prior_rest: f64,
}

impl BetaBinomial {
    /// Tests `rate`, tightest at `t_opt` visitors for level `alpha_opt`.
    pub(crate) fn new(rate: f64, t_opt: f64, alpha_opt: f64) -> Result<Self> {
        let (g, h) = (chance(rate)?, 1.0 - rate);
        let r = (tightest(positive(t_opt)? * g * h, alpha_opt)? - g * h).max(LEAST * g * h);
        Ok(Self { rate, prior_x: r / h, prior_rest: r / g })
    }

    /// The logarithm of the evidence against the rate when a part `x` (whole or not) of `n` visitors converted.
    pub(crate) fn log_evidence(&self, x: f64, n: f64) -> f64 {
        let ln_beta = |a: f64, b: f64| ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b);
        ln_beta(self.prior_x + x, self.prior_rest + n - x)
            - ln_beta(self.prior_x, self.prior_rest)
            - x * self.rate.ln()
            - (n - x) * (-self.rate).ln_1p()
    }
}

/// The always-valid interval of one rate: those that the mixture does not reject, tightest at `t_opt` visitors.
///
/// # Errors
/// [`crate::Error::BadChance`] unless 0 < alpha < 1, [`crate::Error::BadSetting`] unless t_opt is above 0.
pub fn interval(arm: &Proportion, alpha: f64, t_opt: f64) -> Result<Interval> {
    let log = -chance(alpha)?.ln();
    positive(t_opt)?;
    let (x, n, rate) = (arm.x() as f64, arm.n() as f64, arm.rate());
    // what was seen is never rejected; the other end, 0 or 1, always is, and no mixture exists there
    let excess = |p: f64| match BetaBinomial::new(p, t_opt, alpha) {
        _ if p == rate => -log,
        Ok(mixture) => mixture.log_evidence(x, n) - log,
        Err(_) => f64::INFINITY,
    };
    let low = if x > 0.0 { bisect(0.0, rate, excess) } else { 0.0 };
    let high = if x < n { bisect(rate, 1.0, excess) } else { 1.0 };
    Ok(Interval { low: low.min(rate), high: high.max(rate) })
}
