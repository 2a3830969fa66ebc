//! What a chain gives those whose id is not known: the control where a draw decides, else what is for everybody.

use super::{Chain, Get, Pick, Step};
use crate::known_id;
use crate::model::Condition;

impl Chain {
    /// Rules for those whose id is not known: a draw, and a flag that draws at all, is off for them here.
    pub(super) fn give_without_id(&mut self) {
        let unit = self.steps.iter().find_map(|step| step.get.unit());
        let Some(unknown) = unit.and_then(known_id::unknown) else { return };
        // Steps for everybody at the end are one draw of the flag itself: nothing may stand between them.
        let is_for_some = |step: &Step| step.condition != Condition::Always;
        let tail = self.steps.iter().rposition(is_for_some).map_or(0, |last| last + 1);
        let rest = self.steps.split_off(tail);
        let mut steps = Vec::new();
        for step in std::mem::take(&mut self.steps) {
            let rule = || Step::new(step.condition.clone().and(unknown.clone()), Get::arm(self.control));
            let is_off_here = matches!(step.get, Get::Draw(..)) && !step.get.goes_on();
            steps.extend((is_off_here && !self.is_off(self.control)).then(rule));
            steps.push(step);
        }
        let arm = self.rest_without_id(&rest);
        steps.extend((!self.is_off(arm)).then(|| Step::new(unknown, Get::arm(arm))));
        steps.extend(rest);
        self.steps = steps;
    }

    /// What steps for everybody give those who are in no draw.
    fn rest_without_id(&self, rest: &[Step]) -> usize {
        let arm = match rest.iter().find(|step| !step.get.goes_on()).map(|step| &step.get) {
            Some(Get::Pick(Pick::Arm(arm))) => Some(*arm),
            _ => None,
        };
        arm.unwrap_or(self.control)
    }

    fn is_off(&self, arm: usize) -> bool {
        self.arms.get(arm).is_none_or(|arm| arm.name == "off")
    }
}
