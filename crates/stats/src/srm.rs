//! Sample-ratio mismatch: did the visitors fall into the arms as they should have?

use statrs::function::gamma::ln_gamma;

use crate::error::{Error, Result, positive};
use crate::quantile::chi_square_upper;

/// The chi-square test raises the alarm below this p-value.
pub const ALARM_P: f64 = 0.001;

/// The sequential test raises the alarm from this Bayes factor on: by Ville's inequality 1 in 1000 over its whole life.
pub const ALARM_BAYES_FACTOR: f64 = 1000.0;

/// C, how closely the prior of the sequential test lies around the stated shares.
pub const CONCENTRATION: f64 = 10_000.0;

/// Pearson's chi-square.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChiSquare {
    /// Σ (observed − expected)²/expected.
    pub statistic: f64,
    /// Degrees of freedom, at least 1.
    pub df: f64,
    /// The chance of at least this statistic when the shares are right.
    pub p_value: f64,
}

/// Pearson's test of counts against shares given as weights of any scale, k − 1 degrees of freedom (Pearson 1900;
/// for this use Fabijan et al. 2019, KDD).
///
/// # Errors
/// [`Error::BadShare`] unless there are two or more weights, all above 0, one per count; [`Error::NoVisitors`] when
/// nobody was counted.
pub fn chi_square(counts: &[u64], weights: &[f64]) -> Result<ChiSquare> {
    chi_square_by_step([(counts, weights)])
}

/// The same over the steps of a ramp: statistics and degrees of freedom add up. Count in each step only the visitors
/// first exposed in it; a step nobody was exposed in is passed over.
///
/// # Errors
/// As [`chi_square`].
pub fn chi_square_by_step<'a>(steps: impl IntoIterator<Item = (&'a [u64], &'a [f64])>) -> Result<ChiSquare> {
    let (mut statistic, mut df) = (0.0, 0.0);
    for (counts, weights) in steps {
        let shares = shares(counts, weights)?;
        let n = total(counts);
        if n > 0.0 {
            statistic += pearson(counts, &shares, n);
            df += (counts.len() - 1) as f64;
        }
    }
    if df == 0.0 {
        return Err(Error::NoVisitors);
    }
    Ok(ChiSquare { statistic, df, p_value: chi_square_upper(statistic, df)? })
}

fn pearson(counts: &[u64], shares: &[f64], n: f64) -> f64 {
    let part = |(count, share): (&u64, &f64)| (*count as f64 - n * share).powi(2) / (n * share);
    counts.iter().zip(shares).map(part).sum()
}

/// The weights scaled to add up to 1.
fn shares(counts: &[u64], weights: &[f64]) -> Result<Vec<f64>> {
    let sum: f64 = weights.iter().sum();
    let fine = weights.iter().all(|weight| *weight > 0.0) && sum.is_finite();
    if !fine || weights.len() < 2 || counts.len() != weights.len() {
        return Err(Error::BadShare);
    }
    Ok(weights.iter().map(|weight| weight / sum).collect())
}

fn total(counts: &[u64]) -> f64 {
    counts.iter().map(|count| *count as f64).sum()
}

/// ln BF of the Dirichlet-multinomial against the stated shares, with a_i = Cθ_i and C = [`CONCENTRATION`] (Lindon &
/// Malek 2022, NeurIPS, arXiv 2011.03567). It may be read after every visitor: the chance that BF ever reaches
/// 1/α is α at most when the shares are right. 0 when nobody was counted.
///
/// # Errors
/// [`Error::BadShare`] unless there are two or more weights, all above 0, one per count.
pub fn log_bayes_factor(counts: &[u64], weights: &[f64]) -> Result<f64> {
    log_bayes_factor_around(counts, weights, CONCENTRATION)
}

/// The same at another concentration.
///
/// # Errors
/// As [`log_bayes_factor`], and [`Error::BadSetting`] unless the concentration is above 0.
pub fn log_bayes_factor_around(counts: &[u64], weights: &[f64], concentration: f64) -> Result<f64> {
    let shares = shares(counts, weights)?;
    let concentration = positive(concentration)?;
    let prior: Vec<f64> = shares.iter().map(|share| concentration * share).collect();
    dirichlet_multinomial(counts, &shares, &prior)
}

/// lnΓ(A) − lnΓ(A + n) + Σ[lnΓ(a_i + n_i) − lnΓ(a_i)] − Σ n_i ln θ_i.
///
/// # Errors
/// [`Error::BadSetting`] when the prior is too large for the gamma function.
fn dirichlet_multinomial(counts: &[u64], shares: &[f64], prior: &[f64]) -> Result<f64> {
    let all: f64 = prior.iter().sum();
    let parts = counts.iter().zip(shares).zip(prior);
    let sum: f64 = parts
        .map(|((count, share), a)| {
            let n = *count as f64;
            ln_gamma(a + n) - ln_gamma(*a) - n * share.ln()
        })
        .sum();
    let log = ln_gamma(all) - ln_gamma(all + total(counts)) + sum;
    if log.is_finite() { Ok(log) } else { Err(Error::BadSetting) }
}

/// ln BF over the steps of a ramp: one factor per step over the visitors first exposed in it, multiplied. Each factor
/// starts at 1 where the one before stopped, so the product stays a martingale.
///
/// # Errors
/// As [`log_bayes_factor`].
pub fn log_bayes_factor_by_step<'a>(steps: impl IntoIterator<Item = (&'a [u64], &'a [f64])>) -> Result<f64> {
    steps.into_iter().map(|(counts, weights)| log_bayes_factor(counts, weights)).sum()
}

/// min(1, 1/BF) at this look; report the [`crate::sequential::RunningP`] over the looks.
#[must_use]
pub fn p_value(log_bayes_factor: f64) -> f64 {
    (-log_bayes_factor).exp().min(1.0)
}

/// Whether the sequential test raises the alarm.
#[must_use]
pub fn is_alarm(log_bayes_factor: f64) -> bool {
    log_bayes_factor >= ALARM_BAYES_FACTOR.ln()
}
