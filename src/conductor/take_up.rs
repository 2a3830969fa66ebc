//! What a new snapshot means for the facts about its flags.

use std::sync::Arc;

use flagstaff_flags::{Fact, FactKind, Flag, Name, Snapshot};
use jiff::Timestamp;
use jiff::civil::Date;

use super::ward::Ward;

/// Who edits files is not known.
const BY_FILE: &str = "file";

/// The fact that a flag of a new snapshot makes, if any.
pub(super) fn seen(flag: &Flag, ward: Option<&Ward>) -> Option<Fact> {
    let Some(ward) = ward else {
        return Some(first(flag));
    };
    let standing = &ward.standing;
    if standing.definition == flag.definition && !standing.removed {
        return None;
    }
    let why = if standing.removed { "it is back in the file" } else { "the file was edited" };
    Some(Fact {
        kind: FactKind::Changed,
        definition: flag.definition,
        step: 0,
        why: why.into(),
        ..ward.draft(BY_FILE)
    })
}

fn first(flag: &Flag) -> Fact {
    Fact {
        flag: flag.name.clone(),
        number: 1,
        at: Timestamp::now(),
        definition: flag.definition,
        kind: FactKind::Defined,
        step: 0,
        by: BY_FILE.into(),
        why: "it is in the file".into(),
        evidence: None,
    }
}

/// The fact that a flag makes by not being there any more, if it was.
pub(super) fn gone(name: &Name, snapshot: &Snapshot, ward: &Ward) -> Option<Fact> {
    let is_gone = snapshot.find(name.as_str()).is_none() && !ward.standing.removed;
    is_gone.then(|| Fact {
        kind: FactKind::Removed,
        why: "it is no longer in the file".into(),
        ..ward.draft(BY_FILE)
    })
}

/// The fact that a flag has expired, where that is new.
pub(super) fn expired(flag: &Arc<Flag>, ward: &Ward, today: Date) -> Option<Fact> {
    let is_new = flag.is_expired(today) && !ward.standing.expired_told;
    is_new.then(|| Fact {
        kind: FactKind::Expired,
        why: flag.expires.map(|date| format!("it expired on {date}")).unwrap_or_default(),
        ..ward.draft("flagstaff")
    })
}
