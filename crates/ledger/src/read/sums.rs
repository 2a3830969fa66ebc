//! Groups of units become a tally.

use crate::read::recorded::Recorded;
use crate::read::tally::{Arm, GoalTally, Step, Tally, VariantTally};

/// Units that are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) period: usize,
    pub(crate) variant: usize,
    /// Their variant was remembered, not drawn.
    pub(crate) held: bool,
    /// Remembered, but their place had this variant all along.
    pub(crate) unmoved: bool,
    /// They met no other variant.
    pub(crate) clean: bool,
    /// They met no other variant within the period.
    pub(crate) clean_in_step: bool,
}

/// A tally in the making.
pub(crate) struct Sums {
    pub(crate) tally: Tally,
    /// Place of each period's step, and of the step of those held, where that is another.
    steps: Vec<(usize, usize)>,
}

impl Sums {
    pub(crate) fn new(recorded: &Recorded, goals: usize) -> Self {
        let variants = recorded.variants.len();
        let mut tally = Tally {
            variants: recorded
                .variants
                .iter()
                .map(|name| VariantTally { name: name.clone(), ..Default::default() })
                .collect(),
            goals: vec![vec![GoalTally::default(); variants]; goals],
            ..Tally::default()
        };
        let mut steps = Vec::new();
        let widths = |arms: &[(i64, i64)]| arms.iter().map(|(from, to)| (to - from).max(0) as f64).collect();
        let step = |shares: Vec<f64>| Step {
            shares,
            exposed: vec![0; variants],
            arms: vec![vec![Arm::default(); variants]; goals],
        };
        for period in &recorded.periods {
            let drawn = tally.steps.len();
            tally.steps.push(step(widths(&period.arms)));
            if !period.is_as_ever() {
                tally.steps.push(step(widths(&period.unmoved)));
            }
            steps.push((drawn, tally.steps.len() - 1));
        }
        Self { tally, steps }
    }

    pub(crate) fn expose(&mut self, group: Group, all: u64, confirmed: u64) {
        if let Some(variant) = self.tally.variants.get_mut(group.variant) {
            variant.visitors += if group.clean { all } else { 0 };
            variant.confirmed += if group.clean { confirmed } else { 0 };
            variant.crossed += if group.clean { 0 } else { all };
        }
        if let Some(exposed) = self.step(group).and_then(|step| step.exposed.get_mut(group.variant)) {
            *exposed += all;
        }
        for goal in 0..self.tally.goals.len() {
            if let Some(arm) = self.arm(group, goal) {
                arm.visitors += all;
            }
            if let Some(total) = self.total(group, goal) {
                total.visitors += all;
            }
        }
    }

    /// The step a group is compared in; none for those it cannot be told of which shares drew them.
    fn step(&mut self, group: Group) -> Option<&mut Step> {
        let (drawn, held) = *self.steps.get(group.period)?;
        let is_fit = !group.held || drawn == held || group.unmoved;
        self.tally.steps.get_mut(if group.held { held } else { drawn }).filter(|_| is_fit)
    }

    pub(crate) fn arm(&mut self, group: Group, goal: usize) -> Option<&mut Arm> {
        self.step(group).filter(|_| group.clean_in_step)?.arms.get_mut(goal)?.get_mut(group.variant)
    }

    pub(crate) fn total(&mut self, group: Group, goal: usize) -> Option<&mut GoalTally> {
        self.tally.goals.get_mut(goal).filter(|_| group.clean)?.get_mut(group.variant)
    }
}
