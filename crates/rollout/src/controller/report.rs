//! What the log and the metrics say of flags.

use flagstaff_flags::{Fact, FactKind};
use metrics::{counter, gauge};

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

/// Shows where a flag stands in the metrics.
pub(crate) fn measure(state: &FlagState) {
    let Some(flag) = state.flag() else { return };
    let label = || state.name().to_string();
    if let Some(rollout) = &flag.rollout {
        let step = (state.standing().step + 1).min(rollout.steps().len());
        gauge!("flagstaff_rollout_step", "flag" => label()).set(step as f64);
    }
    if flag.guard.is_some() {
        let is_tripped = state.standing().trip.is_some();
        gauge!("flagstaff_guard_tripped", "flag" => label()).set(f64::from(u8::from(is_tripped)));
        for evidence in state.evidence() {
            let (sign, variant) = (evidence.sign.to_string(), evidence.variant);
            gauge!("flagstaff_guard_log_evidence", "flag" => label(), "variant" => variant, "sign" => sign)
                .set(evidence.log_evidence);
        }
    }
}
