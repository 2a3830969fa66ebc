//! Rollouts in steps.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use crate::Percent;

/// How long a step stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// At least this long.
    For(Duration),
    /// Until someone approves.
    Approval,
    /// No end: the last step.
    End,
}

/// One stage of a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RolloutStep {
    /// The share of units in the rollout.
    pub percent: Percent,
    /// How long it stays.
    pub hold: Hold,
    /// Visitors with the flag who must have been seen before the next step.
    pub min_visitors: Option<u64>,
}

/// A share that rises in steps from a time on. Which step is in force is a recorded fact; it is the first one until then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout {
    start: Option<Timestamp>,
    steps: Vec<RolloutStep>,
}

impl Rollout {
    /// The share that stays control while a last step is held.
    pub const KEPT_BACK: Percent = Percent::from_thousandths(5_000);

    /// Steps that rise, from `start` on, or from now on when there is none.
    ///
    /// # Errors
    /// When there is no step, one does not rise above the one before it, or one before the last has no hold.
    pub fn new(start: Option<Timestamp>, steps: Vec<RolloutStep>) -> Result<Self, RolloutError> {
        if steps.is_empty() {
            return Err(RolloutError::NoSteps);
        }
        if let Some(i) = steps.windows(2).position(|pair| matches!(pair, [a, b] if b.percent <= a.percent)) {
            return Err(RolloutError::Falls { step: i + 1 });
        }
        let before_last = steps.iter().take(steps.len() - 1);
        if let Some(step) = before_last.clone().position(|step| step.hold == Hold::End) {
            return Err(RolloutError::NoHold { step });
        }
        Ok(Self { start, steps })
    }

    /// The time at which it starts.
    #[must_use]
    pub const fn start(&self) -> Option<Timestamp> {
        self.start
    }

    /// Its steps.
    #[must_use]
    pub fn steps(&self) -> &[RolloutStep] {
        &self.steps
    }

    /// The time from which a step counts that was entered at a time: not before the rollout starts.
    #[must_use]
    pub fn begins(&self, entered: Timestamp) -> Timestamp {
        self.start.map_or(entered, |start| start.max(entered))
    }

    /// The share at a time, when this step (from 0) is the one recorded; the number of steps, once all are behind.
    ///
    /// A last step that is held keeps [`Rollout::KEPT_BACK`] of the visitors as control until its hold is over: with nobody
    /// left to compare with, a guard sees nothing.
    #[must_use]
    pub fn percent(&self, now: Timestamp, step: usize) -> Percent {
        if self.start.is_some_and(|start| now < start) {
            return Percent::ZERO;
        }
        let Some(stage) = self.steps.get(step).or(self.steps.last()) else {
            return Percent::ZERO;
        };
        if step + 1 != self.steps.len() || stage.hold == Hold::End {
            return stage.percent;
        }
        let before = step.checked_sub(1).and_then(|before| self.steps.get(before));
        let least = before.map_or(Percent::ZERO, |before| before.percent);
        let most = Percent::from_thousandths(Percent::WHOLE - Self::KEPT_BACK.thousandths());
        stage.percent.min(most.max(least))
    }
}

/// Why steps are not a valid rollout. Steps count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RolloutError {
    /// There is none.
    NoSteps,
    /// This one does not rise above the one before it.
    Falls {
        /// The step.
        step: usize,
    },
    /// This one is not the last and says not how long it stays.
    NoHold {
        /// The step.
        step: usize,
    },
}

impl fmt::Display for RolloutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSteps => f.write_str("a rollout needs at least one step"),
            Self::Falls { step } => {
                write!(f, "a rollout only rises: step {} is not above the one before it", step + 1)
            }
            Self::NoHold { step } => write!(f, "step {} does not say how long it stays", step + 1),
        }
    }
}

impl std::error::Error for RolloutError {}
