//! An experiment as it stood at the end of each day.
//!
//! A reader who looks at a test every day may keep the smallest p-value of all days. Looks at the ends of days need no note of who looked
//! when: they can be repeated from the rows at any time, and come out the same.

use std::collections::BTreeMap;

use flagstaff_experiment::Day;
use flagstaff_flags::Trigger;
use jiff::Timestamp;

use crate::packs::rows::{Converted, Exposed};
use crate::read::group::{DAY, Group, ends, left, value};
use crate::read::question::Question;
use crate::read::recorded::Recorded;
use crate::read::sums::Sums;

/// Days in the making.
pub(crate) struct Daily<'a> {
    question: &'a Question,
    recorded: &'a Recorded,
    /// The end of the last day that is over.
    until: i64,
    added: BTreeMap<i64, Added>,
}

/// What one day added.
struct Added {
    /// By group.
    exposed: Vec<u64>,
    /// By goal, then by group.
    goals: Vec<Vec<OfGoal>>,
}

/// Of a goal: those who reached it first, or left; the sum of values, and by how much the sum of squares grew; those whose time was over.
#[derive(Clone, Default)]
struct OfGoal {
    units: u64,
    value: f64,
    squares: f64,
    settled: u64,
}

impl<'a> Daily<'a> {
    pub(crate) fn new(question: &'a Question, recorded: &'a Recorded) -> Self {
        let until = question.now.as_microsecond().div_euclid(DAY) * DAY;
        Self { question, recorded, until, added: BTreeMap::new() }
    }

    /// Whether no day is over since it began.
    fn is_too_early(&self) -> bool {
        self.recorded.began >= self.until
    }

    fn added(&mut self, day: i64) -> &mut Added {
        let (groups, goals) = (Group::count(self.recorded), self.question.goals.len());
        self.added.entry(day).or_insert_with(|| Added {
            exposed: vec![0; groups],
            goals: vec![vec![OfGoal::default(); groups]; goals],
        })
    }

    fn goal(&mut self, day: i64, group: Group, goal: usize) -> Option<&mut OfGoal> {
        let number = group.number(self.recorded);
        self.added(day).goals.get_mut(goal)?.get_mut(number)
    }

    pub(crate) fn exposed(&mut self, group: Group, unit: &Exposed) {
        if unit.at >= self.until || self.is_too_early() {
            return;
        }
        let number = group.number(self.recorded);
        if let Some(exposed) = self.added(unit.at / DAY).exposed.get_mut(number) {
            *exposed += 1;
        }
    }

    /// What one unit did within its step, day by day.
    pub(crate) fn reached(&mut self, group: Group, goal: usize, unit: &Exposed, conversions: &[Converted]) {
        let until = ends(unit, self.recorded).min(self.until);
        if self.is_too_early() {
            return;
        }
        let mut days: BTreeMap<i64, f64> = BTreeMap::new();
        for conversion in conversions.iter().filter(|conversion| (unit.at..until).contains(&conversion.at)) {
            *days.entry(conversion.at / DAY).or_default() += value(conversion);
        }
        let mut before = 0.0;
        for (number, (day, value)) in days.into_iter().enumerate() {
            let so_far = before + value;
            if let Some(of) = self.goal(day, group, goal) {
                of.units += u64::from(number == 0);
                of.value += value;
                of.squares += so_far * so_far - before * before;
            }
            before = so_far;
        }
    }

    /// A unit on the day on which its time (µs) for a second page was over.
    pub(crate) fn looked(&mut self, group: Group, goal: usize, unit: &Exposed, after: i64) {
        let is_over = unit.at < self.until - after && unit.at <= ends(unit, self.recorded) - after;
        if is_over
            && !self.is_too_early()
            && let Some(of) = self.goal((unit.at + after) / DAY, group, goal)
        {
            of.settled += 1;
            of.units += u64::from(left(unit, after));
        }
    }

    /// Every day from the first on, but for those on which nothing happened but time passing.
    pub(crate) fn days(self) -> Vec<Day> {
        let mut sums = Sums::new(self.recorded, &self.question.goals);
        let mut all = Vec::new();
        for (day, added) in self.added.range(..self.until / DAY) {
            for number in 0..Group::count(self.recorded) {
                self.add(&mut sums, number, added);
            }
            if let Ok(end) = Timestamp::from_microsecond((day + 1) * DAY) {
                all.push(Day { end, steps: sums.observed.steps.clone() });
            }
        }
        all
    }

    fn add(&self, sums: &mut Sums, number: usize, added: &Added) {
        let group = Group::numbered(number, self.recorded);
        let exposed = added.exposed.get(number).copied().unwrap_or_default();
        sums.expose(group, exposed, 0);
        for (goal, asked) in self.question.goals.iter().enumerate() {
            let of = added.goals.get(goal).and_then(|groups| groups.get(number));
            let (Some(of), Some(arm)) = (of, sums.arm(group, goal)) else { continue };
            arm.conversions += of.units;
            arm.value.add(of.value, of.squares);
            if matches!(asked.trigger, Trigger::Bounce { .. }) {
                // of these only those count whose time is over
                arm.visitors = (arm.visitors + of.settled).saturating_sub(exposed);
            }
        }
    }
}
