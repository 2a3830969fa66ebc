//! What the log and the metrics say of flags.

use flagstaff_flags::{Fact, FactKind, Rollout};
use metrics::{Gauge, counter, gauge};

use super::flag_state::FlagState;

/// Says in the log what happened.
pub(crate) fn announce(fact: &Fact) {
    counter!("flagstaff_facts_total", "kind" => fact.kind.as_str()).increment(1);
    // once all steps are behind it, it is at none any more
    let step = fact.step + usize::from(fact.kind != FactKind::Done);
    let (flag, by, why) = (fact.flag.as_str(), &fact.by, &fact.why);
    match fact.kind {
        FactKind::Defined | FactKind::Continued => tracing::debug!(flag, by, why, "flag {}", fact.kind),
        FactKind::Tripped | FactKind::Held | FactKind::Observed | FactKind::Inconclusive | FactKind::Expired => {
            tracing::warn!(flag, by, why, step, "flag {}", fact.kind);
        }
        FactKind::SwitchedOff | FactKind::SwitchedOn => tracing::warn!(flag, by, why, "flag {}", fact.kind),
        _ => tracing::info!(flag, by, why, step, "flag {}", fact.kind),
    }
}

/// What the metrics show of a flag: a variant and a sign, of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Shown {
    Step,
    IsTripped,
    Evidence(String, String),
}

impl Shown {
    fn of(&self, flag: &str) -> Gauge {
        let flag = || flag.to_owned();
        match self {
            Self::Step => gauge!("flagstaff_rollout_step", "flag" => flag()),
            Self::IsTripped => gauge!("flagstaff_guard_tripped", "flag" => flag()),
            Self::Evidence(variant, sign) => {
                let (variant, sign) = (variant.clone(), sign.clone());
                gauge!("flagstaff_guard_log_evidence", "flag" => flag(), "variant" => variant, "sign" => sign)
            }
        }
    }
}

/// Shows where a flag stands in the metrics. What was shown of it and is so no longer is 0: an alert on it ends when the flag, its
/// rollout or its guard is gone.
pub(crate) fn measure(state: &mut FlagState) {
    let now = standing_of(state);
    let name = state.name().to_string();
    for (which, value) in &now {
        which.of(&name).set(*value);
    }
    let shown = now.into_iter().map(|(which, _)| which).collect();
    for gone in state.show(shown) {
        gone.of(&name).set(0.0);
    }
}

fn standing_of(state: &FlagState) -> Vec<(Shown, f64)> {
    let Some(flag) = state.flag() else { return Vec::new() };
    let standing = state.standing();
    let step = |rollout: &Rollout| (standing.step + 1).min(rollout.steps().len()) as f64;
    let mut all: Vec<_> = flag.rollout.iter().map(|rollout| (Shown::Step, step(rollout))).collect();
    if flag.guard.is_some() {
        all.push((Shown::IsTripped, f64::from(u8::from(standing.trip.is_some()))));
        let evidence = state.evidence().into_iter();
        all.extend(evidence.map(|one| (Shown::Evidence(one.variant, one.sign.to_string()), one.log_evidence)));
    }
    all
}
