//! Visitors needed, and the smallest effect that can be seen.
//!
//! Sizes come unrounded; round up before showing them.

use crate::error::{Error, Result, chance};
use crate::quantile::{normal_critical, normal_quantile};
use crate::root::bisect;
use crate::sequential::Sequence;

/// The chances a test is planned with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aim {
    alpha: f64,
    power: f64,
    z_alpha: f64,
    z_power: f64,
}

impl Aim {
    /// A two-sided false alarm with chance `alpha`, a true effect found with chance `power`.
    ///
    /// # Errors
    /// [`Error::BadChance`] unless both lie between 0 and 1 and power exceeds alpha.
    pub fn new(alpha: f64, power: f64) -> Result<Self> {
        let (z_alpha, z_power) = (normal_critical(alpha)?, normal_quantile(power)?);
        if power <= alpha {
            return Err(Error::BadChance);
        }
        Ok(Self { alpha, power, z_alpha, z_power })
    }

    /// Two-sided significance level.
    #[must_use]
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// Chance of finding a true effect.
    #[must_use]
    pub fn power(&self) -> f64 {
        self.power
    }
}

/// Two different rates, each inside 0 to 1.
fn rates(base: f64, target: f64) -> Result<(f64, f64)> {
    let (base, target) = (chance(base)?, chance(target)?);
    if base == target { Err(Error::OutOfReach) } else { Ok((base, target)) }
}

/// Visitors per arm to tell rate `target` from rate `base`, arms alike, without pooling (Fleiss, Levin, Paik 2003, *Statistical Methods
/// for Rates and Proportions*, ch. 4): (z_α + z_β)²(p_cq_c + p_tq_t)/d².
///
/// # Errors
/// [`Error::BadChance`] unless both rates lie inside 0 to 1, [`Error::OutOfReach`] when they are equal.
pub fn per_arm(base: f64, target: f64, aim: &Aim) -> Result<f64> {
    let (c, t) = rates(base, target)?;
    let variance = c * (1.0 - c) + t * (1.0 - t);
    sized(variance * ((aim.z_alpha + aim.z_power) / (t - c)).powi(2))
}

/// Visitors of both arms together after which a test that may be read at any time finds a difference with chance `power`, however often
/// it is read. `score` is the difference of two arms of one visitor together, over its standard error: d/√(σ²(1/w + 1/(1 − w))), w being
/// the treatment's share. `tests` share alpha (Bonferroni). It is the N at which score·√N = b(N) + z_power, b(N) being the number of
/// standard errors that [`Sequence::p_value`] asks for. Who reads earlier too finds it more often still.
///
/// # Errors
/// [`Error::OutOfReach`] for a score of 0 or one that is no number, or when no number of visitors is enough, [`Error::BadChance`] unless 0 < power < 1,
/// [`Error::BadSetting`] unless there is one test or more.
pub fn at_any_time(score: f64, sequence: &Sequence, tests: f64, power: f64) -> Result<f64> {
    let (score, z_power) = (score.abs(), normal_quantile(power)?);
    if tests.is_nan() || tests < 1.0 {
        return Err(Error::BadSetting);
    }
    if score.is_nan() || score <= 0.0 {
        return Err(Error::OutOfReach);
    }
    // at the root, score·√N grows faster than b(N), so there is one root only; it is looked for among the powers of e
    let missing = |log: f64| sequence.boundary(log.exp(), tests) + z_power - score * (log / 2.0).exp();
    let most = MOST_VISITORS.ln();
    if missing(most) > 0.0 {
        return Err(Error::OutOfReach);
    }
    sized(bisect(0.0, most, missing).exp())
}

/// More visitors than anybody has.
const MOST_VISITORS: f64 = 1e18;

/// A number of visitors, where it can be had.
fn sized(n: f64) -> Result<f64> {
    if n.is_finite() { Ok(n) } else { Err(Error::OutOfReach) }
}

/// The smallest rise above rate `base` that `n` visitors per arm can see, as an absolute difference: the root of
/// [`per_arm`] = n.
///
/// # Errors
/// [`Error::BadChance`] unless base lies inside 0 to 1, [`Error::OutOfReach`] when even the rise to 1 needs more
/// visitors, [`Error::BadSetting`] unless n is above 0.
pub fn smallest_rise(base: f64, n: f64, aim: &Aim) -> Result<f64> {
    let base = chance(base)?;
    let n = crate::error::positive(n)?;
    let spread = |rate: f64| rate * (1.0 - rate);
    // falls as the target rises: its slope has the sign of −p_t(1 − p_c) − p_c(1 − p_t) − 2p_cq_c
    let needed = |rise: f64| (spread(base) + spread(base + rise)) * ((aim.z_alpha + aim.z_power) / rise).powi(2);
    let most = 1.0 - base;
    if needed(most) > n {
        return Err(Error::OutOfReach);
    }
    Ok(bisect(0.0, most, |rise| if rise > 0.0 { needed(rise) - n } else { f64::INFINITY }))
}
