//! Parts of an experiment: day by day, week by week, step by step.

use flagstaff_experiment::{Arm, Cohort, Day, Measure, Observed, Step, Total};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::json;

/// Visitors who were exposed for the first time on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DayExposures {
    /// The day (UTC).
    #[serde(with = "json::text")]
    #[schemars(with = "String")]
    pub day: Date,
    /// How many, by variant.
    pub exposed: Vec<u64>,
}

/// A part of an experiment. It is shown, not judged: the more parts are looked at, the more of them differ by chance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ResultSlice")]
pub struct Slice {
    /// What it is.
    pub by: SliceBy,
    /// Which one: the Monday of a week, or the number of a step.
    pub name: String,
    /// The share of each variant (0 to 100) at a step; none of a week.
    pub shares: Option<Vec<f64>>,
    /// What visitors did, goal by goal.
    pub goals: Vec<SliceGoal>,
}

/// What makes a part of an experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SliceBy {
    /// The week of the first exposure (UTC, from Monday on).
    Week,
    /// The shares of the variants at the first exposure: what is compared within.
    Step,
}

/// One goal of a slice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SliceGoal {
    /// The goal.
    pub goal: String,
    /// One per variant; the first is the control.
    pub variants: Vec<SliceVariant>,
}

/// One variant of a slice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SliceVariant {
    /// The variant.
    pub variant: String,
    /// Visitors for whom the goal is settled.
    pub visitors: u64,
    /// Those who reached it.
    pub conversions: u64,
    /// Conversions over visitors.
    pub rate: Option<f64>,
    /// The sum of values per visitor, where that is compared.
    pub mean: Option<f64>,
}

impl SliceVariant {
    fn new(variant: &str, (visitors, conversions): (u64, u64), sum: Option<f64>) -> Self {
        let per_visitor = |sum: f64| (visitors > 0).then(|| sum / visitors as f64);
        Self {
            variant: variant.into(),
            visitors,
            conversions,
            rate: per_visitor(conversions as f64),
            mean: sum.and_then(per_visitor),
        }
    }
}

/// Exposures of each day from the first on, also of the present one.
pub(super) fn days(observed: &Observed, days: &[Day], now: Timestamp) -> Vec<DayExposures> {
    let exposed = |steps: &[Step]| -> Vec<u64> {
        let of = |variant: usize| steps.iter().filter_map(|step| step.exposed.get(variant)).sum();
        (0..observed.variants.len()).map(of).collect()
    };
    if observed.began.is_none() {
        return Vec::new();
    }
    let ends = days.iter().map(|day| (day.end - SignedDuration::from_hours(24), exposed(&day.steps)));
    let mut all: Vec<DayExposures> = Vec::new();
    let mut before = vec![0; observed.variants.len()];
    for (at, sums) in ends.chain([(now, exposed(&observed.steps))]) {
        let exposed = sums.iter().zip(&before).map(|(sum, before)| sum.saturating_sub(*before)).collect();
        let day = at.to_zoned(TimeZone::UTC).date();
        // days on which nothing happened are not told by the ledger
        while let Some(next) = all.last().and_then(|last| last.day.tomorrow().ok()).filter(|next| *next < day) {
            all.push(DayExposures { day: next, exposed: vec![0; before.len()] });
        }
        all.push(DayExposures { day, exposed });
        before = sums;
    }
    all
}

/// The weeks and steps of an experiment, where there are several.
pub(super) fn slices(observed: &Observed, cohorts: &[Cohort]) -> Vec<Slice> {
    let weeks = cohorts.iter().map(|cohort| week(observed, cohort));
    let steps: Vec<_> =
        observed.steps.iter().filter(|step| step.exposed.iter().any(|exposed| *exposed > 0)).collect();
    let weeks: Vec<_> = weeks.filter(|_| cohorts.len() > 1).collect();
    let is_ramp = steps.len() > 1;
    let steps = (1..).zip(steps).filter(|_| is_ramp).map(|(number, one)| step(observed, number, one));
    weeks.into_iter().chain(steps).collect()
}

