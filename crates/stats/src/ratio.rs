//! A ratio of two sums, such as revenue per order.

use crate::error::{Error, Result};
use crate::level::Level;
use crate::tally::Pairs;

/// M/D, the first value's mean over the second's, with the variance of one visitor
/// var_m/D² + M²·var_d/D⁴ − 2M·cov/D³ (Deng, Knoblich, Lu 2018, arXiv 1803.06336).
///
/// # Errors
/// [`Error::NoBase`] when the denominators don't add up to more than 0, [`Error::TooFew`] below two visitors.
pub fn level(arm: &Pairs) -> Result<Level> {
    Ok(Level::of(arm.first().n(), ratio(arm)?, unit_variance(arm)?))
}

/// M/D.
fn ratio(arm: &Pairs) -> Result<f64> {
    let below = arm.second().mean();
    if below > 0.0 { Ok(arm.first().mean() / below) } else { Err(Error::NoBase) }
}

/// The variance one visitor brings to the ratio.
///
/// # Errors
/// As [`level`].
pub fn unit_variance(arm: &Pairs) -> Result<f64> {
    let (ratio, below) = (ratio(arm)?, arm.second().mean());
    let (above_var, below_var) = (arm.first().variance()?, arm.second().variance()?);
    let variance = above_var + ratio * ratio * below_var - 2.0 * ratio * arm.covariance()?;
    // a quadratic form of a covariance matrix: below 0 by rounding only
    Ok(variance.max(0.0) / (below * below))
}
