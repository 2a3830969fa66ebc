//! A comparison of two variants, for people.

use flagstaff_experiment::{Comparison, Report, VerdictKind};

use crate::commands::Outcome;
use crate::terminal::{Interval, signed};

/// One comparison in words.
pub(crate) fn lines(one: &Comparison) -> String {
    let lift = one.lift.map_or_else(|| "the lift is not known".into(), |lift| format!("lift {}", signed(lift)));
    let between = one.lift_interval.map(|range| format!(" ({} to {})", signed(range.low), signed(range.high)));
    let chance = |p: Option<f64>| p.map_or_else(|| "not known yet".into(), |p| format!("{p:.4}"));
    let text = format!(
        "{lift}{}; p (one look at the end): {}; p (daily looks): {}",
        between.unwrap_or_default(),
        chance(one.p_value),
        chance(one.always_valid.p_value)
    );
    format!("  {}: {}\n", one.variant, text)
}

/// The interval that may be read on any day, or the one of a planned end while there is none.
pub(crate) fn interval(one: &Comparison) -> Option<Interval> {
    let range = one.always_valid.interval.or(one.interval)?;
    Some(Interval { low: range.low, value: one.difference?, high: range.high })
}

/// No where the split of one is broken.
pub(crate) fn answer<'a>(reports: impl IntoIterator<Item = &'a Report>) -> Outcome {
    let is_broken = reports.into_iter().any(|report| report.verdict.kind == VerdictKind::BrokenSplit);
    if is_broken { Outcome::No } else { Outcome::Yes }
}