fn week(observed: &Observed, cohort: &Cohort) -> Slice {
    let goals = observed.goals.iter().zip(&cohort.goals).map(|(goal, totals)| {
        let has_values = goal.measure == Measure::Mean;
        let one = |(variant, total): (&flagstaff_experiment::Variant, &Total)| {
            SliceVariant::new(&variant.name, (total.visitors, total.conversions), has_values.then_some(total.sum))
        };
        SliceGoal { goal: goal.name.clone(), variants: observed.variants.iter().zip(totals).map(one).collect() }
    });
    let name = cohort.began.to_zoned(TimeZone::UTC).date().to_string();
    Slice { by: SliceBy::Week, name, shares: None, goals: goals.collect() }
}

fn step(observed: &Observed, number: usize, step: &Step) -> Slice {
    let goals = observed.goals.iter().zip(&step.arms).map(|(goal, arms)| {
        let has_values = goal.measure == Measure::Mean;
        let one = |(variant, arm): (&flagstaff_experiment::Variant, &Arm)| {
            SliceVariant::new(&variant.name, (arm.visitors, arm.conversions), has_values.then_some(arm.value.sum))
        };
        SliceGoal { goal: goal.name.clone(), variants: observed.variants.iter().zip(arms).map(one).collect() }
    });
    let all: f64 = step.shares.iter().sum();
    let share = |part: &f64| if all > 0.0 { part * 100.0 / all } else { 0.0 };
    let shares = step.shares.iter().map(share).collect();
    Slice { by: SliceBy::Step, name: number.to_string(), shares: Some(shares), goals: goals.collect() }
}

#[cfg(test)]
mod tests {
    use flagstaff_experiment::{Goal, Variant};

    use super::*;

    fn at(day: i64, hours: i64) -> Timestamp {
        Timestamp::from_second(day * 86_400 + hours * 3600).unwrap()
    }

    fn step(exposed: [u64; 2], shares: [f64; 2]) -> Step {
        let arms = vec![vec![Arm::counts(exposed[0], 1), Arm::counts(exposed[1], 2)]];
        Step { shares: shares.into(), exposed: exposed.into(), arms }
    }

    fn observed(steps: Vec<Step>) -> Observed {
        let variant = |name: &str| Variant { name: name.into(), ..Variant::default() };
        let goal = Goal { name: "sent".into(), ..Goal::default() };
        Observed {
            variants: vec![variant("off"), variant("on")],
            goals: vec![goal],
            steps,
            began: Some(at(10, 1)),
            ..Observed::default()
        }
    }

    #[test]
    fn days_are_what_came_new_on_each_of_them() {
        let day = |day: i64, exposed| Day { end: at(day + 1, 0), steps: vec![step(exposed, [1.0, 1.0])] };
        let observed = observed(vec![step([9, 8], [1.0, 1.0])]);
        let told = days(&observed, &[day(10, [3, 2]), day(13, [7, 6])], at(14, 5));
        let all: Vec<_> = told.iter().map(|one| (one.day.to_string(), one.exposed.clone())).collect();
        let wanted = [("11", [3, 2]), ("12", [0, 0]), ("13", [0, 0]), ("14", [4, 4]), ("15", [2, 2])];
        let wanted = wanted.map(|(day, exposed)| (format!("1970-01-{day}"), exposed.to_vec()));
        assert_eq!(all, wanted);
        assert_eq!(days(&Observed::default(), &[], at(1, 1)), []);
    }

    #[test]
    fn one_week_and_one_step_are_no_slices() {
        let one = observed(vec![step([10, 10], [50.0, 50.0])]);
        let cohort = |day, visitors| Cohort {
            began: at(day, 0),
            goals: vec![vec![Total { visitors, conversions: 5, ..Total::default() }; 2]],
        };
        assert_eq!(slices(&one, &[cohort(4, 10)]), []);
        let two = observed(vec![step([90, 10], [90.0, 10.0]), step([50, 50], [1.0, 1.0])]);
        let all = slices(&two, &[cohort(4, 10), cohort(11, 20)]);
        let names: Vec<_> = all.iter().map(|one| (one.by, one.name.as_str())).collect();
        let wanted = [
            (SliceBy::Week, "1970-01-05"),
            (SliceBy::Week, "1970-01-12"),
            (SliceBy::Step, "1"),
            (SliceBy::Step, "2"),
        ];
        assert_eq!(names, wanted);
        assert_eq!((all[1].goals[0].variants[1].rate, all[3].shares.clone()), (Some(0.25), Some(vec![50.0, 50.0])));
        assert_eq!(all[2].goals[0].variants[1], SliceVariant::new("on", (10, 2), None));
    }
}
