//! The counts an experiment is judged by.
//!
//! A unit belongs to the period in which it was first exposed. Within it the variants are compared as they were until the
//! shares changed: a unit that came back afterwards may have been moved to another variant, and only one variant loses its
//! regulars to that. So conversions count for a period's comparison up to its end. The totals show something else: units that
//! saw one variant and no other, with all they did.
//!
//! A unit may come after a change with a variant that was remembered from before: it was drawn by shares that are not recorded. Of
//! such units only those are compared that would have had the same variant all along, in a step of their own.

use flagstaff_experiment::Observed;
use jiff::Timestamp;

use crate::packs::rows::{Converted, Exposed};
use crate::read::group::{DAY, Group, ends, left, value};
use crate::read::question::Question;
use crate::read::recorded::Recorded;
use crate::read::sums::Sums;

/// A tally in the making.
pub(crate) struct Tally<'a> {
    question: &'a Question,
    recorded: &'a Recorded,
    now: i64,
    recent: u64,
    groups: Vec<OfGroup>,
    /// By goal, then by group.
    goals: Vec<Vec<OfGoal>>,
}

#[derive(Clone, Default)]
struct OfGroup {
    all: u64,
    confirmed: u64,
}

/// What a group did about a goal, over the whole experiment and within its period.
#[derive(Clone, Default)]
struct OfGoal {
    reached: Reached,
    looked: Looked,
}

#[derive(Clone, Default)]
struct Reached {
    converters: u64,
    all_value: f64,
    in_step: u64,
    value: flagstaff_experiment::Sums,
    times: flagstaff_experiment::Sums,
    value_times: f64,
    with_past: u64,
    past: flagstaff_experiment::Sums,
    value_past: f64,
}

/// Those whose time for a second page is over: within the step for the comparison, by now for the totals. A second page settles it early for
/// some, but only waiting for everybody treats all alike.
#[derive(Clone, Default)]
struct Looked {
    open: u64,
    left: u64,
    open_in_step: u64,
    left_in_step: u64,
}

impl<'a> Tally<'a> {
    pub(crate) fn new(question: &'a Question, recorded: &'a Recorded) -> Self {
        let groups = Group::count(recorded);
        Self {
            question,
            recorded,
            now: question.now.as_microsecond(),
            recent: 0,
            groups: vec![OfGroup::default(); groups],
            goals: vec![vec![OfGoal::default(); groups]; question.goals.len()],
        }
    }

    fn goal(&mut self, group: Group, goal: usize) -> Option<&mut OfGoal> {
        self.goals.get_mut(goal)?.get_mut(group.number(self.recorded))
    }

    /// Somebody meets the experiment, in whatever group.
    pub(crate) fn meets(&mut self, unit: &Exposed) {
        self.recent += u64::from(unit.at >= self.now - DAY);
    }

    pub(crate) fn exposed(&mut self, group: Group, unit: &Exposed) {
        if let Some(of) = self.groups.get_mut(group.number(self.recorded)) {
            of.all += 1;
            of.confirmed += u64::from(unit.confirmed);
        }
    }

    /// What one unit did: before the exposure, within the step, and all after it.
    pub(crate) fn reached(&mut self, group: Group, goal: usize, unit: &Exposed, conversions: &[Converted]) {
        let ends = ends(unit, self.recorded);
        let (mut all_times, mut all_value, mut times, mut in_step, mut past) = (0_u64, 0.0, 0.0, 0.0, 0.0);
        for conversion in conversions {
            let value = value(conversion);
            if conversion.at < unit.at {
                past += value;
                continue;
            }
            all_times += 1;
            all_value += value;
            if conversion.at < ends {
                times += 1.0;
                in_step += value;
            }
        }
        let Some(OfGoal { reached, .. }) = self.goal(group, goal) else { return };
        reached.converters += u64::from(all_times > 0);
        reached.all_value += all_value;
        reached.in_step += u64::from(times > 0.0);
        reached.value.add(in_step, in_step * in_step);
        reached.times.add(times, times * times);
        reached.value_times += in_step * times;
        reached.with_past += u64::from(past != 0.0);
        reached.past.add(past, past * past);
        reached.value_past += in_step * past;
    }

    /// What one unit did about a goal of bounces, given the time (µs) for a second page.
    pub(crate) fn looked(&mut self, group: Group, goal: usize, unit: &Exposed, after: i64) {
        let is_over = unit.at <= self.now - after;
        let is_over_in_step = is_over && unit.at <= ends(unit, self.recorded) - after;
        let left = left(unit, after);
        let Some(OfGoal { looked, .. }) = self.goal(group, goal) else { return };
        looked.open += u64::from(!is_over);
        looked.left += u64::from(is_over && left);
        looked.open_in_step += u64::from(!is_over_in_step);
        looked.left_in_step += u64::from(is_over_in_step && left);
    }

    pub(crate) fn observed(self) -> Observed {
        let mut sums = Sums::new(self.recorded, &self.question.goals);
        for (number, of) in self.groups.iter().enumerate() {
            sums.expose(Group::numbered(number, self.recorded), of.all, of.confirmed);
        }
        for (goal, of_goal) in self.goals.iter().enumerate() {
            for (number, of) in of_goal.iter().enumerate() {
                of.add(Group::numbered(number, self.recorded), goal, &mut sums);
            }
        }
        sums.observed.per_day = self.per_day();
        sums.observed.began = Timestamp::from_microsecond(self.recorded.began).ok();
        sums.observed
    }

    fn per_day(&self) -> Option<f64> {
        let first = self.recorded.periods.first().map_or(self.now, |period| period.began);
        // at least a minute: the first visitors of a test say little of a day
        let per_day = self.recent as f64 * DAY as f64 / (self.now - first).clamp(60_000_000, DAY) as f64;
        Some(per_day).filter(|per_day| *per_day > 0.0)
    }
}

impl OfGoal {
    fn add(&self, group: Group, goal: usize, sums: &mut Sums) {
        let Self { reached, looked } = self;
        if let Some(total) = sums.total(group, goal) {
            total.conversions += reached.converters + looked.left;
            total.sum += reached.all_value;
            total.visitors = total.visitors.saturating_sub(looked.open);
            total.open += looked.open;
        }
        let Some(arm) = sums.arm(group, goal) else { return };
        arm.conversions += reached.in_step + looked.left_in_step;
        arm.visitors = arm.visitors.saturating_sub(looked.open_in_step);
        arm.value.add(reached.value.sum, reached.value.sum_sq);
        arm.times.add(reached.times.sum, reached.times.sum_sq);
        arm.value_times += reached.value_times;
        if reached.with_past > 0 {
            arm.before.get_or_insert_default().add(reached.past.sum, reached.past.sum_sq);
            arm.value_before += reached.value_past;
        }
    }
}
