//! What is fixed before anyone looks.

use std::fmt;

use flagstaff_stats::sequential::{ALPHA, PLANNED, Sequence};

/// Chance of finding an effect that is there, for plans.
pub(crate) const POWER: f64 = 0.8;
/// The lift worth knowing about by default: a tenth more.
const WORTHWHILE: f64 = 0.1;

/// How sure is sure, and what for. To be fixed before the start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AnalysisSettings {
    sequence: Sequence,
    worthwhile: f64,
}

impl Default for AnalysisSettings {
    fn default() -> Self {
        Self { sequence: Sequence::default(), worthwhile: WORTHWHILE }
    }
}

impl AnalysisSettings {
    /// `alpha`: the chance to err, 0.05 by default. `planned`: the number of visitors, all variants together, at which
    /// the always-valid test is sharpest, 5,000 by default. `worthwhile`: the relative lift that would matter, 0.1 by
    /// default.
    ///
    /// # Errors
    /// Unless alpha lies between 0 and ½, planned is at least 1, and worthwhile is above 0 and finite.
    pub fn new(alpha: Option<f64>, planned: Option<f64>, worthwhile: Option<f64>) -> Result<Self, SettingsError> {
        let (alpha, planned) = (alpha.unwrap_or(ALPHA), planned.unwrap_or(PLANNED));
        let worthwhile = worthwhile.unwrap_or(WORTHWHILE);
        if !(alpha > 0.0 && alpha < 0.5) {
            return Err(SettingsError::Alpha);
        }
        let sequence = Sequence::new(alpha, planned).map_err(|_| SettingsError::Planned)?;
        if worthwhile > 0.0 && worthwhile.is_finite() {
            Ok(Self { sequence, worthwhile })
        } else {
            Err(SettingsError::Worthwhile)
        }
    }

    /// The chance to err.
    #[must_use]
    pub fn alpha(&self) -> f64 {
        self.sequence.alpha()
    }

    /// The relative lift that would matter.
    #[must_use]
    pub fn worthwhile(&self) -> f64 {
        self.worthwhile
    }

    pub(crate) fn sequence(&self) -> &Sequence {
        &self.sequence
    }
}

/// A setting that makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingsError {
    /// The chance to err.
    Alpha,
    /// The planned number of visitors.
    Planned,
    /// The lift that would matter.
    Worthwhile,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alpha => "alpha, the chance to err, lies above 0 and below 0.5, such as 0.05",
            Self::Planned => "the planned number of visitors is at least 1",
            Self::Worthwhile => "the lift that would matter is above 0, such as 10%",
        })
    }
}

impl std::error::Error for SettingsError {}
