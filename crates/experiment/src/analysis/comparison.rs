//! One variant against the control, for one goal: within each step, then combined.

use flagstaff_stats::power::{Aim, smallest_rise};
use flagstaff_stats::sequential::{SHOWN_FROM, is_shown};
use flagstaff_stats::strata::{cochran, standardise};
use flagstaff_stats::{Estimate, Level, Moments, Pairs, Proportion, cuped, lift, proportion, quantile, ratio};

use crate::analysis::observed::{Arm, Measure, Sums};
use crate::analysis::report::{Adjusted, AlwaysValid, Comparison, PerConversion, Range};
use crate::analysis::settings::AnalysisSettings;
use crate::analysis::settings::POWER;

/// The steps in which both have visitors, as (treatment, control).
pub(crate) type Pair = (Arm, Arm);

/// A comparison, and the numbers a verdict needs beside it.
#[derive(Clone, Debug)]
pub(crate) struct Compared {
    pub(crate) comparison: Comparison,
    /// The control's level, and the variance of one of its visitors.
    pub(crate) base: Option<(f64, f64)>,
    /// Treatment and control added up over the steps.
    pub(crate) seen: (Arm, Arm),
}

/// Compares a variant with the control.
pub(crate) fn compare(variant: &str, measure: Measure, steps: &[Pair], settings: &AnalysisSettings) -> Compared {
    let steps: Vec<Pair> = steps.iter().filter(|(t, c)| t.visitors > 0 && c.visitors > 0).copied().collect();
    let seen = added_up(&steps);
    let mut comparison = Comparison { variant: variant.into(), ..Comparison::default() };
    let levels = match measure {
        Measure::Rate => rates(&steps),
        Measure::Mean => means(&steps),
    };
    let Some((t, c)) = levels else {
        return Compared { comparison, base: None, seen };
    };
    comparison.difference = Some(t.mean() - c.mean());
    match measure {
        Measure::Rate => fill_rate(&mut comparison, &steps, &t, &c, &seen, settings),
        Measure::Mean => fill_mean(&mut comparison, &steps, &t, &c, settings),
    }
    if shown(measure, &seen) {
        let (t, c) = if measure == Measure::Mean { cautious_means(&steps).unwrap_or((t, c)) } else { (t, c) };
        comparison.always_valid = always_valid(&t, &c, settings);
    }
    let base = Some((c.mean(), c.variance() * c.n()));
    Compared { comparison, base, seen }
}

fn added_up(steps: &[Pair]) -> (Arm, Arm) {
    let add = |sum: Arm, arm: &Arm| {
        Arm::counts(sum.visitors.saturating_add(arm.visitors), sum.conversions.saturating_add(arm.conversions))
    };
    steps.iter().fold(Pair::default(), |(t, c), (more_t, more_c)| (add(t, more_t), add(c, more_c)))
}

fn proportion_of(arm: &Arm) -> Option<Proportion> {
    Proportion::new(arm.visitors, arm.conversions).ok()
}

fn proportions(steps: &[Pair]) -> Vec<(Proportion, Proportion)> {
    steps.iter().filter_map(|(t, c)| Some((proportion_of(t)?, proportion_of(c)?))).collect()
}

/// Whether the test for every day has enough to go by. Of values it needs some, and no visitor without.
fn shown(measure: Measure, (t, c): &Pair) -> bool {
    match measure {
        Measure::Rate => matches!((proportion_of(t), proportion_of(c)), (Some(t), Some(c)) if is_shown(&t, &c)),
        Measure::Mean => t.conversions.min(c.conversions) >= SHOWN_FROM,
    }
}

fn rates(steps: &[Pair]) -> Option<(Level, Level)> {
    standardise(proportions(steps).iter().map(|(t, c)| (t.level(), c.level()))).ok()
}

fn moments(arm: &Arm, sums: Sums) -> Option<Moments> {
    Moments::new(arm.visitors, sums.sum, sums.sum_sq).ok()
}

fn levels_of_values((t, c): &Pair) -> Option<(Level, Level)> {
    let level = |arm: &Arm| moments(arm, arm.value)?.level().ok();
    Some((level(t)?, level(c)?))
}

fn means(steps: &[Pair]) -> Option<(Level, Level)> {
    standardise(steps.iter().filter_map(levels_of_values)).ok()
}

/// The means as the test for every day takes them: it begins with few visitors, of whom hardly any spent much.
fn cautious_means(steps: &[Pair]) -> Option<(Level, Level)> {
    let levels = steps.iter().filter_map(levels_of_values);
    standardise(levels.map(|(t, c)| Level::at_least_pooled(&t, &c))).ok()
}

