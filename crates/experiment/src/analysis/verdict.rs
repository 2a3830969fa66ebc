//! What to do, in words.

use flagstaff_stats::power::at_any_time;
use flagstaff_stats::sequential::SHOWN_FROM;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::analysis::comparison::Compared;
use crate::analysis::observed::{Direction, Goal};
use crate::analysis::observed::{Measure, Observed};
use crate::analysis::report::SampleRatio;
use crate::analysis::sentences::Sentences;
use crate::analysis::settings::{AnalysisSettings, POWER};

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// In one word.
    pub kind: VerdictKind,
    /// The variant to ship or to keep.
    pub variant: Option<String>,
    /// In a sentence or two.
    pub text: String,
    /// Days it still takes at this traffic, when that can be told.
    pub days_left: Option<u64>,
}

/// What to do, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerdictKind {
    /// Undecided: go on.
    KeepRunning,
    /// A variant is better.
    Ship,
    /// No variant is better, as far as it would matter.
    KeepControl,
    /// Visitors did not fall into the variants as they should have: nothing can be said.
    BrokenSplit,
    /// Too few visitors or conversions to say anything yet.
    NotEnough,
}

impl VerdictKind {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KeepRunning => "keep_running",
            Self::Ship => "ship",
            Self::KeepControl => "keep_control",
            Self::BrokenSplit => "broken_split",
            Self::NotEnough => "not_enough",
        }
    }
}

/// All a verdict rests on.
pub(crate) struct Case<'a> {
    pub(crate) observed: &'a Observed,
    pub(crate) settings: &'a AnalysisSettings,
    pub(crate) sample_ratio: &'a SampleRatio,
    /// Per goal, each variant but the control.
    pub(crate) compared: &'a [Vec<Compared>],
}

/// How one variant stands by the goal that decides.
#[derive(Clone, Copy, PartialEq)]
enum Standing {
    /// Not shown yet.
    Unknown,
    Better,
    Worse,
    /// An improvement that would matter is ruled out.
    Pointless,
    /// As many visitors came as a test for what would matter takes, and it shows nothing.
    Exhausted,
    Open,
}

/// Decides. The split is asked first.
pub(crate) fn decide(case: &Case<'_>) -> Verdict {
    let words = Sentences { case };
    if case.sample_ratio.broken {
        return verdict(VerdictKind::BrokenSplit, None, words.broken(), None);
    }
    let (Some(goal), Some(compared)) = (case.observed.goals.first(), case.compared.first()) else {
        return verdict(VerdictKind::NotEnough, None, words.without_goal(), None);
    };
    let standings: Vec<_> = compared.iter().map(|one| case.standing(goal, one)).collect();
    let with = |wanted: Standing| {
        let all = compared.iter().zip(&standings);
        all.filter(move |(_, standing)| **standing == wanted).map(|(one, _)| one)
    };
    if let Some(best) = best(goal, with(Standing::Better)) {
        return verdict(VerdictKind::Ship, Some(&best.comparison.variant), words.ship(goal, best), None);
    }
    let days = case.days_left(goal, compared);
    if let Some(leader) = best(goal, with(Standing::Open)) {
        return verdict(VerdictKind::KeepRunning, None, words.keep_running(goal, leader, days), days);
    }
    if compared.is_empty() || with(Standing::Unknown).next().is_some() {
        return verdict(VerdictKind::NotEnough, None, words.not_enough(goal, compared, days), days);
    }
    let control = case.observed.variants.first().map(|variant| variant.name.as_str());
    let text = match best(goal, with(Standing::Pointless)) {
        Some(leader) => words.pointless(goal, leader),
        None => match best(goal, with(Standing::Exhausted)) {
            Some(leader) => words.exhausted(goal, leader),
            None => words.worse(goal, compared),
        },
    };
    verdict(VerdictKind::KeepControl, control, text, None)
}

fn verdict(kind: VerdictKind, variant: Option<&str>, text: String, days_left: Option<u64>) -> Verdict {
    Verdict { kind, variant: variant.map(Into::into), text, days_left }
}

/// The one that gains most.
fn best<'a>(goal: &Goal, all: impl Iterator<Item = &'a Compared>) -> Option<&'a Compared> {
    all.max_by(|a, b| gain(goal, a).total_cmp(&gain(goal, b)))
}

/// The difference, better being above 0.
pub(crate) fn gain(goal: &Goal, one: &Compared) -> f64 {
    let difference = one.comparison.difference.unwrap_or_default();
    match goal.better {
        Direction::Up => difference,
        Direction::Down => -difference,
    }
}

