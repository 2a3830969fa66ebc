//! Distributions: normal, Student's t, chi-square.
//!
//! Special functions are statrs's. Its Student quantile is wrong at large degrees of freedom (6 % at ten million),
//! so above [`STUDENT_EXPANSION`] the quantile is expanded around the normal one instead.

use std::f64::consts::SQRT_2;

use statrs::function::{beta, erf, gamma};

use crate::error::{Error, Result, chance, positive};
use crate::root::bisect;

/// Degrees of freedom from which Student's quantile is the normal one with a correction. There the first
/// neglected term is below 10⁻¹² for every quantile that occurs.
pub const STUDENT_EXPANSION: f64 = 1e4;

/// Degrees of freedom from which Student's tail is that of a transformed normal: there the transformation errs by
/// about 10⁻¹², the beta function, through lnΓ of large numbers, by more.
const STUDENT_TAIL_NORMAL: f64 = 1e6;

/// Φ(z), the chance that a standard normal lies at or below `z`. NaN stays NaN.
#[must_use]
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * erf::erfc(-z / SQRT_2)
}

/// 2·(1 − Φ(|z|)), the two-sided p-value of a z score, 0 to 1. NaN stays NaN.
#[must_use]
pub fn normal_two_sided(z: f64) -> f64 {
    erf::erfc(z.abs() / SQRT_2).min(1.0)
}

/// z with Φ(z) = `p`.
///
/// # Errors
/// [`Error::BadChance`] unless 0 < p < 1.
pub fn normal_quantile(p: f64) -> Result<f64> {
    Ok(-SQRT_2 * erf::erfc_inv(2.0 * chance(p)?))
}

/// z_{1 − α/2}, how many standard errors a two-sided interval reaches.
///
/// # Errors
/// [`Error::BadChance`] unless 0 < alpha < 1.
pub fn normal_critical(alpha: f64) -> Result<f64> {
    Ok(-normal_quantile(chance(alpha)? / 2.0)?)
}

/// The two-sided p-value of Student's t with `df` degrees of freedom: I_{ν/(ν + t²)}(ν/2, ½)
/// (Abramowitz & Stegun 26.7.1 with 26.5.27).
///
/// # Errors
/// [`Error::BadSetting`] unless df is above 0, [`Error::NotFinite`] when t is NaN.
pub fn student_two_sided(t: f64, df: f64) -> Result<f64> {
    let df = positive(df)?;
    if t.is_nan() {
        return Err(Error::NotFinite);
    }
    if df >= STUDENT_TAIL_NORMAL {
        return Ok(normal_two_sided(normal_from_student(t, df)));
    }
    let x = df / (df + t * t);
    beta::checked_beta_reg(df / 2.0, 0.5, x).map_or(Err(Error::NotFinite), |p| Ok(p.clamp(0.0, 1.0)))
}

/// z ≈ t(1 − 1/4ν)/√(1 + t²/2ν) (Abramowitz & Stegun 26.7.8).
fn normal_from_student(t: f64, df: f64) -> f64 {
    t * (1.0 - 0.25 / df) / (1.0 + t * t / (2.0 * df)).sqrt()
}

/// t_{1 − α/2, ν}, how many standard errors a two-sided interval reaches with `df` degrees of freedom.
///
/// # Errors
/// [`Error::BadChance`] unless 0 < alpha < 1, [`Error::BadSetting`] unless df is above 0.
pub fn student_critical(alpha: f64, df: f64) -> Result<f64> {
    let z = normal_critical(alpha)?;
    let df = positive(df)?;
    if df >= STUDENT_EXPANSION {
        return Ok(student_from_normal(z, df));
    }
    // t = √(ν(1 − x)/x) with I_x(ν/2, ½) = α; solved in ln t, where the tail is smooth at any ν.
    let tail = |ln_t: f64| student_two_sided(ln_t.exp(), df).unwrap_or(0.0) - alpha;
    Ok(bisect(LN_T_LOW, LN_T_HIGH, tail).exp())
}

/// Bounds of ln t that hold every critical value that occurs: t from 10⁻¹⁷ to 10¹³⁰.
const LN_T_LOW: f64 = -40.0;
const LN_T_HIGH: f64 = 300.0;

/// Cornish and Fisher's expansion of Student's quantile around the normal one (Abramowitz & Stegun 26.7.5),
/// to the third order.
fn student_from_normal(z: f64, df: f64) -> f64 {
    let (z2, z3) = (z * z, z * z * z);
    let first = (z3 + z) / 4.0;
    let second = (5.0 * z3 * z2 + 16.0 * z3 + 3.0 * z) / 96.0;
    let third = (3.0 * z3 * z2 * z2 + 19.0 * z3 * z2 + 17.0 * z3 - 15.0 * z) / 384.0;
    z + (first + (second + third / df) / df) / df
}

/// Degrees of freedom above which a chi-square is as good as normal; the series for the gamma function would not end.
const CHI_SQUARE_NORMAL: f64 = 1e7;

