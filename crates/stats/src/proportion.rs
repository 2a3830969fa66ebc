//! Two proportions at the planned end.

use crate::error::{Error, Result, chance};
use crate::level::Interval;
use crate::quantile;
use crate::tally::Proportion;

/// A z score and its two-sided p-value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ZTest {
    /// Standard errors away from no difference; above 0 where treatment is higher.
    pub z: f64,
    /// Two-sided p-value, 0 to 1.
    pub p_value: f64,
}

/// z = (p_t − p_c)/√(p̄q̄(1/n_t + 1/n_c)) with the pooled p̄, without continuity correction
/// (Fleiss, Levin, Paik 2003, *Statistical Methods for Rates and Proportions*, ch. 3).
///
/// # Errors
/// [`Error::NoSpread`] when nobody or everybody converted.
pub fn z_test(t: &Proportion, c: &Proportion) -> Result<ZTest> {
    let (n_t, n_c) = (t.n() as f64, c.n() as f64);
    let pooled = (t.x() as f64 + c.x() as f64) / (n_t + n_c);
    let variance = pooled * (1.0 - pooled) * (1.0 / n_t + 1.0 / n_c);
    score(t.rate() - c.rate(), variance)
}

/// A difference over its standard error under the null.
pub(crate) fn score(difference: f64, variance: f64) -> Result<ZTest> {
    if variance.is_nan() || variance <= 0.0 {
        return Err(Error::NoSpread);
    }
    let z = difference / variance.sqrt();
    Ok(ZTest { z, p_value: quantile::normal_two_sided(z) })
}

/// Wilson's score interval of one rate (Wilson 1927, *JASA* 22; as in Newcombe 1998a, method 3). Always inside
/// 0 to 1, and never empty, at 0 and n converters too.
///
/// # Errors
/// [`Error::BadChance`] unless 0 < alpha < 1.
pub fn wilson(arm: &Proportion, alpha: f64) -> Result<Interval> {
    let (n, p) = (arm.n() as f64, arm.rate());
    let z = quantile::normal_critical(alpha)?;
    let z2 = z * z;
    let scale = 1.0 + z2 / n;
    let centre = (p + z2 / (2.0 * n)) / scale;
    let reach = z * (arm.variance() / n + z2 / (4.0 * n * n)).sqrt() / scale;
    // the clamps undo rounding only, at x = 0 and x = n
    Ok(Interval { low: (centre - reach).clamp(0.0, p), high: (centre + reach).clamp(p, 1.0) })
}

/// The interval of p_t − p_c by Newcombe's hybrid score (Newcombe 1998, *Statistics in Medicine* 17:873, method 10):
/// from d − √((p_t − l_t)² + (u_c − p_c)²) to d + √((u_t − p_t)² + (p_c − l_c)²), l and u being Wilson's.
///
/// # Errors
/// [`Error::BadChance`] unless 0 < alpha < 1.
pub fn newcombe(t: &Proportion, c: &Proportion, alpha: f64) -> Result<Interval> {
    let (wide_t, wide_c) = (wilson(t, chance(alpha)?)?, wilson(c, alpha)?);
    let (p_t, p_c) = (t.rate(), c.rate());
    let difference = p_t - p_c;
    Ok(Interval {
        low: difference - (p_t - wide_t.low).hypot(wide_c.high - p_c),
        high: difference + (wide_t.high - p_t).hypot(p_c - wide_c.low),
    })
}
