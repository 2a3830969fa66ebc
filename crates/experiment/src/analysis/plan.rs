//! How many visitors it takes.

use std::fmt;

use flagstaff_stats::power::{Aim, at_any_time, per_arm};
use flagstaff_stats::sequential::{PLANNED, Sequence};
use flagstaff_stats::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::analysis::settings::POWER;

/// A test to be planned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// The control's rate, between 0 and 1.
    pub baseline: f64,
    /// The relative lift to be found: 0.1 is ten percent more; may be negative.
    pub lift: f64,
    /// The chance of a false alarm, of all variants together.
    pub alpha: f64,
    /// The chance of finding the lift where it is there.
    pub power: f64,
    /// Variants, the control among them; at least 2.
    pub variants: u32,
    /// Goals that are counted; at least 1.
    pub goals: u32,
    /// It will be read while it runs, so it takes more.
    pub read_daily: bool,
    /// The number of visitors, all variants together, at which the test for every day is sharpest.
    pub planned: f64,
    /// Visitors a day who take part, all variants together.
    pub per_day: Option<f64>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            baseline: 0.05,
            lift: 0.1,
            alpha: 0.05,
            power: POWER,
            variants: 2,
            goals: 1,
            read_daily: false,
            planned: PLANNED,
            per_day: None,
        }
    }
}

/// What it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Needed {
    /// Visitors per variant.
    pub per_variant: u64,
    /// Visitors of all variants.
    pub total: u64,
    /// Days, where the visitors a day are known.
    pub days: Option<u64>,
}

impl Plan {
    /// Visitors and days needed, variants of equal share. Several variants and goals share alpha (Bonferroni).
    ///
    /// # Errors
    /// [`PlanError`] with the setting that lies outside its range, or where no number of visitors is enough.
    pub fn needed(&self) -> std::result::Result<Needed, PlanError> {
        self.check()?;
        self.visitors().map_err(PlanError::Size)
    }

    /// Whether each setting lies in its range.
    fn check(&self) -> std::result::Result<(), PlanError> {
        let chance = |x: f64| x > 0.0 && x < 1.0;
        let found = self.baseline * (1.0 + self.lift);
        let settings = [
            (chance(self.baseline), "`baseline` lies above 0 and below 1, such as 0.05"),
            (self.lift.is_finite() && self.lift != 0.0, "`lift` is not 0, such as 0.1 or -0.1"),
            (chance(found), "`baseline` with `lift` upon it lies above 0 and below 1"),
            (chance(self.alpha), "`alpha` lies above 0 and below 1, such as 0.05"),
            (chance(self.power) && self.power > self.alpha, "`power` lies above `alpha` and below 1, such as 0.8"),
            (self.variants >= 2, "`variants` is at least 2, as the control is one"),
            (self.goals >= 1, "`goals` is at least 1"),
            (self.planned >= 1.0 && self.planned.is_finite(), "`planned` is at least 1 visitor"),
            (self.per_day.is_none_or(|n| n > 0.0 && n.is_finite()), "`per_day` is above 0 visitors"),
        ];
        settings.iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, range)| Err(PlanError::Setting(range)))
    }

    fn visitors(&self) -> Result<Needed> {
        let tests = f64::from(self.variants - 1) * f64::from(self.goals);
        let aim = Aim::new(self.alpha / tests, self.power)?;
        let fixed = per_arm(self.baseline, self.baseline * (1.0 + self.lift), &aim)?;
        let each = if self.read_daily { self.each_at_any_time(tests)?.max(fixed) } else { fixed }.ceil();
        let total = each * f64::from(self.variants);
        Ok(Needed {
            per_variant: whole(each),
            total: whole(total),
            days: self.per_day.map(|per_day| whole((total / per_day).ceil().max(1.0))),
        })
    }

    /// Visitors per variant of a test that is read while it runs.
    fn each_at_any_time(&self, tests: f64) -> Result<f64> {
        let (c, t) = (self.baseline, self.baseline * (1.0 + self.lift));
        // of two visitors, one in each: each arm has half of all
        let variance = 2.0 * (c * (1.0 - c) + t * (1.0 - t));
        let sequence = Sequence::new(self.alpha, self.planned)?;
        Ok(at_any_time((t - c) / variance.sqrt(), &sequence, tests, self.power)? / 2.0)
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative; casts saturate")]
fn whole(x: f64) -> u64 {
    x as u64
}

/// Why a plan cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanError {
    /// A setting lies outside its range, which is given here with its name.
    Setting(&'static str),
    /// No number of visitors is enough.
    Size(Error),
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting(range) => write!(f, "this cannot be planned: {range}"),
            Self::Size(error) => write!(f, "this cannot be planned: {error}"),
        }
    }
}

impl std::error::Error for PlanError {}
