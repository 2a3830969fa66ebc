//! Normal mixtures: what sequential tests are built on, kept to hold ours against published numbers.

use crate::error::{Error, Result, chance, positive};
use crate::level::Interval;
use crate::quantile::normal_cdf;
use crate::root::bisect;

/// Robbins' normal mixture for a sum `s` with variance `v` (Howard, Ramdas, McAuliffe, Sekhon 2021, *Ann. Statist.*
/// 49:1055, conjugate mixtures), tuned to be tightest at variance `v_opt` for level `alpha_opt`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NormalMixture {
    rho: f64,
    one_sided: bool,
}

impl NormalMixture {
    /// A mixture over both signs, ρ = v/(2 ln 1/α + ln(1 + 2 ln 1/α)).
    ///
    /// # Errors
    /// [`Error::BadSetting`] unless v_opt is above 0, [`Error::BadChance`] unless 0 < alpha_opt < 1.
    pub fn two_sided(v_opt: f64, alpha_opt: f64) -> Result<Self> {
        Ok(Self { rho: tightest(v_opt, alpha_opt)?, one_sided: false })
    }

    /// A mixture over positive values only, tuned at 2·alpha_opt.
    ///
    /// # Errors
    /// As [`Self::two_sided`], with alpha_opt below ½.
    pub fn one_sided(v_opt: f64, alpha_opt: f64) -> Result<Self> {
        Ok(Self { rho: tightest(v_opt, 2.0 * alpha_opt)?, one_sided: true })
    }

    /// The logarithm of the mixture, a supermartingale under the null. `v` is a variance, 0 or more.
    #[must_use]
    pub fn log_evidence(&self, s: f64, v: f64) -> f64 {
        let total = v + self.rho;
        let both = 0.5 * (self.rho / total).ln() + s * s / (2.0 * total);
        if self.one_sided { both + (2.0 * normal_cdf(s / total.sqrt())).ln() } else { both }
    }

    /// The sum at variance `v` that is ever passed with chance `alpha` at most under the null.
    ///
    /// # Errors
    /// [`Error::BadChance`] unless 0 < alpha < 1, [`Error::BadSetting`] unless v is finite and not negative.
    pub fn bound(&self, v: f64, alpha: f64) -> Result<f64> {
        let log = -chance(alpha)?.ln();
        if !(v >= 0.0 && v.is_finite()) {
            return Err(Error::BadSetting);
        }
        let both = ((v + self.rho) * ((v / self.rho).ln_1p() + 2.0 * log)).sqrt();
        if !self.one_sided {
            return Ok(both);
        }
        // Φ is at least ½ from 0 on, so the one-sided mixture is there no smaller than the two-sided one
        Ok(bisect(0.0, both, |s| self.log_evidence(s, v) - log))
    }
}

/// ρ that makes the two-sided bound tightest at variance `v` by the usual approximation:
/// v/(2 ln 1/α + ln(1 + 2 ln 1/α)) (Howard et al. 2021, on tuning).
pub(crate) fn tightest(v: f64, alpha: f64) -> Result<f64> {
    let log = -2.0 * chance(alpha)?.ln();
    Ok(positive(v)? / (log + log.ln_1p()))
}

/// The mixture sequential probability ratio test of two rates with `n` visitors in each arm and a normal prior of
/// variance τ² on their difference (Johari, Koomen, Pekelis, Walsh 2022, *Oper. Res.* 70:1806, variance plugged in).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Msprt {
    /// ln Λ = ½ ln(V/(V + nτ²)) + n²τ²d²/(2V(V + nτ²)), V = p_tq_t + p_cq_c.
    pub log_lambda: f64,
    /// min(1, 1/Λ).
    pub p_value: f64,
    /// Differences that level alpha would not reject.
    pub interval: Interval,
}

/// Runs the test on rates of equally large arms.
///
/// # Errors
/// [`Error::BadChance`] unless 0 < alpha < 1 and the rates lie in 0 to 1, [`Error::NoSpread`] when neither arm varies,
/// [`Error::BadSetting`] unless n and tau2 are above 0.
pub fn msprt(rate_t: f64, rate_c: f64, n: f64, tau2: f64, alpha: f64) -> Result<Msprt> {
    let log = -chance(alpha)?.ln();
    let (n, tau2) = (positive(n)?, positive(tau2)?);
    if ![rate_t, rate_c].iter().all(|rate| (0.0..=1.0).contains(rate)) {
        return Err(Error::BadChance);
    }
    let unit = rate_t * (1.0 - rate_t) + rate_c * (1.0 - rate_c);
    if unit <= 0.0 {
        return Err(Error::NoSpread);
    }
    let (total, shrink) = (unit + n * tau2, -(n * tau2 / unit).ln_1p());
    let squared = 2.0 * unit * total / (n * n * tau2);
    let difference = rate_t - rate_c;
    let log_lambda = 0.5 * shrink + difference * difference / squared;
    let reach = (squared * (log - 0.5 * shrink)).sqrt();
    let interval = Interval::around(difference, reach);
    Ok(Msprt { log_lambda, p_value: (-log_lambda).exp().min(1.0), interval })
}
