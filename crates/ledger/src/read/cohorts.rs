//! An experiment by the week in which its units came first.

use std::collections::BTreeMap;

use flagstaff_experiment::{Cohort, Total};
use flagstaff_flags::Trigger;
use jiff::Timestamp;

use crate::packs::rows::{Converted, Exposed};
use crate::read::group::{DAY, Group, left, value};
use crate::read::question::Question;
use crate::read::recorded::Recorded;

const WEEK: i64 = 7 * DAY;
/// From the Monday before it to the beginning of 1970.
const MONDAY: i64 = 3 * DAY;

/// Weeks in the making.
pub(crate) struct Cohorts<'a> {
    question: &'a Question,
    recorded: &'a Recorded,
    now: i64,
    /// By week, goal and variant.
    weeks: BTreeMap<i64, Vec<Vec<Total>>>,
}

impl<'a> Cohorts<'a> {
    pub(crate) fn new(question: &'a Question, recorded: &'a Recorded) -> Self {
        Self { question, recorded, now: question.now.as_microsecond(), weeks: BTreeMap::new() }
    }

    /// The week in which a unit came.
    fn week(&mut self, unit: &Exposed) -> &mut Vec<Vec<Total>> {
        let (goals, variants) = (self.question.goals.len(), self.recorded.variants.len());
        let empty = || vec![vec![Total::default(); variants]; goals];
        self.weeks.entry((unit.at + MONDAY) / WEEK).or_insert_with(empty)
    }

    /// The total of a group in the week of a unit; none of those who met another variant.
    fn total(&mut self, group: Group, goal: usize, unit: &Exposed) -> Option<&mut Total> {
        if !group.clean {
            return None;
        }
        self.week(unit).get_mut(goal)?.get_mut(group.variant)
    }

    pub(crate) fn exposed(&mut self, group: Group, unit: &Exposed) {
        if !group.clean {
            return;
        }
        let question = self.question;
        for (goal, asked) in self.week(unit).iter_mut().zip(&question.goals) {
            // whether one left is settled later
            if let Some(total) =
                goal.get_mut(group.variant).filter(|_| !matches!(asked.trigger, Trigger::Bounce { .. }))
            {
                total.visitors += 1;
            }
        }
    }

    pub(crate) fn reached(&mut self, group: Group, goal: usize, unit: &Exposed, conversions: &[Converted]) {
        let since = conversions.iter().filter(|conversion| conversion.at >= unit.at);
        let (times, sum) = since.fold((0_u64, 0.0), |(times, sum), one| (times + 1, sum + value(one)));
        if times > 0
            && let Some(total) = self.total(group, goal, unit)
        {
            total.conversions += 1;
            total.sum += sum;
        }
    }

    /// A unit whose time (µs) for a second page is over, or open.
    pub(crate) fn looked(&mut self, group: Group, goal: usize, unit: &Exposed, after: i64) {
        let is_over = unit.at <= self.now - after;
        if let Some(total) = self.total(group, goal, unit) {
            total.open += u64::from(!is_over);
            total.visitors += u64::from(is_over);
            total.conversions += u64::from(is_over && left(unit, after));
        }
    }

    pub(crate) fn cohorts(self) -> Vec<Cohort> {
        let began = |week: i64| Timestamp::from_microsecond(week * WEEK - MONDAY).ok();
        self.weeks.into_iter().filter_map(|(week, goals)| Some(Cohort { began: began(week)?, goals })).collect()
    }
}
