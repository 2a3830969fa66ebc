//! Two means: Welch's test.

use crate::error::Result;
use crate::level::Estimate;
use crate::tally::Moments;

/// The difference of two means with Welch's standard error √(s_t²/n_t + s_c²/n_c) and Satterthwaite's degrees of
/// freedom (Welch 1947, *Biometrika* 34:28); test and interval by Student's t are on the [`Estimate`].
///
/// # Errors
/// [`crate::Error::TooFew`] below two visitors in an arm, [`crate::Error::NoSpread`] when neither arm varies.
pub fn welch(t: &Moments, c: &Moments) -> Result<Estimate> {
    Estimate::difference(&t.level()?, &c.level()?)
}
