//! What a flag does, in one word, and whether it should be removed.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{Flag, Percent, Serve};

impl Flag {
    /// Whether its expiry date has passed on this day.
    #[must_use]
    pub fn is_expired(&self, today: Date) -> bool {
        self.expires.is_some_and(|expires| expires < today)
    }

    /// Whether it has been off or on for everybody for 30 days, the number most tools use, as far as its file tells: by the day
    /// it was made. A kill switch is meant to stay, and is never stale.
    #[must_use]
    pub fn is_stale(&self, today: Date) -> bool {
        const DAYS: i32 = 30;
        let depends = self.enabled && !self.requires.is_empty();
        let settled = matches!(self.mode(), FlagMode::Off | FlagMode::On) && !depends && self.gate.is_none();
        let age = self.created.and_then(|created| created.until(today).ok()).map(|span| span.get_days());
        settled && age.is_some_and(|days| days >= DAYS)
    }

    /// What it does, in one word.
    #[must_use]
    pub fn mode(&self) -> FlagMode {
        let share = self.share_of_the_rest();
        let names_someone = self.allow.is_some() || self.rules.iter().any(|rule| rule.serve != Serve::OFF);
        match share {
            _ if !self.enabled => FlagMode::Off,
            _ if self.rollout.is_some() => FlagMode::Rollout,
            Percent::ZERO if names_someone => FlagMode::Targeted,
            Percent::ZERO => FlagMode::Off,
            Percent::ALL if self.is_the_same_for_all_who_are_in() => FlagMode::On,
            _ => FlagMode::Split,
        }
    }

    /// Whether nobody is named, drawn or kept out when the share is everybody.
    fn is_the_same_for_all_who_are_in(&self) -> bool {
        let drawn = self.variants.weights().filter(|(_, share)| *share > Percent::ZERO).count() > 1;
        !drawn && self.layer.is_none() && self.deny.is_none() && self.rules.is_empty()
    }
}

/// What a flag does, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlagMode {
    /// Off for everybody.
    Off,
    /// On for everybody.
    On,
    /// Visitors differ.
    Split,
    /// On for those who are named.
    Targeted,
    /// On for a share that rises in steps.
    Rollout,
}

impl FlagMode {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::On => "on",
            Self::Split => "split",
            Self::Targeted => "targeted",
            Self::Rollout => "rollout",
        }
    }
}
