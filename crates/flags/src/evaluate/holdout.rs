//! The holdout's step, and what it lets count.

use std::ops::ControlFlow::{self, Break, Continue};

use super::decide::{Evaluation, Trace};
use crate::{Decision, DecisionStep, Reason};

impl Evaluation<'_> {
    pub(crate) fn holdout(&self, trace: &mut impl Trace) -> ControlFlow<Decision> {
        let Some(holdout) = self.snapshot.holdout() else {
            trace.note(DecisionStep::Holdout, false, || "nobody is held out".into());
            return Continue(());
        };
        let excuse = self.flag.no_experiment(self.percent());
        let stops = self.held_out && excuse.is_none();
        trace.note(DecisionStep::Holdout, stops, || match (excuse, self.subject.visitor) {
            (Some(why), _) => format!("not an experiment: {why}"),
            (None, None) => "no visitor is known".into(),
            (None, Some(visitor)) => {
                let whether = if stops { "below" } else { "not below" };
                let (share, percent) = (holdout.percent().thousandths(), holdout.percent());
                format!(
                    "position {} of {} is {whether} {share} ({percent} percent)",
                    holdout.position(visitor),
                    holdout.salt()
                )
            }
        });
        if stops {
            return Break(Decision::new(self.flag.variants.control(), Reason::Split, DecisionStep::Holdout));
        }
        Continue(())
    }

    /// The decision as the holdout lets it count: nobody held out is counted for a flag with goals, also where a remembered variant or a
    /// weight of 100 made it the same for them as for others.
    pub(crate) fn counted_beside_holdout(&self, decision: Decision) -> Decision {
        if self.snapshot.holdout().is_none() {
            return decision;
        }
        let decision = if self.held_out && !self.flag.goals.is_empty() { decision.uncounted() } else { decision };
        // `requires` may fail because the other flag is held out, so it must not tell the held from the others.
        let asked = decision.step() == DecisionStep::Requires || decision.step() >= DecisionStep::Holdout;
        if asked && self.unit().is_some() && self.flag.is_experiment(self.percent()) {
            decision.in_experiment()
        } else {
            decision
        }
    }
}
