//! An arm's level, a difference or lift between two, an interval around it.
//!
//! Every estimator (rate, mean, ratio, adjusted mean, one step or several combined) ends in a [`Level`], so each
//! comparison and each test is written once.

use crate::error::{Error, Result};
use crate::quantile;

/// A range of values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end, not below `low`.
    pub high: f64,
}

impl Interval {
    /// `centre` ± `reach`.
    #[must_use]
    pub fn around(centre: f64, reach: f64) -> Self {
        Self { low: centre - reach, high: centre + reach }
    }

    /// Whether `value` lies inside, ends included.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// Its width.
    #[must_use]
    pub fn width(&self) -> f64 {
        self.high - self.low
    }
}

/// What an arm is estimated to be at, and how surely.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    pub(crate) n: f64,
    pub(crate) mean: f64,
    pub(crate) variance: f64,
    pub(crate) df: f64,
}

impl Level {
    /// A mean of `n` visitors, each with variance `unit`.
    pub(crate) fn of(n: u64, mean: f64, unit: f64) -> Self {
        let n = n as f64;
        Self { n, mean, variance: unit / n, df: n - 1.0 }
    }

    /// Visitors it rests on.
    #[must_use]
    pub fn n(&self) -> f64 {
        self.n
    }

    /// The estimate: a rate, mean or ratio.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The variance of the estimate (not of one visitor).
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.variance
    }

    /// Treatment and control, with a variance of one visitor that is at least that of both together,
    /// ((n_t − 1)s_t² + (n_c − 1)s_c²)/(n_t + n_c − 2). For means of what is mostly small and seldom large: the few visitors of a small
    /// arm mostly lack the seldom ones, so their mean and its variance are too small at once, and the arm looks worse beyond doubt.
    /// Variances only grow by it, so what errs with a chance of alpha errs no more often.
    #[must_use]
    pub fn at_least_pooled(t: &Self, c: &Self) -> (Self, Self) {
        let unit = |arm: &Self| arm.variance * arm.n;
        let pooled = (t.df * unit(t) + c.df * unit(c)) / (t.df + c.df);
        // where that is none, `max` keeps what there was
        let raised = |arm: &Self| Self { variance: unit(arm).max(pooled) / arm.n, ..*arm };
        (raised(t), raised(c))
    }

    /// v²/ν, this arm's part in Satterthwaite's denominator; none where it doesn't vary.
    pub(crate) fn satterthwaite(&self) -> f64 {
        if self.variance > 0.0 { self.variance * self.variance / self.df } else { 0.0 }
    }
}

/// A difference or lift with its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    value: f64,
    std_err: f64,
    df: f64,
    n: f64,
}

impl Estimate {
    /// A `value` with standard error `std_err`, `df` degrees of freedom, resting on `n` visitors of both arms.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for NaN or infinity, [`Error::NoSpread`] when the standard error is not above 0,
    /// [`Error::TooFew`] when df is not above 0 or n is below 2.
    pub fn new(value: f64, std_err: f64, df: f64, n: f64) -> Result<Self> {
        if !(value.is_finite() && std_err.is_finite() && df.is_finite() && n.is_finite()) {
            Err(Error::NotFinite)
        } else if std_err <= 0.0 {
            Err(Error::NoSpread)
        } else if df <= 0.0 || n < 2.0 {
            Err(Error::TooFew)
        } else {
            Ok(Self { value, std_err, df, n })
        }
    }

    /// t − c. Variances add; degrees of freedom by Satterthwaite (Welch 1947, *Biometrika* 34):
    /// (v_t + v_c)²/(v_t²/ν_t + v_c²/ν_c).
    ///
    /// # Errors
    /// [`Error::NoSpread`] when neither arm varies.
    pub fn difference(t: &Level, c: &Level) -> Result<Self> {
        let variance = t.variance + c.variance;
        Self::new(t.mean - c.mean, variance.sqrt(), welch_df(t, c)?, t.n + c.n)
    }

    /// The lift t/c − 1 by the delta method: v_t/c² + t²·v_c/c⁴ (Deng, Knoblich, Lu 2018, arXiv 1803.06336, for
    /// percent change).
    ///
    /// # Errors
    /// [`Error::NoBase`] when the control's level is not above 0, [`Error::NoSpread`] when neither arm varies.
    pub fn lift(t: &Level, c: &Level) -> Result<Self> {
        if c.mean.is_nan() || c.mean <= 0.0 {
            return Err(Error::NoBase);
        }
        let ratio = t.mean / c.mean;
        let variance = (t.variance + ratio * ratio * c.variance) / (c.mean * c.mean);
        // (t − c)/c, not t/c − 1: keeps its digits when the arms are close
        Self::new((t.mean - c.mean) / c.mean, variance.sqrt(), welch_df(t, c)?, t.n + c.n)
    }

    /// The estimate itself.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.value
    }

    /// Its standard error, above 0.
    #[must_use]
    pub fn std_err(&self) -> f64 {
        self.std_err
    }

    /// Welch and Satterthwaite's degrees of freedom, above 0.
    #[must_use]
    pub fn df(&self) -> f64 {
        self.df
    }

    /// Visitors of both arms together.
    #[must_use]
    pub fn n(&self) -> f64 {
        self.n
    }

    /// Value over standard error.
    #[must_use]
    pub fn score(&self) -> f64 {
        self.value / self.std_err
    }

    /// Value ± z·SE.
    ///
    /// # Errors
    /// [`Error::BadChance`] unless 0 < alpha < 1.
    pub fn normal_interval(&self, alpha: f64) -> Result<Interval> {
        Ok(Interval::around(self.value, quantile::normal_critical(alpha)? * self.std_err))
    }

    /// Two-sided p-value against 0 by the normal distribution.
    #[must_use]
    pub fn normal_p(&self) -> f64 {
        quantile::normal_two_sided(self.score())
    }

    /// Value ± t·SE.
    ///
    /// # Errors
    /// [`Error::BadChance`] unless 0 < alpha < 1.
    pub fn student_interval(&self, alpha: f64) -> Result<Interval> {
        Ok(Interval::around(self.value, quantile::student_critical(alpha, self.df)? * self.std_err))
    }

    /// Two-sided p-value against 0 by Student's t.
    #[must_use]
    pub fn student_p(&self) -> f64 {
        // the constructor holds df above 0 and the score a number
        quantile::student_two_sided(self.score(), self.df).unwrap_or(1.0)
    }
}

/// Satterthwaite's degrees of freedom of a difference.
fn welch_df(t: &Level, c: &Level) -> Result<f64> {
    let variance = t.variance + c.variance;
    let denominator = t.satterthwaite() + c.satterthwaite();
    // squares of tiny variances underflow before they vanish
    if variance > 0.0 && denominator > 0.0 { Ok(variance * variance / denominator) } else { Err(Error::NoSpread) }
}
