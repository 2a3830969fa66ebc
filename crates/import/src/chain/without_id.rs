//! What a chain gives those whose id is not known: the control where a draw decides, else what is for everybody.

use super::{Chain, Get, Pick, Step};
use crate::known_id;
use crate::model::Condition;

impl Chain {
    /// Rules for those whose id is not known: a draw, and a flag that draws at all, is off for them here.
    pub(super) fn give_without_id(&mut self) {
        let unit = self.steps.iter().find_map(|step| step.get.unit());
        let Some(unknown) = unit.and_then(known_id::unknown) else { return };
        let mut steps = Vec::new();
        for step in std::mem::take(&mut self.steps) {
            let given = match &step.get {
                Get::Draw(..) if !step.get.goes_on() => Some(self.control),
                Get::Pick(Pick::Arm(arm)) if step.condition == Condition::Always => Some(*arm),
                _ => None,
            };
            let rule = |arm| Step::new(step.condition.clone().and(unknown.clone()), Get::arm(arm));
            steps.extend(given.filter(|arm| !self.is_off(*arm)).map(rule));
            steps.push(step);
        }
        self.steps = steps;
        if !self.is_off(self.control) {
            self.steps.push(Step::new(unknown, Get::arm(self.control)));
        }
    }

    fn is_off(&self, arm: usize) -> bool {
        self.arms.get(arm).is_none_or(|arm| arm.name == "off")
    }
}
