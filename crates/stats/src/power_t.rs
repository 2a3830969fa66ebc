//! Power of the two-sample t-test.

use crate::error::{Error, Result, positive};
use crate::quantile::{normal_cdf, student_critical};

/// Steps of Simpson's rule, even.
const STEPS: u32 = 4000;

/// Standard deviations of the scale that are integrated over.
const REACH: f64 = 12.0;

/// The chance that a two-sided t-test at `alpha` with `n` visitors per arm finds a difference of `d` standard
/// deviations: the noncentral t with ν = 2n − 2 and δ = d√(n/2) beyond ±t_{1 − α/2} (Cohen 1988, ch. 2).
///
/// # Errors
/// [`Error::BadChance`] unless 0 < alpha < 1, [`Error::BadSetting`] unless n is above 0, [`Error::TooFew`] unless
/// n ≥ 1.5, [`Error::NotFinite`] when d is not a number.
pub fn power(d: f64, n: f64, alpha: f64) -> Result<f64> {
    let df = 2.0 * positive(n)? - 2.0;
    let shift = d * (n / 2.0).sqrt();
    if !shift.is_finite() {
        return Err(Error::NotFinite);
    }
    if df < 1.0 {
        return Err(Error::TooFew);
    }
    let t = student_critical(alpha, df)?;
    Ok(over_scale(df, |s| normal_cdf(shift - t * s) + normal_cdf(-shift - t * s)).clamp(0.0, 1.0))
}

/// The mean of `f(s)` where s² is a chi-square over its degrees of freedom (Johnson, Kotz, Balakrishnan 1995,
/// *Continuous Univariate Distributions* 2, ch. 31), by Simpson's rule. The density ∝ s^{ν−1}e^{−νs²/2} is
/// normalised by the same rule, which spares the gamma function at large ν.
fn over_scale(df: f64, f: impl Fn(f64) -> f64) -> f64 {
    let reach = REACH / (2.0 * df).sqrt();
    let (low, high) = ((1.0 - reach).max(0.0), 1.0 + reach);
    let log_density = |s: f64| if df > 1.0 { (df - 1.0) * s.ln() } else { 0.0 } - df * (s * s - 1.0) / 2.0;
    let (mut sum, mut mass) = (0.0, 0.0);
    for step in 0..=STEPS {
        let s = low + (high - low) * f64::from(step) / f64::from(STEPS);
        let simpson = if step == 0 || step == STEPS { 1.0 } else { f64::from(2 + 2 * (step % 2)) };
        let weight = simpson * log_density(s).exp();
        mass += weight;
        sum += weight * f(s);
    }
    sum / mass
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With no effect the power is the false-alarm chance.
    #[test]
    fn no_effect_gives_alpha() {
        for n in [1.5, 2.0, 3.0, 10.0, 1000.0, 1e6, 1e9] {
            let got = power(0.0, n, 0.05).unwrap();
            assert!((got - 0.05).abs() < 1e-6, "{n}: {got}");
        }
    }

    #[test]
    fn nonsense_is_named() {
        assert_eq!(power(0.5, 1.0, 0.05), Err(Error::TooFew));
        assert_eq!(power(f64::NAN, 10.0, 0.05), Err(Error::NotFinite));
        assert_eq!(power(0.5, f64::NAN, 0.05), Err(Error::BadSetting));
        assert_eq!(power(0.5, 10.0, 1.0), Err(Error::BadChance));
    }
}