fn fill_rate(into: &mut Comparison, steps: &[Pair], t: &Level, c: &Level, seen: &Pair, settings: &AnalysisSettings) {
    let (pairs, alpha) = (proportions(steps), settings.alpha());
    into.p_value = cochran(pairs.iter().copied()).ok().map(|test| test.p_value);
    into.interval = match pairs.as_slice() {
        [(t, c)] => proportion::newcombe(t, c, alpha).ok(),
        _ => Estimate::difference(t, c).and_then(|estimate| estimate.normal_interval(alpha)).ok(),
    }
    .map(Range::from);
    if let Ok(lift) = lift::of_levels(t, c, seen.1.conversions, alpha) {
        into.lift = Some(lift.value);
        into.lift_interval = Some(lift.interval.into());
    }
    into.smallest_effect = smallest_effect(c.mean(), seen, alpha);
}

/// The smallest rise that these visitors would show four times in five.
fn smallest_effect(base: f64, (t, c): &Pair, alpha: f64) -> Option<f64> {
    // arms of unequal size see as much as two of their harmonic mean
    let each = 2.0 / ((t.visitors as f64).recip() + (c.visitors as f64).recip());
    smallest_rise(base, each, &Aim::new(alpha, POWER).ok()?).ok()
}

fn fill_mean(into: &mut Comparison, steps: &[Pair], t: &Level, c: &Level, settings: &AnalysisSettings) {
    let alpha = settings.alpha();
    into.per_conversion = per_conversion(steps, alpha);
    let Ok(estimate) = Estimate::difference(t, c) else {
        return;
    };
    into.p_value = Some(estimate.student_p());
    into.interval = estimate.student_interval(alpha).ok().map(Range::from);
    if let Ok(lift) = Estimate::lift(t, c) {
        into.lift = Some(lift.value());
        into.lift_interval = lift.student_interval(alpha).ok().map(Range::from);
    }
    into.adjusted = adjusted(steps, &estimate, alpha);
    into.smallest_effect = reach(alpha).map(|reach| reach * estimate.std_err());
}

/// z_α + z_power: how many standard errors away an effect is found four times in five.
fn reach(alpha: f64) -> Option<f64> {
    Some(quantile::normal_critical(alpha).ok()? + quantile::normal_quantile(POWER).ok()?)
}

fn always_valid(t: &Level, c: &Level, settings: &AnalysisSettings) -> AlwaysValid {
    let Ok(difference) = Estimate::difference(t, c) else {
        return AlwaysValid::default();
    };
    let sequence = settings.sequence();
    AlwaysValid {
        p_value: Some(sequence.p_value(&difference)),
        p_value_now: Some(sequence.p_value(&difference)),
        adjusted_p_value: None,
        interval: Some(sequence.interval(&difference).into()),
        lift_interval: sequence.lift_interval(t, c).ok().map(Range::from),
    }
}

fn before_and_after(arm: &Arm) -> Option<Pairs> {
    Pairs::new(moments(arm, arm.value)?, moments(arm, arm.before?)?, arm.value_before).ok()
}

fn merged(mut arms: impl Iterator<Item = Pairs>) -> Option<Pairs> {
    let first = arms.next()?;
    arms.try_fold(first, |sum, arm| sum.merge(&arm).ok())
}

/// CUPED, θ being one for all steps.
fn adjusted(steps: &[Pair], plain: &Estimate, alpha: f64) -> Option<Adjusted> {
    let pairs: Vec<_> =
        steps.iter().filter_map(|(t, c)| Some((before_and_after(t)?, before_and_after(c)?))).collect();
    let t = merged(pairs.iter().map(|(t, _)| *t))?;
    let c = merged(pairs.iter().map(|(_, c)| *c))?;
    let theta = cuped::theta(&t, &c).ok()?;
    let level = |arm: &Pairs| cuped::level(arm, theta).ok();
    let (t, c) = standardise(pairs.iter().filter_map(|(t, c)| Some((level(t)?, level(c)?)))).ok()?;
    let estimate = Estimate::difference(&t, &c).ok()?;
    let left = estimate.std_err() / plain.std_err();
    Some(Adjusted {
        difference: estimate.value(),
        interval: estimate.student_interval(alpha).ok()?.into(),
        p_value: estimate.student_p(),
        variance_explained: (1.0 - left * left).clamp(0.0, 1.0),
    })
}

/// The value of one conversion, a ratio of two sums per visitor.
fn per_conversion(steps: &[Pair], alpha: f64) -> Option<PerConversion> {
    let level = |arm: &Arm| {
        let pairs = Pairs::new(moments(arm, arm.value)?, moments(arm, arm.times)?, arm.value_times).ok()?;
        ratio::level(&pairs).ok()
    };
    let (t, c) = standardise(steps.iter().filter_map(|(t, c)| Some((level(t)?, level(c)?)))).ok()?;
    let estimate = Estimate::difference(&t, &c).ok()?;
    Some(PerConversion {
        control: c.mean(),
        treatment: t.mean(),
        difference: estimate.value(),
        interval: estimate.normal_interval(alpha).ok()?.into(),
        p_value: estimate.normal_p(),
    })
}