/// The chance that a chi-square with `df` degrees of freedom exceeds `x`: Q(ν/2, x/2)
/// (Abramowitz & Stegun 26.4.19); above 10⁷ degrees by the cube root (26.4.17, Wilson & Hilferty 1931).
///
/// # Errors
/// [`Error::BadSetting`] unless df is above 0, [`Error::NotFinite`] unless x is finite and not negative.
pub fn chi_square_upper(x: f64, df: f64) -> Result<f64> {
    let df = positive(df)?;
    if !(x.is_finite() && x >= 0.0) {
        return Err(Error::NotFinite);
    }
    if x == 0.0 {
        return Ok(1.0);
    }
    if df > CHI_SQUARE_NORMAL {
        let spread = 2.0 / (9.0 * df);
        return Ok(normal_cdf((1.0 - spread - (x / df).cbrt()) / spread.sqrt()));
    }
    gamma::checked_gamma_ur(df / 2.0, x / 2.0).map_or(Err(Error::NotFinite), |p| Ok(p.clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, want: f64, relative: f64) {
        assert!((got - want).abs() <= relative * want.abs(), "{got} is not {want}");
    }

    #[test]
    fn a_chi_square_of_many_degrees_is_nearly_normal() {
        let exact = chi_square_upper(1e7 + 3000.0, 1e7).unwrap();
        close(chi_square_upper(1e7 + 3001.0, 1e7 + 1.0).unwrap(), exact, 1e-4);
        // once NaN: the series gives up there
        assert_eq!(chi_square_upper(3.344_883_130_062_827_3e299, 1.446_622_135_108_453_6e306), Ok(1.0));
        assert_eq!(chi_square_upper(1e308, 1e8), Ok(0.0));
    }

    /// Normal ones from tables; Student's by bisection of the finite series for even ν (Abramowitz & Stegun 26.7.4).
    #[test]
    fn known_quantiles() {
        close(normal_critical(0.05).unwrap(), 1.959_963_984_540_054, 1e-14);
        close(normal_critical(0.001).unwrap(), 3.290_526_731_491_926, 1e-13);
        close(normal_quantile(0.8).unwrap(), 0.841_621_233_572_914, 1e-13);
        close(student_critical(0.05, 1.0).unwrap(), 12.706_204_736_174_7, 1e-13);
        close(student_critical(0.05, 10.0).unwrap(), 2.228_138_851_986_274_4, 1e-13);
        close(student_critical(0.01, 100.0).unwrap(), 2.625_890_521_438_019, 1e-12);
        close(student_critical(0.05, 9000.0).unwrap(), 1.960_227_605_081_348, 1e-11);
    }

    /// ν = 1 and ν = 2 have closed forms.
    #[test]
    fn closed_forms_of_student() {
        for alpha in [0.9, 0.5, 0.05, 1e-4, 1e-9] {
            close(student_critical(alpha, 1.0).unwrap(), 1.0 / (alpha * std::f64::consts::FRAC_PI_2).tan(), 1e-9);
            let upper = 1.0 - alpha / 2.0;
            let two = (2.0 * upper - 1.0) * (2.0 / (4.0 * upper * (1.0 - upper))).sqrt();
            close(student_critical(alpha, 2.0).unwrap(), two, 1e-6);
        }
    }

    #[test]
    fn the_quantile_is_smooth_where_the_method_changes() {
        for alpha in [0.5, 0.05, 0.001, 1e-6] {
            let below = student_critical(alpha, STUDENT_EXPANSION - 1e-3).unwrap();
            let above = student_critical(alpha, STUDENT_EXPANSION).unwrap();
            close(below, above, 1e-9);
        }
    }

    /// The trap: at ten million degrees of freedom the library's own quantile is 6 % off.
    #[test]
    fn large_degrees_of_freedom_approach_the_normal() {
        let z = normal_critical(0.05).unwrap();
        for df in [1e5, 1e6, 1e7, 1e9, 1e15, 1e300] {
            let t = student_critical(0.05, df).unwrap();
            assert!(t >= z && t - z < 10.0 / df + 1e-14, "{df}: {t}");
            close(student_two_sided(t, df).unwrap(), 0.05, 1e-7);
        }
    }

    #[test]
    fn the_tail_undoes_the_quantile() {
        for df in [1.0, 1.5, 3.0, 8.07, 30.0, 500.0, 9_999.0, 10_001.0, 1e5, 1e7, 1e8, 1e10] {
            for alpha in [0.99, 0.5, 0.1, 0.05, 0.01, 0.001, 1e-6] {
                let t = student_critical(alpha, df).unwrap();
                close(student_two_sided(t, df).unwrap(), alpha, 1e-7);
            }
        }
    }

    #[test]
    fn nonsense_is_named() {
        for bad in [0.0, 1.0, -0.1, f64::NAN, f64::INFINITY] {
            assert_eq!(normal_quantile(bad), Err(Error::BadChance));
            assert_eq!(student_critical(bad, 5.0), Err(Error::BadChance));
        }
        for df in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(student_critical(0.05, df), Err(Error::BadSetting));
            assert_eq!(chi_square_upper(1.0, df), Err(Error::BadSetting));
        }
        assert_eq!(student_two_sided(f64::NAN, 5.0), Err(Error::NotFinite));
        assert_eq!(student_two_sided(f64::INFINITY, 5.0), Ok(0.0));
        assert_eq!(chi_square_upper(f64::NAN, 1.0), Err(Error::NotFinite));
        assert_eq!(chi_square_upper(-1.0, 1.0), Err(Error::NotFinite));
    }
}
