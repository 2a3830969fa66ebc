//! From what was observed to a report.

use flagstaff_stats::multiple::holm;

use crate::analysis::comparison::{Compared, Pair, compare};
use crate::analysis::observed::{Day, Observed};
use crate::analysis::observed::{Goal, Measure, Total};
use crate::analysis::report::{Comparison, Report};
use crate::analysis::report::{GoalReport, LeftOut, Range, VariantReport};
use crate::analysis::sample_ratio::sample_ratio;
use crate::analysis::settings::AnalysisSettings;
use crate::analysis::verdict::{Case, decide};

/// Analyses an experiment. What cannot be computed is left out; nothing fails.
#[must_use]
pub fn analyse(observed: &Observed, settings: &AnalysisSettings) -> Report {
    analyse_daily(observed, &[], settings)
}

/// The same, where it is known how the steps stood at the end of each day before: of the test that may be read at any time the smallest p-value
/// so far is reported (see [`flagstaff_stats::sequential::RunningP`]). Looks at which the difference lay on the other side of 0 are
/// passed over, which only makes it larger: yesterday's winner is none today because it once was the loser.
#[must_use]
pub fn analyse_daily(observed: &Observed, days: &[Day], settings: &AnalysisSettings) -> Report {
    let sample_ratio = sample_ratio(observed);
    let mut compared = every_goal(observed, settings);
    for day in days {
        let then = Observed { steps: day.steps.clone(), ..observed.clone() };
        remember(&mut compared, &every_goal(&then, settings));
    }
    correct(&mut compared);
    let case = Case { observed, settings, sample_ratio: &sample_ratio, compared: &compared };
    let verdict = decide(&case);
    let goals = observed.goals.iter().zip(compared);
    let goals = goals.map(|(goal, compared)| {
        let comparisons = compared.into_iter().map(|one| one.comparison).collect();
        goal_report(observed, goal, comparisons)
    });
    Report {
        flag: observed.flag.clone(),
        goals: goals.collect(),
        left_out: LeftOut { crossovers: observed.variants.iter().map(|variant| variant.crossed).sum() },
        steps: observed.steps.iter().filter(|step| step.exposed.iter().any(|n| *n > 0)).count(),
        verdict,
        sample_ratio,
    }
}

fn every_goal(observed: &Observed, settings: &AnalysisSettings) -> Vec<Vec<Compared>> {
    (0..observed.goals.len()).map(|goal| against_control(observed, goal, settings)).collect()
}

/// Takes in the p-values of an earlier look.
fn remember(compared: &mut [Vec<Compared>], then: &[Vec<Compared>]) {
    for (now, then) in compared.iter_mut().flatten().zip(then.iter().flatten()) {
        let (now, then) = (&mut now.comparison, &then.comparison);
        let same_side = now.difference.zip(then.difference).is_some_and(|(now, then)| now * then > 0.0);
        let (now, then) = (&mut now.always_valid, &then.always_valid);
        if let (Some(p), Some(before), true) = (now.p_value, then.p_value, same_side)
            && before < p
        {
            // the intervals of all looks hold the truth together, so what one of them rules out stays ruled out
            now.p_value = Some(before);
            now.interval = within(now.interval, then.interval);
            now.lift_interval = within(now.lift_interval, then.lift_interval);
        }
    }
}

/// What two intervals have in common; where they have nothing, the one on which the smaller p-value rests.
fn within(now: Option<Range>, then: Option<Range>) -> Option<Range> {
    let (Some(now), Some(then)) = (now, then) else { return then.or(now) };
    let both = Range { low: now.low.max(then.low), high: now.high.min(then.high) };
    Some(if both.low <= both.high { both } else { then })
}

/// Each variant but the first against the first.
fn against_control(observed: &Observed, goal: usize, settings: &AnalysisSettings) -> Vec<Compared> {
    let measure = observed.goals.get(goal).map_or(Measure::Rate, |goal| goal.measure);
    let pairs = |variant: usize| -> Vec<Pair> {
        observed.steps.iter().map(|step| (step.arm(goal, variant), step.arm(goal, 0))).collect()
    };
    let variants = observed.variants.iter().enumerate().skip(1);
    variants.map(|(place, variant)| compare(&variant.name, measure, &pairs(place), settings)).collect()
}

/// Holm's correction over all goals and variants, of both tests. What is not shown yet counts as 1.
fn correct(compared: &mut [Vec<Compared>]) {
    let all = || compared.iter().flatten().map(|one| &one.comparison);
    let planned = holm(&all().map(|one| one.p_value.unwrap_or(1.0)).collect::<Vec<_>>());
    let any_time = holm(&all().map(|one| one.always_valid.p_value.unwrap_or(1.0)).collect::<Vec<_>>());
    let (Ok(planned), Ok(any_time)) = (planned, any_time) else {
        return;
    };
    let comparisons = compared.iter_mut().flatten().map(|one| &mut one.comparison);
    for (one, (planned, any_time)) in comparisons.zip(planned.into_iter().zip(any_time)) {
        one.adjusted_p_value = one.p_value.map(|_| planned);
        one.always_valid.adjusted_p_value = one.always_valid.p_value.map(|_| any_time);
    }
}

fn goal_report(observed: &Observed, goal: &Goal, comparisons: Vec<Comparison>) -> GoalReport {
    let totals = goal.totals.iter().copied().chain(std::iter::repeat(Total::default()));
    let variants = observed.variants.iter().zip(totals).map(|(variant, total)| {
        let per_visitor = |sum: f64| (total.visitors > 0).then(|| sum / total.visitors as f64);
        let has_values = goal.measure == Measure::Mean;
        VariantReport {
            variant: variant.name.clone(),
            visitors: total.visitors,
            conversions: total.conversions,
            rate: per_visitor(total.conversions as f64),
            confirmed: variant.confirmed,
            open: total.open,
            sum: has_values.then_some(total.sum),
            mean: per_visitor(total.sum).filter(|_| has_values),
        }
    });
    GoalReport {
        goal: goal.name.clone(),
        measure: goal.measure,
        better: goal.better,
        variants: variants.collect(),
        comparisons,
    }
}
