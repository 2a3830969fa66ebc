//! The false-alarm chance divided over a fleet.

use crate::error::{Error, Result, chance};

/// Who may spend how much of one false-alarm chance. By the union bound the parts together stay within it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// For the test on counters summed over the fleet.
    pub summed: f64,
    /// For each instance's own fuse, which works with the store down.
    pub each: f64,
}

impl Budget {
    /// Half of `alpha` for the summed test, the other half spread over `instances`. A single instance has nothing to
    /// sum: its own test gets all of it.
    ///
    /// # Errors
    /// [`Error::BadChance`] unless 0 < alpha < 1, [`Error::BadSetting`] without an instance.
    pub fn divide(alpha: f64, instances: u32) -> Result<Self> {
        let alpha = chance(alpha)?;
        match instances {
            0 => Err(Error::BadSetting),
            1 => Ok(Self { summed: 0.0, each: alpha }),
            _ => Ok(Self { summed: alpha / 2.0, each: alpha / 2.0 / f64::from(instances) }),
        }
    }
}
