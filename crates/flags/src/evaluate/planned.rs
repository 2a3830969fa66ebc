//! Deciding by the plan of a snapshot. It gives what the steps of [`super::decide`] give, in less time; a test holds it to them.

use std::sync::Arc;

use super::decide::Evaluation;
use crate::{Decision, Decisions, FlagId, Snapshot, Subject};

impl Snapshot {
    /// Decides every flag for one subject.
    #[must_use]
    pub fn decide(self: &Arc<Self>, subject: &Subject<'_>) -> Decisions {
        let mut decisions = self.undecided();
        self.fill(subject, decisions.all_mut());
        decisions
    }

    /// Decisions of nobody yet, to be made by [`Decisions::decide_again`]. For many subjects one after the other, that is cheaper than
    /// [`Snapshot::decide`].
    #[must_use]
    pub fn undecided(self: &Arc<Self>) -> Decisions {
        Decisions::of_list(Arc::clone(self), self.plan.beginning().clone())
    }

    /// Decides one flag, and those it needs, for one subject. For many flags, [`Snapshot::decide`] is cheaper.
    #[must_use]
    pub fn decide_one(&self, id: FlagId, subject: &Subject<'_>) -> Decision {
        if let Some(decision) = self.plan.settled(id) {
            return decision;
        }
        if self.link(id).is_some_and(|link| link.requires.is_empty()) {
            let evaluation = Evaluation::new(self, id, subject, &[], self.holds_out(subject));
            return evaluation.map_or(Decision::UNKNOWN, |evaluation| evaluation.evaluate(&mut ()));
        }
        let mut all = self.plan.beginning().clone();
        self.fill(subject, all.all_mut());
        all.all().get(id.index()).copied().unwrap_or(Decision::UNKNOWN)
    }

    /// Decides every flag, beginning with what the plan knows of all.
    pub(super) fn fill(&self, subject: &Subject<'_>, all: &mut [Decision]) {
        if !subject.former_draws.is_empty() {
            return self.fill_by_steps(subject, all);
        }
        let is_held_out = self.holdout().map(|_| self.holds_out(subject));
        // looked up before the draws are made, so that memory is waited for meanwhile
        let named = self.plan.named(subject);
        self.plan.draw(subject, is_held_out, all);
        let by_steps = |id: FlagId, all: &mut [Decision]| self.ask_steps(id, subject, is_held_out == Some(true), all);
        for (id, decision) in named.iter().copied().filter(|(id, _)| self.plan.is_open(*id)) {
            match (decision, all.get_mut(id.index())) {
                (Some(decision), Some(slot)) => *slot = decision,
                _ => by_steps(id, all),
            }
        }
        for id in self.plan.touched(subject) {
            by_steps(id, all);
        }
        for id in self.plan.by_steps() {
            by_steps(*id, all);
        }
    }

    /// Decides every flag by its steps: what the plan is held to.
    pub(super) fn decisions_by_steps(&self, subject: &Subject<'_>) -> Vec<Decision> {
        let mut all = vec![Decision::UNKNOWN; self.flags().len()];
        self.fill_by_steps(subject, &mut all);
        all
    }

    fn fill_by_steps(&self, subject: &Subject<'_>, all: &mut [Decision]) {
        let is_held_out = self.holds_out(subject);
        for id in &self.links.order {
            self.ask_steps(*id, subject, is_held_out, all);
        }
    }

    /// Decides one flag by its steps, after those that it requires.
    fn ask_steps(&self, id: FlagId, subject: &Subject<'_>, is_held_out: bool, all: &mut [Decision]) {
        let Some(evaluation) = Evaluation::new(self, id, subject, all, is_held_out) else {
            return;
        };
        let decision = evaluation.evaluate(&mut ());
        if let Some(slot) = all.get_mut(id.index()) {
            *slot = decision;
        }
    }
}
