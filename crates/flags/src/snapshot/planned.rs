//! The plan of a snapshot: which of its flags are decided before anybody asks, which by a draw alone, and which step by step.

use jiff::Timestamp;

use super::recorded::FlagFacts;
use crate::plan::{Draft, Plan};
use crate::{Decision, DecisionStep, Flag, Percent, Reason, Snapshot, VariantId};

impl Snapshot {
    /// The plan for the flags as they are, with what is recorded of them.
    pub(super) fn draft(&self) -> Plan {
        let mut draft = Draft::new(self.flags().len(), &self.lists);
        for id in &self.links.order {
            let (Some(flag), Some(link)) = (self.flag(*id), self.link(*id)) else { continue };
            let fact = self.fact(*id);
            if let Some(decision) = settled(flag, fact) {
                draft.settle(*id, decision);
                continue;
            }
            let layer = link.layer.as_ref().and_then(|(index, slices)| Some((self.layers.get(*index)?, slices)));
            let by_sha256 = flag.hash.is_none() && layer.is_none_or(|(layer, _)| layer.hash.is_none());
            if by_sha256 && link.requires.is_empty() && self.lists.cover(*id) {
                let layer = layer.map(|(layer, slices)| (layer.name.as_str(), slices.as_slice()));
                draft.share(*id, flag, layer, started_share(flag, fact));
            } else {
                draft.ask_steps(*id);
            }
        }
        draft.finish()
    }
}

/// The decision of a flag that is pinned, disabled or switched off.
fn settled(flag: &Flag, fact: Option<&FlagFacts>) -> Option<Decision> {
    if let Some(pin) = &flag.pin {
        return Some(Decision::new(pin.variant, Reason::Static, DecisionStep::Pinned));
    }
    let off = |step| Some(Decision::new(VariantId::OFF, Reason::Disabled, step));
    if !flag.enabled {
        return off(DecisionStep::Disabled);
    }
    if fact.is_some_and(FlagFacts::holds_off) { off(DecisionStep::Tripped) } else { None }
}

/// The share that counts, once a rollout has started.
fn started_share(flag: &Flag, fact: Option<&FlagFacts>) -> Percent {
    match &flag.rollout {
        Some(rollout) => rollout.percent(Timestamp::MAX, fact.map_or(0, |fact| fact.step)),
        None => flag.share_of_the_rest(),
    }
}
