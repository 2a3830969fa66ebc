//! Shares, in thousandths of a percent.

use std::fmt;

/// A share of units: 0 to 100 percent in steps of 0.001.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u32);

impl Percent {
    /// Nobody.
    pub const ZERO: Self = Self(0);
    /// Everybody.
    pub const ALL: Self = Self(Self::WHOLE);
    /// Positions in all: 100 percent in thousandths.
    pub const WHOLE: u32 = 100_000;

    /// A share from a number of percent.
    ///
    /// # Errors
    /// When the number is not within 0 to 100, not finite, or has more than three decimals.
    pub fn new(percent: f64) -> Result<Self, PercentError> {
        if !(0.0..=100.0).contains(&percent) {
            return Err(PercentError::OutOfRange);
        }
        let thousandths = (percent * 1000.0).round();
        // Binary fractions such as 0.1 miss their decimal by far less than this.
        if (percent * 1000.0 - thousandths).abs() > 1e-6 {
            return Err(PercentError::TooFine);
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100,000 by the check above")]
        Ok(Self(thousandths as u32))
    }

    /// The share in thousandths of a percent, 0 to 100,000; more is cut to everybody.
    #[must_use]
    pub const fn from_thousandths(thousandths: u32) -> Self {
        Self(if thousandths > Self::WHOLE { Self::WHOLE } else { thousandths })
    }

    /// The share in thousandths of a percent, 0 to 100,000.
    #[must_use]
    pub const fn thousandths(self) -> u32 {
        self.0
    }

    /// The share in percent, 0 to 100.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / 1000.0
    }

    /// Whether a position (0 to 99,999) falls within the share.
    #[must_use]
    pub const fn holds(self, position: u32) -> bool {
        position < self.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_f64())
    }
}

/// Why a number is not a valid share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PercentError {
    /// Below 0, above 100, or not a number.
    OutOfRange,
    /// More than three decimals.
    TooFine,
}

impl fmt::Display for PercentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutOfRange => "a percentage is between 0 and 100",
            Self::TooFine => "a percentage has at most three decimals",
        })
    }
}

impl std::error::Error for PercentError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_three_decimals_and_no_more() {
        assert_eq!(Percent::new(12.345).map(Percent::thousandths), Ok(12_345));
        assert_eq!(Percent::new(0.1).map(Percent::thousandths), Ok(100));
        assert_eq!(Percent::new(100.0), Ok(Percent::ALL));
        assert_eq!(Percent::new(0.0005), Err(PercentError::TooFine));
        for bad in [-0.001, 100.001, f64::NAN, f64::INFINITY] {
            assert_eq!(Percent::new(bad), Err(PercentError::OutOfRange), "{bad}");
        }
    }

    #[test]
    fn every_thousandth_survives_the_way_through_a_float() {
        for t in 0..=Percent::WHOLE {
            assert_eq!(Percent::new(f64::from(t) / 1000.0).map(Percent::thousandths), Ok(t));
        }
    }
}
