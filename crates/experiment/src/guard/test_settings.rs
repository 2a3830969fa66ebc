//! What a watch is told to do.

use std::fmt;

use super::Sign;

/// What is watched, and how surely.
#[derive(Clone, Debug, PartialEq)]
pub struct GuardTestSettings {
    /// Names of the variants that are drawn, the control first; 2 to 256.
    pub arms: Vec<String>,
    /// Whether errors are watched.
    pub errors: bool,
    /// Whether slow answers are.
    pub slow: bool,
    /// Goals that are.
    pub goals: Vec<String>,
    /// Chance of a false alarm over the whole rollout, all signs and variants together, between 0 and 1.
    pub false_alarm: f64,
}

impl GuardTestSettings {
    /// What is looked at, each sign once, and the number of the last arm.
    pub(super) fn check(&self) -> Result<(Vec<Sign>, u8), GuardTestSettingsError> {
        let signs = self.signs();
        match u8::try_from(self.arms.len().saturating_sub(1)) {
            Err(_) | Ok(0) => Err(GuardTestSettingsError::Arms),
            _ if signs.is_empty() => Err(GuardTestSettingsError::Nothing),
            _ if !(self.false_alarm > 0.0 && self.false_alarm < 1.0) => Err(GuardTestSettingsError::FalseAlarm),
            Ok(last) => Ok((signs, last)),
        }
    }

    fn signs(&self) -> Vec<Sign> {
        let mut signs: Vec<Sign> = self.goals.iter().map(|name| Sign::Goal(name.clone())).collect();
        signs.extend(self.errors.then_some(Sign::Error));
        signs.extend(self.slow.then_some(Sign::Slow));
        signs.sort();
        signs.dedup();
        signs
    }
}

/// Why there can be no watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuardTestSettingsError {
    /// There are fewer than 2 arms, or more than 256.
    Arms,
    /// Nothing is to be watched.
    Nothing,
    /// The chance does not lie between 0 and 1.
    FalseAlarm,
}

impl fmt::Display for GuardTestSettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Arms => "a guard compares 2 to 256 variants",
            Self::Nothing => "a guard watches at least one of errors, slow answers and goals",
            Self::FalseAlarm => "the chance of a false alarm lies between 0 and 1",
        })
    }
}

impl std::error::Error for GuardTestSettingsError {}
