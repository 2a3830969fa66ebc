//! What a guard does when it trips: it rolls the flag back, holds it, or only says so.

use flagstaff_experiment::guard::{Blown, Evidence, UpstreamAway};
use flagstaff_flags::{Fact, FactKind, OnTrip};
use serde_json::{Value, json};

use super::flag_state::FlagState;
use crate::monitor::OutcomeMonitor;

/// What does this, as facts say it.
pub(crate) const BY_GUARD: &str = "guard";

/// Why a guard trips.
#[derive(Clone, Debug)]
pub(crate) struct Alarm {
    why: String,
    evidence: Value,
}

impl From<&Evidence> for Alarm {
    fn from(evidence: &Evidence) -> Self {
        Self { why: evidence.words(), evidence: serde_json::to_value(evidence).unwrap_or_default() }
    }
}

impl From<&Blown> for Alarm {
    fn from(blown: &Blown) -> Self {
        Self { why: blown.words(), evidence: json!({ "fuse": blown }) }
    }
}

impl From<&UpstreamAway> for Alarm {
    fn from(away: &UpstreamAway) -> Self {
        let evidence = json!({ "upstream": { "seconds": away.lasted.as_secs(), "requests": away.requests } });
        Self { why: away.words(), evidence }
    }
}

/// An upstream that has been away for longer than the flag allows.
pub(crate) fn lost_upstream(state: &FlagState, monitor: &OutcomeMonitor) -> Option<Alarm> {
    let limit = state.flag()?.guard.as_ref()?.upstream_away;
    let away = monitor.upstream(state.name().as_str())?;
    (away.is_sure && away.lasted >= limit).then(|| Alarm::from(&away))
}

/// The fact with which the guard of a flag does what the flag says; `None` where it did already.
pub(crate) fn fact(state: &FlagState, alarm: Alarm) -> Option<Fact> {
    let guard = state.flag()?.guard.as_ref()?;
    let standing = state.standing();
    let (kind, is_done) = match (guard.observe, guard.on_trip) {
        (true, _) => (FactKind::Observed, standing.observed.is_some()),
        (false, OnTrip::Off) => (FactKind::Tripped, standing.trip.is_some()),
        (false, OnTrip::Hold) => (FactKind::Held, standing.hold.is_some()),
    };
    let Alarm { why, evidence } = alarm;
    let is_done = is_done || standing.trip.is_some();
    (!is_done).then(|| Fact { kind, why, evidence: Some(evidence.to_string()), ..state.draft(BY_GUARD) })
}

/// What a guard decided here and could not write down first still holds: it takes the next number. `None` where the flag was edited
/// since, and where a person began it anew after the guard had decided.
pub(crate) fn decided_again(state: &FlagState, lost: Fact) -> Option<Fact> {
    let standing = state.standing();
    let is_open = match lost.kind {
        FactKind::Tripped => standing.trip.is_none(),
        FactKind::Held => standing.trip.is_none() && standing.hold.is_none(),
        _ => standing.observed.is_none(),
    };
    let holds = standing.definition == lost.definition && !standing.removed && lost.at >= standing.began;
    (is_open && holds).then(|| Fact { number: standing.number + 1, at: state.newest(), step: standing.step, ..lost })
}
