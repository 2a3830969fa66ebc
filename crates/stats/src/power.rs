//! Visitors needed, and the smallest effect that can be seen.
//!
//! Sizes come unrounded; round up before showing them.

use crate::error::{Error, Result, chance, share};
use crate::quantile::{normal_cdf, normal_critical, normal_quantile};
use crate::root::bisect;

/// How much larger than a fixed-size test a test read at any time should be planned, at most.
pub const SEQUENTIAL_FACTOR: f64 = 2.0;

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

/// Under which variance the null is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variance {
    /// Each arm's own (Fleiss, Levin, Paik 2003, ch. 4, without pooling): (z_α + z_β)²(p_cq_c + p_tq_t)/d².
    Unpooled,
    /// Pooled under the null (Fleiss, Levin, Paik 2003, ch. 4): (z_α√(2p̄q̄) + z_β√(p_cq_c + p_tq_t))²/d².
    Pooled,
    /// The control's for both under the null (E. Miller's sample size calculator):
    /// (z_α√(2p_cq_c) + z_β√(p_cq_c + p_tq_t))²/d².
    Control,
    /// Arcsine (Cohen 1988, *Statistical Power Analysis*, ch. 6): h = 2asin√p_t − 2asin√p_c, both tails counted.
    Arcsine,
}

/// Two different rates, each inside 0 to 1.
fn rates(base: f64, target: f64) -> Result<(f64, f64)> {
    let (base, target) = (chance(base)?, chance(target)?);
    if base == target { Err(Error::OutOfReach) } else { Ok((base, target)) }
}

/// Visitors per arm to tell rate `target` from rate `base`, arms alike, by [`Variance::Unpooled`].
///
/// # Errors
/// [`Error::BadChance`] unless both rates lie inside 0 to 1, [`Error::OutOfReach`] when they are equal.
pub fn per_arm(base: f64, target: f64, aim: &Aim) -> Result<f64> {
    per_arm_by(Variance::Unpooled, base, target, aim)
}

/// Visitors per arm by a variance of choice.
///
/// # Errors
/// As [`per_arm`].
pub fn per_arm_by(variance: Variance, base: f64, target: f64, aim: &Aim) -> Result<f64> {
    let (c, t) = rates(base, target)?;
    let middle = (c + t) / 2.0;
    let own = c * (1.0 - c) + t * (1.0 - t);
    let null = match variance {
        Variance::Unpooled => own,
        Variance::Pooled => 2.0 * middle * (1.0 - middle),
        Variance::Control => 2.0 * c * (1.0 - c),
        Variance::Arcsine => return arcsine(c, t, aim),
    };
    let reach = aim.z_alpha * null.sqrt() + aim.z_power * own.sqrt();
    sized((reach / (t - c)).powi(2))
}

/// A number of visitors, where it can be had.
fn sized(n: f64) -> Result<f64> {
    if n.is_finite() { Ok(n) } else { Err(Error::OutOfReach) }
}

/// The arcsine size: n with Φ(h√(n/2) − z_α) + Φ(−h√(n/2) − z_α) equal to the power.
fn arcsine(c: f64, t: f64, aim: &Aim) -> Result<f64> {
    let h = (2.0 * t.sqrt().asin() - 2.0 * c.sqrt().asin()).abs();
    let power = |shift: f64| normal_cdf(shift - aim.z_alpha) + normal_cdf(-shift - aim.z_alpha);
    let shift = bisect(0.0, aim.z_alpha + aim.z_power.abs() + 1.0, |shift| power(shift) - aim.power);
    sized(2.0 * (shift / h).powi(2))
}

/// Visitors of both arms together when `treatment_share` of them get the treatment:
/// (z_α + z_β)²(p_cq_c/(1 − w) + p_tq_t/w)/d². At one half this is twice [`per_arm`].
///
/// # Errors
/// As [`per_arm`], and [`Error::BadShare`] unless 0 < share < 1.
pub fn total(base: f64, target: f64, treatment_share: f64, aim: &Aim) -> Result<f64> {
    let (c, t) = rates(base, target)?;
    let w = share(treatment_share)?;
    let variance = c * (1.0 - c) / (1.0 - w) + t * (1.0 - t) / w;
    sized(variance * ((aim.z_alpha + aim.z_power) / (t - c)).powi(2))
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
