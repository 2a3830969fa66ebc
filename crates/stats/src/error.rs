//! Why a number does not exist.

use std::fmt;

/// Why a statistic is undefined for what was given. Nothing in this crate panics on data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Error {
    /// An arm, or every stratum, is empty.
    NoVisitors,
    /// A variance needs at least two visitors.
    TooFew,
    /// Numbers that no data can have: more converters than visitors, a sum of squares below what the sum demands.
    Impossible,
    /// A value is NaN or infinite.
    NotFinite,
    /// The data does not vary, so there is no standard error to judge by.
    NoSpread,
    /// The control's level is zero or negative, so nothing can be said relative to it.
    NoBase,
    /// A probability (alpha, power, rate, quantile) lies outside the open interval 0 to 1.
    BadChance,
    /// A share lies outside the open interval 0 to 1, or shares and counts don't pair up.
    BadShare,
    /// A setting (planned size, prior, risk ratio, grid, degrees of freedom) lies outside its range.
    BadSetting,
    /// No effect of this size can be found: it would have to lie beyond 0 or 1.
    OutOfReach,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoVisitors => "no visitors yet",
            Self::TooFew => "fewer than two visitors",
            Self::Impossible => "counts or sums that no data can have",
            Self::NotFinite => "a value is not a finite number",
            Self::NoSpread => "the data does not vary",
            Self::NoBase => "the control's level is not above zero",
            Self::BadChance => "a probability must lie between 0 and 1",
            Self::BadShare => "shares must lie between 0 and 1 and pair up with the counts",
            Self::BadSetting => "a setting lies outside its range",
            Self::OutOfReach => "no effect of this size can be found",
        })
    }
}

impl std::error::Error for Error {}

/// The result of everything fallible here.
pub type Result<T> = std::result::Result<T, Error>;

/// `p` where it lies strictly between 0 and 1.
///
/// # Errors
/// [`Error::BadChance`] otherwise, NaN included.
pub(crate) fn chance(p: f64) -> Result<f64> {
    if p > 0.0 && p < 1.0 { Ok(p) } else { Err(Error::BadChance) }
}

/// `x` where it is finite and above zero.
///
/// # Errors
/// [`Error::BadSetting`] otherwise, NaN included.
pub(crate) fn positive(x: f64) -> Result<f64> {
    if x > 0.0 && x.is_finite() { Ok(x) } else { Err(Error::BadSetting) }
}

/// `w` where it can be a share of traffic that leaves something to compare with.
///
/// # Errors
/// [`Error::BadShare`] unless it lies strictly between 0 and 1.
pub(crate) fn share(w: f64) -> Result<f64> {
    if w > 0.0 && w < 1.0 { Ok(w) } else { Err(Error::BadShare) }
}
