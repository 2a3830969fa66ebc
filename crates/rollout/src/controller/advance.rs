//! Whether a flag goes on to its next step, or is held.

use flagstaff_experiment::rollout::{Next, RolloutInputs, Trouble, next_step, sample_ratio_broken, told_once};
use flagstaff_flags::{Allocation, ExperimentId, Fact, FactKind, Rollout};
use jiff::Timestamp;
use serde_json::json;

use super::alarm::BY_GUARD;
use super::flag_state::{Arrivals, FlagState, shares};
use crate::messages::ArrivalsQuestion;

/// What goes on with steps, as facts say it.
const BY_ROLLOUT: &str = "rollout";

/// What matters of the surroundings of a flag.
pub(crate) struct Surroundings {
    /// What keeps it where it is, as it is seen here.
    pub(crate) trouble: Option<Trouble>,
    /// Under which id its visitors are recorded.
    pub(crate) experiment: Option<ExperimentId>,
    pub(crate) ledger: LedgerAccess,
    /// The time of the ledger.
    pub(crate) now: Timestamp,
}

/// Whether the ledger can be asked who came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LedgerAccess {
    /// There is none.
    None,
    Reachable,
    Unreachable,
}

/// What follows from a look at a flag.
#[derive(Debug, Default)]
pub(crate) struct Advance {
    /// The fact that it makes.
    pub(crate) fact: Option<Fact>,
    /// What must be known before it goes on.
    pub(crate) ask: Option<ArrivalsQuestion>,
}

/// Whether a flag goes on, is held, or has recovered.
pub(crate) fn advance(state: &mut FlagState, around: Surroundings) -> Advance {
    let Some(flag) = state.live_flag() else { return Advance::default() };
    let seen = around.trouble;
    let told = Trouble::told(state.standing());
    if seen.as_ref().is_some_and(|seen| told.is_none_or(|told| told == seen.reason)) {
        state.trouble().is_seen();
    } else if let Some(told) = told
        // once the guard tripped nobody asks the upstream any more, and nothing is known
        && state.standing().trip.is_none()
        && let Some(why) = state.trouble().over(told)
    {
        let fact = Fact { kind: FactKind::Recovered, why: why.into(), ..state.draft(BY_GUARD) };
        return Advance { fact: Some(fact), ask: None };
    }
    // another program may see what this one does not; and one trouble is told after the other
    let told = told.filter(|told| seen.as_ref().is_none_or(|seen| seen.reason != *told));
    let trouble = told.map(|reason| Trouble { reason, words: reason.into() }).or(seen);
    match &flag.rollout {
        Some(rollout) => {
            let step = state.standing().step;
            let (shares, arms) = (shares(&flag, step), flag.arms_at(step));
            let step = Step { rollout, shares, arms, trouble, now: around.now };
            step.advance(state, around.experiment, around.ledger)
        }
        None => Advance { fact: without_rollout(state, trouble), ask: None },
    }
}

/// The present step of a rollout.
struct Step<'a> {
    rollout: &'a Rollout,
    shares: Vec<f64>,
    arms: Vec<Allocation>,
    trouble: Option<Trouble>,
    now: Timestamp,
}

impl Step<'_> {
    fn advance(self, state: &mut FlagState, experiment: Option<ExperimentId>, ledger: LedgerAccess) -> Advance {
        let waited = state.waited(self.rollout, self.now);
        let (arrivals, ask) = self.arrivals(state, experiment, ledger);
        let Self { rollout, shares, trouble, now, .. } = self;
        let split_is_broken = arrivals.as_ref().is_some_and(|came| sample_ratio_broken(&came.by_arm, &shares));
        let visitors = arrivals.as_ref().map(|came| came.treatment);
        let standing = state.standing();
        let inputs = RolloutInputs { rollout, standing, now, visitors, split_is_broken, waited, trouble };
        let next = next_step(&inputs).next;
        // the first answer of the ledger may be under way; without one for long it is away
        let is_unanswered = arrivals.is_none() && ledger == LedgerAccess::Reachable;
        if is_unanswered && inputs.trouble.is_none() && matches!(next, Next::TellInconclusive(_)) {
            return Advance { fact: None, ask };
        }
        let mut fact = next.fact(&inputs, state.draft(BY_ROLLOUT));
        if let Some(fact) = fact.as_mut().filter(|_| matches!(next, Next::Advance | Next::TellInconclusive(_))) {
            let outage = inputs.trouble.map(|trouble| trouble.words);
            let arrivals = arrivals.map(|came| came.by_arm);
            let evidence =
                json!({ "outage": outage, "arrivals": arrivals, "shares": shares, "guard": state.evidence() });
            fact.evidence = Some(evidence.to_string());
        }
        Advance { fact, ask }
    }

    /// Who came at the present step, where that matters now and is known; else the question.
    fn arrivals(
        &self,
        state: &mut FlagState,
        experiment: Option<ExperimentId>,
        ledger: LedgerAccess,
    ) -> (Option<Arrivals>, Option<ArrivalsQuestion>) {
        let waited = state.waited(self.rollout, self.now);
        let (rollout, standing, now) = (self.rollout, state.standing(), self.now);
        let visitors = Some(u64::MAX);
        let if_all_came =
            RolloutInputs { rollout, standing, now, visitors, split_is_broken: false, waited, trouble: None };
        let matters = matches!(next_step(&if_all_came).next, Next::Advance | Next::Finish);
        let Some(experiment) = experiment.filter(|_| matters && ledger != LedgerAccess::Unreachable) else {
            return (None, None);
        };
        if let Some(arrivals) = state.arrivals() {
            return (Some(arrivals.clone()), None);
        }
        if !state.await_arrivals() {
            return (None, None);
        }
        let standing = state.standing();
        let (flag, epoch, step) = (state.name().clone(), standing.epoch, standing.step);
        let (since, arms) = (rollout.begins(standing.since), self.arms.clone());
        let question = ArrivalsQuestion { flag, epoch, step, experiment, since, arms };
        (None, Some(question))
    }
}

/// A guard without a rollout has nothing to hold, but trouble is told all the same.
fn without_rollout(state: &FlagState, trouble: Option<Trouble>) -> Option<Fact> {
    let Trouble { reason, words } = trouble?;
    let Next::TellInconclusive(reason) = told_once(state.standing(), reason) else {
        return None;
    };
    let (kind, evidence) = (FactKind::Inconclusive, json!({ "outage": words }).to_string());
    Some(Fact { kind, why: reason.into(), evidence: Some(evidence), ..state.draft(BY_GUARD) })
}
