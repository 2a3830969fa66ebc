//! What is known of one arm: counts and sums, small enough to copy.

use crate::error::{Error, Result};
use crate::level::Level;

/// The part of a sum of squares below which spread is indistinguishable from none, at the least.
const ROUNDING: f64 = 1e-12;

/// The part that rounding may make of the sums of `n` values, added up one by one: about n·ε (Higham 2002, *Accuracy
/// and Stability of Numerical Algorithms*, §4.2).
fn rounding(n: u64) -> f64 {
    (n as f64 * f64::EPSILON).max(ROUNDING)
}

/// Converters among visitors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proportion {
    n: u64,
    x: u64,
}

impl Proportion {
    /// `x` converters among `n` visitors.
    ///
    /// # Errors
    /// [`Error::NoVisitors`] when n is 0, [`Error::Impossible`] when x exceeds n.
    pub fn new(n: u64, x: u64) -> Result<Self> {
        match n {
            0 => Err(Error::NoVisitors),
            _ if x > n => Err(Error::Impossible),
            _ => Ok(Self { n, x }),
        }
    }

    /// Visitors, at least 1.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Converters, at most n.
    #[must_use]
    pub fn x(&self) -> u64 {
        self.x
    }

    /// x/n, 0 to 1.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.x as f64 / self.n as f64
    }

    /// p(1 − p), the variance of one visitor.
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.rate() * ((self.n - self.x) as f64 / self.n as f64)
    }

    /// The rate with its variance p(1 − p)/n.
    #[must_use]
    pub fn level(&self) -> Level {
        Level::of(self.n, self.rate(), self.variance())
    }
}

/// Count, sum and sum of squares of a value per visitor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    n: u64,
    sum: f64,
    sum_sq: f64,
}

impl Moments {
    /// `n` visitors whose values add up to `sum` and whose squares to `sum_sq`.
    ///
    /// # Errors
    /// [`Error::NoVisitors`] when n is 0, [`Error::NotFinite`] for NaN or infinity, [`Error::Impossible`] when
    /// sum_sq is below sum²/n by more than rounding explains.
    pub fn new(n: u64, sum: f64, sum_sq: f64) -> Result<Self> {
        if n == 0 {
            return Err(Error::NoVisitors);
        }
        let moments = Self { n, sum, sum_sq };
        let scatter = moments.scatter();
        if !(sum.is_finite() && sum_sq.is_finite() && scatter.is_finite()) {
            Err(Error::NotFinite)
        } else if sum_sq < 0.0 || scatter < -rounding(n) * sum_sq {
            Err(Error::Impossible)
        } else {
            Ok(moments)
        }
    }

    /// Visitors, at least 1.
    #[must_use]
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Σy.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// Σy².
    #[must_use]
    pub fn sum_sq(&self) -> f64 {
        self.sum_sq
    }

    /// Σy/n.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.sum / self.n as f64
    }

    /// Σy² − (Σy)²/n, as it comes.
    fn scatter(&self) -> f64 {
        self.sum_sq - self.sum * (self.sum / self.n as f64)
    }

    /// s² = (Σy² − (Σy)²/n)/(n − 1); 0 where rounding is all there is.
    ///
    /// # Errors
    /// [`Error::TooFew`] below two visitors.
    pub fn variance(&self) -> Result<f64> {
        if self.n < 2 {
            return Err(Error::TooFew);
        }
        let scatter = self.scatter();
        let spread = if scatter <= rounding(self.n) * self.sum_sq { 0.0 } else { scatter };
        Ok(spread / (self.n - 1) as f64)
    }

    /// The mean with its variance s²/n.
    ///
    /// # Errors
    /// [`Error::TooFew`] below two visitors.
    pub fn level(&self) -> Result<Level> {
        Ok(Level::of(self.n, self.mean(), self.variance()?))
    }

    /// Both together.
    ///
    /// # Errors
    /// [`Error::NotFinite`] when the sums overflow.
    pub fn merge(&self, other: &Self) -> Result<Self> {
        Self::new(self.n.saturating_add(other.n), self.sum + other.sum, self.sum_sq + other.sum_sq)
    }
}

/// Two values per visitor, and how they move together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pairs {
    first: Moments,
    second: Moments,
    sum_product: f64,
}

impl Pairs {
    /// Two values of the same visitors with the sum of their products.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for NaN or infinity, [`Error::Impossible`] when the counts differ or the covariance
    /// exceeds what the variances allow (Cauchy and Schwarz).
    pub fn new(first: Moments, second: Moments, sum_product: f64) -> Result<Self> {
        let pairs = Self { first, second, sum_product };
        let co = pairs.co_scatter();
        if !(sum_product.is_finite() && co.is_finite()) {
            return Err(Error::NotFinite);
        }
        let slack = rounding(first.n) * (first.sum_sq * second.sum_sq).sqrt();
        let most = (first.scatter().max(0.0) * second.scatter().max(0.0)).sqrt();
        if first.n != second.n || co.abs() > most * (1.0 + 1e-9) + slack {
            return Err(Error::Impossible);
        }
        Ok(pairs)
    }

    /// The first value: after (CUPED), numerator (ratio).
    #[must_use]
    pub fn first(&self) -> &Moments {
        &self.first
    }

    /// The second value: before (CUPED), denominator (ratio).
    #[must_use]
    pub fn second(&self) -> &Moments {
        &self.second
    }

    /// Σab − Σa·Σb/n.
    fn co_scatter(&self) -> f64 {
        self.sum_product - self.first.sum * (self.second.sum / self.first.n as f64)
    }

    /// (Σab − Σa·Σb/n)/(n − 1).
    ///
    /// # Errors
    /// [`Error::TooFew`] below two visitors.
    pub fn covariance(&self) -> Result<f64> {
        match self.first.n {
            0 | 1 => Err(Error::TooFew),
            n => Ok(self.co_scatter() / (n - 1) as f64),
        }
    }

    /// Both together.
    ///
    /// # Errors
    /// [`Error::NotFinite`] when the sums overflow.
    pub fn merge(&self, other: &Self) -> Result<Self> {
        let product = self.sum_product + other.sum_product;
        Self::new(self.first.merge(&other.first)?, self.second.merge(&other.second)?, product)
    }
}
