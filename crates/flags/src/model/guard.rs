//! The rules by which a flag is watched.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::{Name, StatusSet};

/// What happens when a guard trips.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnTrip {
    /// The flag is rolled back.
    #[default]
    Off,
    /// The rollout stays where it is.
    Hold,
}

/// From when on an answer is slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlowerThan {
    /// A stated time to first byte.
    Time(Duration),
    /// The control's 95th percentile, frozen at the start of each step.
    ControlP95,
}

/// The rules by which a flag is watched, compared with visitors who do not have it, at the same time.
#[derive(Clone, Debug)]
pub struct Guard {
    /// Answers that count as errors.
    pub errors: Option<StatusSet>,
    /// Answers slower than this count as slow.
    pub slower_than: Option<SlowerThan>,
    /// Goals that must not fall.
    pub goals: Vec<Name>,
    /// This many visitors in a row with only errors trip it at once, while the control works. It is outside the stated chance of a
    /// false alarm.
    pub fuse: Option<u32>,
    /// What happens when it trips.
    pub on_trip: OnTrip,
    /// It reports what it sees and does nothing.
    pub observe: bool,
    /// This many visitors with a first error, a first slow answer or a first goal count of one network that brings less than a tenth of
    /// the flag's visitors; 0: as many as there are.
    pub network_signs: u32,
    /// How long the upstream of a variant may give no answer, while the app answers in its place, before the guard trips.
    pub upstream_away: Duration,
    false_alarm: f64,
}

impl Guard {
    /// The chance of a false alarm when none is given.
    pub const FALSE_ALARM: f64 = 0.001;

    /// The range of a fuse, in visitors.
    pub const FUSE: RangeInclusive<u32> = 3..=1000;

    /// First signs of one network that count when nothing is given: too few to trip a guard of the usual chance by themselves.
    pub const NETWORK_SIGNS: u32 = 2;

    /// The largest number that may be given for it.
    pub const MOST_NETWORK_SIGNS: u32 = 1000;

    /// How long an upstream may be away when nothing is given.
    pub const UPSTREAM_AWAY: Duration = Duration::from_secs(30);

    /// A guard with a chance of false alarm over its whole life, above 0 and at most 0.1.
    ///
    /// # Errors
    /// When the chance is outside of that.
    pub fn new(false_alarm: f64) -> Result<Self, GuardError> {
        if false_alarm > 0.0 && false_alarm <= 0.1 {
            Ok(Self {
                errors: None,
                slower_than: None,
                goals: Vec::new(),
                fuse: None,
                on_trip: OnTrip::Off,
                observe: false,
                network_signs: Self::NETWORK_SIGNS,
                upstream_away: Self::UPSTREAM_AWAY,
                false_alarm,
            })
        } else {
            Err(GuardError)
        }
    }

    /// The chance of a false alarm over the whole rollout.
    #[must_use]
    pub const fn false_alarm(&self) -> f64 {
        self.false_alarm
    }
}

/// A chance of false alarm that makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuardError;

impl fmt::Display for GuardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the chance of a false alarm is above 0 and at most 0.1")
    }
}

impl std::error::Error for GuardError {}
