//! How many visitors it takes.

use flagstaff_stats::power::{Aim, SEQUENTIAL_FACTOR, per_arm};
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
    /// It will be read while it runs, so it may take up to twice as many.
    pub read_daily: bool,
    /// Visitors a day who take part, all variants together.
    pub per_day: Option<f64>,
}

impl Default for Plan {
    fn default() -> Self {
        Self { baseline: 0.05, lift: 0.1, alpha: 0.05, power: POWER, variants: 2, read_daily: false, per_day: None }
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
    /// Visitors and days needed, variants of equal share. Several variants share alpha (Bonferroni).
    ///
    /// # Errors
    /// [`Error::BadChance`] unless baseline, alpha, power and the rate to be found lie between 0 and 1,
    /// [`Error::OutOfReach`] for a lift of 0, [`Error::BadSetting`] below two variants or unless visitors a day are
    /// above 0.
    pub fn needed(&self) -> Result<Needed> {
        if self.variants < 2 || self.per_day.is_some_and(|n| n.is_nan() || n <= 0.0) {
            return Err(Error::BadSetting);
        }
        let aim = Aim::new(self.alpha / f64::from(self.variants - 1), self.power)?;
        let fixed = per_arm(self.baseline, self.baseline * (1.0 + self.lift), &aim)?;
        let each = (fixed * if self.read_daily { SEQUENTIAL_FACTOR } else { 1.0 }).ceil();
        let total = each * f64::from(self.variants);
        Ok(Needed {
            per_variant: whole(each),
            total: whole(total),
            days: self.per_day.map(|per_day| whole((total / per_day).ceil().max(1.0))),
        })
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative; casts saturate")]
fn whole(x: f64) -> u64 {
    x as u64
}
