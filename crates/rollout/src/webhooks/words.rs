//! What facts do not say by themselves.

use flagstaff_flags::{Fact, FactKind, Percent, Snapshot};

/// The share of visitors at which something happened to a flag, as long as the flag is still the one it happened to.
pub(super) fn share(snapshot: &Snapshot, fact: &Fact) -> Option<Percent> {
    let flag = snapshot.find(fact.flag.as_str()).and_then(|id| snapshot.flag(id))?;
    if matches!(fact.kind, FactKind::SwitchedOff | FactKind::Disabled) {
        return Some(Percent::ZERO);
    }
    if flag.definition != fact.definition {
        return None;
    }
    flag.rollout.as_ref().map(|rollout| rollout.percent(fact.at, fact.step)).or(flag.percent)
}
