//! Groups of units become the counts of an experiment.

use flagstaff_experiment::{Arm, Goal, Observed, Step, Total, Variant};

use crate::read::group::Group;
use crate::read::recorded::Recorded;

/// Counts of an experiment in the making.
pub(crate) struct Sums {
    pub(crate) observed: Observed,
    /// Index of each period's step, and of the step of those held, where that is another.
    steps: Vec<(usize, usize)>,
}

impl Sums {
    pub(crate) fn new(recorded: &Recorded, goals: &[flagstaff_flags::Goal]) -> Self {
        let variants = recorded.variants.len();
        let variant = |name: &String| Variant { name: name.clone(), ..Variant::default() };
        let totals = || vec![Total::default(); variants];
        let mut observed = Observed {
            variants: recorded.variants.iter().map(variant).collect(),
            goals: goals.iter().map(|goal| Goal { totals: totals(), ..Goal::of(goal) }).collect(),
            ..Observed::default()
        };
        let mut steps = Vec::new();
        let widths = |arms: &[(i64, i64)]| arms.iter().map(|(from, to)| (to - from).max(0) as f64).collect();
        let step = |shares: Vec<f64>| Step {
            shares,
            exposed: vec![0; variants],
            arms: vec![vec![Arm::default(); variants]; goals.len()],
        };
        for period in &recorded.periods {
            let drawn = observed.steps.len();
            observed.steps.push(step(widths(&period.arms)));
            if !period.is_as_ever() {
                observed.steps.push(step(widths(&period.unmoved)));
            }
            steps.push((drawn, observed.steps.len() - 1));
        }
        Self { observed, steps }
    }

    pub(crate) fn expose(&mut self, group: Group, all: u64, confirmed: u64) {
        if let Some(variant) = self.observed.variants.get_mut(group.variant) {
            variant.visitors += if group.clean { all } else { 0 };
            variant.confirmed += if group.clean { confirmed } else { 0 };
            variant.crossed += if group.clean { 0 } else { all };
        }
        if let Some(exposed) = self.step(group).and_then(|step| step.exposed.get_mut(group.variant)) {
            *exposed += all;
        }
        for goal in 0..self.observed.goals.len() {
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
        self.observed.steps.get_mut(if group.held { held } else { drawn }).filter(|_| is_fit)
    }

    pub(crate) fn arm(&mut self, group: Group, goal: usize) -> Option<&mut Arm> {
        self.step(group).filter(|_| group.clean_in_step)?.arms.get_mut(goal)?.get_mut(group.variant)
    }

    pub(crate) fn total(&mut self, group: Group, goal: usize) -> Option<&mut Total> {
        self.observed.goals.get_mut(goal).filter(|_| group.clean)?.totals.get_mut(group.variant)
    }
}