impl Case<'_> {
    /// Whether a difference is beyond doubt: by the test that may be read every day, corrected for all that is compared.
    pub(crate) fn is_certain(&self, one: &Compared) -> bool {
        one.comparison.always_valid.adjusted_p_value.is_some_and(|p| p < self.settings.alpha())
    }

    fn standing(&self, goal: &Goal, one: &Compared) -> Standing {
        if one.comparison.always_valid.p_value.is_none() {
            return Standing::Unknown;
        }
        match (self.is_certain(one), gain(goal, one) > 0.0) {
            (true, true) => Standing::Better,
            (true, false) => Standing::Worse,
            _ if self.is_pointless(goal, one) => Standing::Pointless,
            // its interval has no room for "none was found": only what else is compared makes it uncertain
            (false, true) if one.comparison.always_valid.p_value.is_some_and(|p| p < self.settings.alpha()) => {
                Standing::Open
            }
            _ if self.needed(one).is_some_and(|needed| self.visitors() >= needed) => Standing::Exhausted,
            _ => Standing::Open,
        }
    }

    /// Whether every lift that would matter lies outside the interval.
    fn is_pointless(&self, goal: &Goal, one: &Compared) -> bool {
        let most = self.settings.worthwhile();
        one.comparison.always_valid.lift_interval.is_some_and(|lift| match goal.better {
            Direction::Up => lift.high < most,
            Direction::Down => lift.low > -most,
        })
    }

    /// Visitors of all variants so far.
    fn visitors(&self) -> f64 {
        self.sample_ratio.observed.iter().map(|n| *n as f64).sum()
    }

    /// Visitors of all variants that a test read every day takes to find the lift that would matter ([`at_any_time`], σ² being the control's),
    /// over the share both have of all. All that is compared shares alpha.
    fn needed(&self, one: &Compared) -> Option<f64> {
        let (base, variance) = one.base?;
        let step = self.observed.steps.last()?;
        let place = self.observed.variants.iter().position(|v| v.name == one.comparison.variant)?;
        let (t, c) = (step.share(place), step.share(0));
        let both = t + c;
        let of_all = both / (0..self.observed.variants.len()).map(|v| step.share(v)).sum::<f64>();
        let effect = base * self.settings.worthwhile();
        let tests = self.compared.iter().map(Vec::len).sum::<usize>().max(1) as f64;
        let score = effect / (variance * (both / t + both / c)).sqrt();
        let pair = at_any_time(score, self.settings.sequence(), tests, POWER).ok()?;
        Some(pair / of_all).filter(|needed| needed.is_finite())
    }

    /// Visitors until a result is shown: 25 conversions in each variant at its present rate, and for rates 25 without.
    fn until_shown(&self, goal: &Goal, one: &Compared) -> Option<f64> {
        let step = self.observed.steps.last()?;
        let place = self.observed.variants.iter().position(|v| v.name == one.comparison.variant)?;
        let sum: f64 = (0..self.observed.variants.len()).map(|v| step.share(v)).sum();
        let missing = |conversions: u64, visitors: u64, share: f64| {
            let without = visitors.saturating_sub(conversions);
            let fewer = if goal.measure == Measure::Rate { conversions.min(without) } else { conversions };
            (SHOWN_FROM as f64 / fewer as f64 - 1.0).max(0.0) * visitors as f64 / (share / sum)
        };
        let (t, c) = &one.seen;
        let most = missing(t.conversions, t.visitors, step.share(place)).max(missing(
            c.conversions,
            c.visitors,
            step.share(0),
        ));
        most.is_finite().then_some(most)
    }

    /// Days until the last open variant is decided, at least 1.
    fn days_left(&self, goal: &Goal, compared: &[Compared]) -> Option<u64> {
        let per_day = self.observed.per_day.filter(|per_day| *per_day > 0.0)?;
        let missing = |one: &Compared| match one.comparison.always_valid.p_value {
            Some(_) => self.needed(one).map(|needed| needed - self.visitors()),
            None => self.until_shown(goal, one),
        };
        let most = compared
            .iter()
            .filter_map(missing)
            // those that came already say nothing of how long it takes
            .filter(|missing| *missing > 0.0)
            .fold(None, |most: Option<f64>, one| Some(most.map_or(one, |most| most.max(one))))?;
        let days = (most / per_day).ceil().max(1.0);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts saturate; at least 1")]
        let days = days as u64;
        Some(days)
    }
}
