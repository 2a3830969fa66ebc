//! CUPED: less noise by what was known of a visitor before.
//!
//! Deng, Xu, Kohavi, Walker 2013, "Improving the sensitivity of online controlled experiments by utilizing
//! pre-experiment data", WSDM. In each [`Pairs`] the first value is after exposure, the second before.

use crate::error::{Error, Result};
use crate::level::Level;
use crate::tally::Pairs;

/// θ = cov(post, pre)/var(pre), over both arms taken together.
///
/// # Errors
/// [`Error::NoSpread`] when the value before doesn't vary, [`Error::TooFew`] below two visitors.
pub fn theta(t: &Pairs, c: &Pairs) -> Result<f64> {
    let both = t.merge(c)?;
    let variance = both.second().variance()?;
    if variance > 0.0 { Ok(both.covariance()? / variance) } else { Err(Error::NoSpread) }
}

/// An arm's mean of post − θ·pre, with the variance var_post + θ²·var_pre − 2θ·cov of one visitor.
///
/// # Errors
/// [`Error::TooFew`] below two visitors, [`Error::NotFinite`] when theta is not a number.
pub fn level(arm: &Pairs, theta: f64) -> Result<Level> {
    if !theta.is_finite() {
        return Err(Error::NotFinite);
    }
    let mean = arm.first().mean() - theta * arm.second().mean();
    let (post, pre) = (arm.first().variance()?, arm.second().variance()?);
    let variance = post + theta * theta * pre - 2.0 * theta * arm.covariance()?;
    Ok(Level::of(arm.first().n(), mean, variance.max(0.0)))
}
