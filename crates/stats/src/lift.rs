//! The relative lift t/c − 1, by the method that fits the counts.

use crate::error::{Error, Result};
use crate::level::{Estimate, Interval, Level};
use crate::quantile;

/// Control conversions below which the delta method's symmetric interval is too short on one side, and Katz's is
/// used instead.
pub const KATZ_BELOW: u64 = 100;

/// How an interval of the lift was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Symmetric, [`Estimate::lift`].
    Delta,
    /// Symmetric on the logarithm of the risk ratio, [`katz`].
    Katz,
}

/// A lift and its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lift {
    /// t/c − 1: 0.1 is ten percent more.
    pub value: f64,
    /// The interval of the lift.
    pub interval: Interval,
    /// How the interval was made.
    pub method: Method,
}

/// The lift of two rates, also where they are combined over steps: Katz below [`KATZ_BELOW`] control conversions, the delta method above.
///
/// # Errors
/// [`Error::NoBase`] when an arm has no conversion: then only the absolute difference says anything.
/// [`Error::NoSpread`] when everybody converted, [`Error::BadChance`] unless 0 < alpha < 1.
pub fn of_levels(t: &Level, c: &Level, control_conversions: u64, alpha: f64) -> Result<Lift> {
    if control_conversions < KATZ_BELOW {
        let ratio = katz(t, c, alpha)?;
        let interval = Interval { low: ratio.low - 1.0, high: ratio.high - 1.0 };
        return Ok(Lift { value: (t.mean - c.mean) / c.mean, interval, method: Method::Katz });
    }
    if t.mean.is_nan() || t.mean <= 0.0 {
        return Err(Error::NoBase);
    }
    let estimate = Estimate::lift(t, c)?;
    let interval = estimate.normal_interval(alpha)?;
    Ok(Lift { value: estimate.value(), interval, method: Method::Delta })
}

/// The interval of the risk ratio t/c: exp(ln RR ± z√(v_t/t² + v_c/c²)), for two proportions
/// exp(ln RR ± z√(1/x_t − 1/n_t + 1/x_c − 1/n_c)) (Katz, Baptista, Azen, Pike 1978, *Biometrics* 34:469).
///
/// # Errors
/// [`Error::NoBase`] when a level is not above 0, [`Error::NoSpread`] when neither arm varies,
/// [`Error::BadChance`] unless 0 < alpha < 1.
pub fn katz(t: &Level, c: &Level, alpha: f64) -> Result<Interval> {
    let positive = |level: &Level| level.mean > 0.0 && level.mean.is_finite();
    if !(positive(t) && positive(c)) {
        return Err(Error::NoBase);
    }
    let std_err = (t.variance / (t.mean * t.mean) + c.variance / (c.mean * c.mean)).sqrt();
    if std_err.is_nan() || std_err <= 0.0 {
        return Err(Error::NoSpread);
    }
    let (ratio, reach) = (t.mean / c.mean, quantile::normal_critical(alpha)? * std_err);
    Ok(Interval { low: ratio * (-reach).exp(), high: ratio * reach.exp() })
}
