//! Percentages in thousandths.

use std::fmt;

/// A percentage in thousandths of a percent: 0 to 100,000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u32);

impl Share {
    /// Nobody.
    pub const NOBODY: Self = Self(0);
    /// Everybody.
    pub const EVERYBODY: Self = Self(100_000);

    /// So many thousandths of a percent; more than everybody is everybody.
    #[must_use]
    pub fn thousandths(thousandths: u32) -> Self {
        Self(thousandths.min(100_000))
    }

    /// A percentage, rounded down to thousandths; what is below 0 or no number is nobody.
    #[must_use]
    pub fn percent(percent: f64) -> Self {
        // 1.005 percent is 1004.9999… thousandths in binary.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped; what is no number is 0")]
        Self((percent * 1000.0 + 1e-6).clamp(0.0, 100_000.0) as u32)
    }

    /// In thousandths of a percent.
    #[must_use]
    pub const fn as_thousandths(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Share {
    /// As the flag file has it: `12.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0 / 1000)?;
        match self.0 % 1000 {
            0 => Ok(()),
            rest => f.write_str(format!(".{rest:03}").trim_end_matches('0')),
        }
    }
}

/// Weights in any unit as shares that make 100 percent: each boundary is rounded down, and the last takes the rest. Where all are 0
/// or less, the first takes everything.
#[must_use]
pub fn weights(weights: &[f64]) -> Vec<Share> {
    let plain = |weight: f64| if weight.is_finite() { weight.max(0.0) } else { 0.0 };
    let total: f64 = weights.iter().copied().map(plain).sum();
    let mut sum = 0.0;
    let mut below = 0;
    let mut shares: Vec<Share> = weights
        .iter()
        .map(|weight| {
            sum += plain(*weight);
            let upto = if total > 0.0 { Share::percent(sum / total * 100.0).0 } else { 100_000 };
            Share(std::mem::replace(&mut below, upto).abs_diff(upto))
        })
        .collect();
    let last = weights.iter().rposition(|weight| plain(*weight) > 0.0);
    if let Some(share) = last.and_then(|last| shares.get_mut(last)) {
        share.0 += 100_000 - below.min(100_000);
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_is_rounded_down_and_written_short() {
        let written = |percent| Share::percent(percent).to_string();
        assert_eq!([written(12.5), written(1.005), written(100.0), written(0.0)], ["12.5", "1.005", "100", "0"]);
        assert_eq!([written(-1.0), written(f64::NAN), written(1e9), written(33.33349)], ["0", "0", "100", "33.333"]);
    }

    #[test]
    fn weights_make_a_hundred() {
        let text = |list: &[f64]| weights(list).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(text(&[1.0, 1.0, 1.0]), "33.333 33.333 33.334");
        assert_eq!(text(&[0.0, 3.0, 1.0, 0.0]), "0 75 25 0");
        assert_eq!(text(&[0.0, 0.0]), "100 0");
        assert_eq!(text(&[f64::NAN, -1.0, 1e300]), "0 0 100");
        assert_eq!(text(&[f64::MAX, f64::MAX]), "0 100");
    }
}
