//! What happened to flags, as a person tells it.

use flagstaff_flags::FactKind;
use flagstaff_operations::attention::RecentFact;
use flagstaff_operations::history::FactEntry;
use flagstaff_operations::rollout::HistoryEntry;
use jiff::Timestamp;

use super::words::ago;

/// Something that happened.
pub(super) struct FactLine {
    /// When, exactly.
    pub(super) at: String,
    /// How long ago.
    pub(super) ago: String,
    pub(super) flag: String,
    pub(super) words: &'static str,
    pub(super) why: String,
    pub(super) by: String,
}

impl FactLine {
    /// Of any flag.
    pub(super) fn of_any(fact: RecentFact, now: Timestamp) -> Self {
        let (at, ago, words) = (format!("{:.0}", fact.at), ago(fact.at, now), what_happened(fact.kind));
        Self { at, ago, flag: fact.flag, words, why: fact.why, by: fact.by }
    }

    /// Of the history.
    pub(super) fn of_history(fact: FactEntry, now: Timestamp) -> Self {
        let words = what_happened(fact.kind.parse().unwrap_or(FactKind::Unknown));
        Self {
            at: format!("{:.0}", fact.at),
            ago: ago(fact.at, now),
            flag: fact.flag,
            words,
            why: fact.why,
            by: fact.by,
        }
    }

    /// Of one flag.
    pub(super) fn of_one(flag: &str, entry: &HistoryEntry, now: Timestamp) -> Self {
        Self {
            at: format!("{:.0}", entry.at),
            ago: ago(entry.at, now),
            flag: flag.into(),
            words: what_happened(entry.kind),
            why: entry.why.clone(),
            by: entry.by.clone(),
        }
    }
}

/// What happened to a flag, as the end of a sentence that begins with it.
const fn what_happened(kind: FactKind) -> &'static str {
    match kind {
        FactKind::Defined => "was defined",
        FactKind::Changed => "was edited",
        FactKind::Removed => "was taken out of the file",
        FactKind::Step => "went to its next step",
        FactKind::ApprovalNeeded => "waits for an approval",
        FactKind::Paused => "was paused",
        FactKind::Resumed => "goes on",
        FactKind::Inconclusive => "does not go on for now",
        FactKind::Recovered => "can go on again",
        FactKind::Tripped => "was rolled back by its guard",
        FactKind::Held => "is held by its guard",
        FactKind::Observed => "would have been rolled back, but its guard only observes",
        FactKind::Reset => "was reset",
        FactKind::Done => "has done all its steps",
        FactKind::Expired => "expired",
        FactKind::SwitchedOff => "was switched off beside its file",
        FactKind::SwitchedOn => "was switched on again",
        FactKind::Disabled => "was switched off",
        FactKind::Enabled => "was switched on",
        FactKind::Continued => "goes on as it was",
        FactKind::Unknown => "changed in a way that a later version knows",
    }
}
