//! What a new snapshot means for the facts about its flags.

use std::sync::Arc;

use flagstaff_experiment::rollout::undone;
use flagstaff_flags::{Fact, FactKind, Flag, Name, Snapshot, Standing};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::flag_state::Ward;

/// Who edits files by hand is not known.
const BY_FILE: &str = "file";
/// What the program does by itself.
const BY_PROGRAM: &str = "flagstaff";

/// The fact that a flag of a new snapshot makes, if any. `before` is the flag as it was in force here; none at the start.
pub(crate) fn seen(flag: &Flag, before: Option<&Flag>, ward: Option<&Ward>) -> Option<Fact> {
    let Some(ward) = ward else {
        return Some(first(flag));
    };
    let standing = &ward.standing;
    let fact = |kind, why: String| Fact { kind, why, definition: flag.definition, ..ward.draft(BY_FILE) };
    if standing.removed {
        return Some(Fact { step: 0, ..fact(FactKind::Changed, "it is back in the file".into()) });
    }
    if standing.definition == flag.definition {
        return switched(flag, before, standing).map(|(kind, why)| fact(kind, why.into()));
    }
    if standing.definition == flag.former_definition {
        let why = "its definition is the same, under the fingerprint of this version".into();
        return Some(Fact { by: BY_PROGRAM.into(), ..fact(FactKind::Continued, why) });
    }
    let undone = undone(standing).map(|undone| format!(": {undone}")).unwrap_or_default();
    let off = if flag.enabled { "" } else { "; it is off for everyone now" };
    Some(Fact { step: 0, ..fact(FactKind::Changed, format!("the file was edited{undone}{off}")) })
}

/// Whether the file switched a flag on or off. At the start only a file that says otherwise than the facts did; and none that says
/// on switches on what a person switched off.
fn switched(flag: &Flag, before: Option<&Flag>, standing: &Standing) -> Option<(FactKind, &'static str)> {
    let is_told = standing.enabled == Some(flag.enabled);
    let is_edited = match before {
        Some(before) => before.enabled != flag.enabled,
        None => standing.enabled.is_some() && standing.switched_off.is_none(),
    };
    match flag.enabled {
        _ if is_told || !is_edited => None,
        true => Some((FactKind::Enabled, "the file says enabled = true again")),
        false => Some((FactKind::Disabled, "the file says enabled = false")),
    }
}

/// Whether a fact says that somebody edited the file of a flag that was known before.
pub(crate) const fn is_edit(kind: FactKind) -> bool {
    matches!(kind, FactKind::Changed | FactKind::Enabled | FactKind::Disabled)
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
pub(crate) fn gone(name: &Name, snapshot: &Snapshot, ward: &Ward) -> Option<Fact> {
    let is_gone = snapshot.find(name.as_str()).is_none() && !ward.standing.removed;
    is_gone.then(|| Fact {
        kind: FactKind::Removed,
        why: "it is no longer in the file".into(),
        ..ward.draft(BY_FILE)
    })
}

/// The fact that a flag has expired, where that is new.
pub(crate) fn expired(flag: &Arc<Flag>, ward: &Ward, today: Date) -> Option<Fact> {
    let is_new = flag.is_expired(today) && !ward.standing.expired_told;
    is_new.then(|| Fact {
        kind: FactKind::Expired,
        why: flag.expires.map(|date| format!("it expired on {date}")).unwrap_or_default(),
        ..ward.draft(BY_PROGRAM)
    })
}

#[cfg(test)]
mod tests {
    use flagstaff_flags::Definition;

    use super::*;

    fn flag(definition: u64, former: u64) -> Flag {
        let name = Name::new("checkout").unwrap();
        Flag { definition: Definition(definition), former_definition: Definition(former), ..Flag::new(name) }
    }

    fn ward(kinds: &[FactKind], definition: u64) -> Ward {
        let fact = |(number, kind): (u64, &FactKind)| Fact {
            number,
            kind: *kind,
            definition: Definition(definition),
            step: usize::from(*kind != FactKind::Defined),
            ..first(&flag(definition, 0))
        };
        Ward::new(&(1..).zip(kinds).map(fact).collect::<Vec<_>>()).unwrap()
    }

    /// What an earlier version recorded, with a fingerprint over every key, goes on at its step and stays rolled back.
    #[test]
    fn an_upgrade_restarts_nothing() {
        use FactKind::{Changed, Continued, Defined, Step, Tripped};
        let mut ward = ward(&[Defined, Step, Tripped], 5);
        let fact = seen(&flag(9, 5), None, Some(&ward)).unwrap();
        assert_eq!((fact.kind, fact.definition, fact.number), (Continued, Definition(9), 4));
        assert!(!ward.add(&fact), "nothing begins anew");
        let standing = &ward.standing;
        assert_eq!((standing.step, standing.trip.is_some(), standing.definition), (1, true, Definition(9)));
        assert_eq!(seen(&flag(9, 5), None, Some(&ward)), None, "once");
        assert_eq!(seen(&flag(9, 6), None, Some(&ward)), None, "a note was edited since");
        let edited = seen(&flag(10, 7), None, Some(&ward)).unwrap();
        assert_eq!((edited.kind, edited.step), (Changed, 0));
        assert!(edited.why.contains("rollback") && edited.why.contains("step 2"), "{}", edited.why);
    }

    /// A file that says on, and always did, does not switch on what a person switched off; an edit of it does.
    #[test]
    fn only_an_edit_switches_on_again() {
        use FactKind::{Defined, Disabled, Enabled, SwitchedOff};
        let ward = ward(&[Defined, SwitchedOff], 9);
        let (on, off) = (flag(9, 5), Flag { enabled: false, ..flag(9, 5) });
        let kind = |flag: &Flag, before: Option<&Flag>| seen(flag, before, Some(&ward)).map(|fact| fact.kind);
        assert_eq!(kind(&on, None), None, "a start");
        assert_eq!(kind(&on, Some(&on)), None, "an edit of something else");
        assert_eq!(kind(&off, Some(&on)), None, "the file says it now too");
        assert_eq!(kind(&on, Some(&off)), Some(Enabled));
        let ward = self::ward(&[Defined], 9);
        let kind = |flag: &Flag, before: Option<&Flag>| seen(flag, before, Some(&ward)).map(|fact| fact.kind);
        assert_eq!(kind(&off, Some(&on)), Some(Disabled));
        assert_eq!(kind(&off, None), None, "nothing was told of it before");
    }
}
