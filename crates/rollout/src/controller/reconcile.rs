//! Reconciles facts with a new snapshot: which facts follow from flags that are new, edited or gone.

use std::collections::HashMap;

use flagstaff_experiment::rollout::undone;
use flagstaff_flags::{Fact, FactKind, Flag, Name, Snapshot, Standing};
use jiff::Timestamp;
use jiff::civil::Date;

use super::flag_state::FlagState;

/// What edits the file, as facts say it: who did is not known.
const BY_FILE: &str = "file";
/// What the program does by itself.
const BY_PROGRAM: &str = "flagstaff";

/// How a flag of the file came into force here. It decides whether a definition that the flag had before is an edit: a program with
/// an older file edits nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Came<'a> {
    /// With the start of the program.
    AtStart,
    /// In place of this one; of none, where the flag was not there.
    InPlaceOf(Option<&'a Flag>),
    /// It was there before, and nothing changed it.
    Unchanged,
    /// By an edit that is not on record.
    Edited,
}

/// The facts that a snapshot makes in place of the one before it; there is none at the start. While the snapshot is the last good
/// one, serving it is no edit.
pub(crate) fn reconcile(
    before: Option<&Snapshot>,
    now: &Snapshot,
    states: &HashMap<Name, FlagState>,
    is_last_good: bool,
) -> Vec<Fact> {
    let came = |flag: &Flag| match before {
        None => Came::AtStart,
        Some(before) => Came::InPlaceOf(before.flag_named(flag.name.as_str()).map(|flag| &**flag)),
    };
    let seen = now.flags().iter().filter_map(|flag| seen(flag, came(flag), states.get(&flag.name)));
    // what went while no program ran may be another program's: nothing is known to have gone
    let was_here = |state: &&FlagState| before.is_some_and(|before| before.find(state.name().as_str()).is_some());
    let here = states.values().filter(was_here);
    let gone = here.filter_map(|state| gone(state, now));
    seen.chain(gone).filter(|fact| !is_last_good || !is_edit(fact.kind)).collect()
}

/// The fact that a flag of a snapshot makes, if any.
pub(crate) fn seen(flag: &Flag, came: Came<'_>, state: Option<&FlagState>) -> Option<Fact> {
    let Some(state) = state else {
        return Some(first(flag));
    };
    let standing = state.standing();
    if lags(flag, came, standing) {
        return None;
    }
    let fact = |kind, why: String| Fact { kind, why, definition: flag.definition, ..state.draft(BY_FILE) };
    if standing.removed && is_stopped_as(flag, standing) {
        return Some(fact(FactKind::Continued, "it is back in the file, stopped as it was".into()));
    }
    if standing.removed {
        return Some(Fact { step: 0, ..fact(FactKind::Changed, "it is back in the file".into()) });
    }
    if standing.definition == flag.definition {
        return switched(flag, came, standing).map(|(kind, why)| fact(kind, why.into()));
    }
    if standing.definition == flag.former_definition {
        let why = "its definition is the same, under the fingerprint of this version".into();
        return Some(Fact { by: BY_PROGRAM.into(), ..fact(FactKind::Continued, why) });
    }
    let undone =
        undone(standing, state.flag().map(AsRef::as_ref)).map(|undone| format!(": {undone}")).unwrap_or_default();
    let off = if flag.enabled { "" } else { "; it is off for everyone now" };
    Some(Fact { step: 0, ..fact(FactKind::Changed, format!("the file was edited{undone}{off}")) })
}

/// Whether a guard or a person stopped this definition of a flag: to take it out of the file for a moment, as the checkout of another
/// branch does, starts nothing again.
fn is_stopped_as(flag: &Flag, standing: &Standing) -> bool {
    standing.is_stopped() && [flag.definition, flag.former_definition].contains(&standing.definition)
}

/// Whether the file has the flag as it was earlier, and nobody edited it to that: it is the older file of a program that started again,
/// or that follows later than others. Only a program that had the flag as it stands now can tell that somebody took it back.
fn lags(flag: &Flag, came: Came<'_>, standing: &Standing) -> bool {
    let is_edit = match came {
        Came::AtStart | Came::Unchanged => false,
        Came::InPlaceOf(None) => standing.removed,
        Came::InPlaceOf(Some(before)) => standing.is_about(before),
        Came::Edited => true,
    };
    !is_edit && !standing.is_about(flag) && standing.has_had(flag)
}

/// Whether the file switched a flag on or off. At the start only a file that says otherwise than the facts did; and none that says
/// on switches on what a person switched off.
fn switched(flag: &Flag, came: Came<'_>, standing: &Standing) -> Option<(FactKind, &'static str)> {
    let is_told = standing.enabled == Some(flag.enabled);
    let is_edited = match came {
        Came::InPlaceOf(Some(before)) => before.enabled != flag.enabled,
        Came::Unchanged | Came::Edited => false,
        Came::AtStart | Came::InPlaceOf(None) => standing.enabled.is_some() && standing.switched_off.is_none(),
    };
    match flag.enabled {
        _ if is_told || !is_edited => None,
        true => Some((FactKind::Enabled, "the file says enabled = true again")),
        false => Some((FactKind::Disabled, "the file says enabled = false")),
    }
}

/// Whether a fact says that somebody edited the file of a flag that was known before.
const fn is_edit(kind: FactKind) -> bool {
    matches!(kind, FactKind::Changed | FactKind::Enabled | FactKind::Disabled)
}

/// The first fact of a flag. It gets its time when it is added.
fn first(flag: &Flag) -> Fact {
    Fact {
        flag: flag.name.clone(),
        number: 1,
        at: Timestamp::MIN,
        definition: flag.definition,
        kind: FactKind::Defined,
        step: 0,
        by: BY_FILE.into(),
        why: "it is in the file".into(),
        evidence: None,
    }
}

/// The fact that a flag makes by not being there any more, if it was.
fn gone(state: &FlagState, now: &Snapshot) -> Option<Fact> {
    let is_gone = now.find(state.name().as_str()).is_none() && !state.standing().removed;
    is_gone.then(|| Fact {
        kind: FactKind::Removed,
        why: "it is no longer in the file".into(),
        ..state.draft(BY_FILE)
    })
}

/// The fact that a flag has expired, where that is new.
pub(crate) fn expired(state: &FlagState, today: Date) -> Option<Fact> {
    let flag = state.flag()?;
    let is_new = flag.is_expired(today) && !state.standing().expired_told;
    is_new.then(|| Fact {
        kind: FactKind::Expired,
        why: flag.expires.map(|date| format!("it expired on {date}")).unwrap_or_default(),
        ..state.draft(BY_PROGRAM)
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

    fn state(kinds: &[FactKind], definition: u64) -> FlagState {
        let fact = |(number, kind): (u64, &FactKind)| Fact {
            number,
            kind: *kind,
            definition: Definition(definition),
            step: usize::from(*kind != FactKind::Defined),
            ..first(&flag(definition, 0))
        };
        FlagState::new(&(1..).zip(kinds).map(fact).collect::<Vec<_>>()).unwrap()
    }

    /// What an earlier version recorded, with a fingerprint over every key, goes on at its step and stays rolled back.
    #[test]
    fn an_upgrade_restarts_nothing() {
        use FactKind::{Changed, Continued, Defined, Step, Tripped};
        let mut state = state(&[Defined, Step, Tripped], 5);
        let fact = seen(&flag(9, 5), Came::AtStart, Some(&state)).unwrap();
        assert_eq!((fact.kind, fact.definition, fact.number), (Continued, Definition(9), 4));
        assert!(!state.add(&fact), "nothing begins anew");
        let standing = state.standing();
        assert_eq!((standing.step, standing.trip.is_some(), standing.definition), (1, true, Definition(9)));
        assert_eq!(seen(&flag(9, 5), Came::AtStart, Some(&state)), None, "once");
        assert_eq!(seen(&flag(9, 6), Came::AtStart, Some(&state)), None, "a note was edited since");
        let edited = seen(&flag(10, 7), Came::AtStart, Some(&state)).unwrap();
        assert_eq!((edited.kind, edited.step), (Changed, 0));
        assert!(edited.why.contains("rollback") && edited.why.contains("step 2"), "{}", edited.why);
    }

    /// A checkout of another branch takes flags out of the file for a moment.
    #[test]
    fn what_was_stopped_comes_back_stopped() {
        use FactKind::{Changed, Continued, Defined, Held, Paused, Removed, Step, SwitchedOff, Tripped};
        for (stopped, wanted) in
            [(Tripped, Continued), (Held, Continued), (Paused, Continued), (SwitchedOff, Continued), (Step, Changed)]
        {
            let mut state = state(&[Defined, Step, stopped, Removed], 9);
            let fact = seen(&flag(9, 5), Came::InPlaceOf(None), Some(&state)).unwrap();
            assert_eq!(fact.kind, wanted, "{stopped}");
            let edited = seen(&flag(10, 6), Came::InPlaceOf(None), Some(&state)).unwrap();
            assert_eq!((edited.kind, edited.step), (Changed, 0), "{stopped}: with other keys that decide");
            state.add(&fact);
            let standing = state.standing();
            assert_eq!((standing.is_stopped(), standing.removed), (wanted == Continued, false), "{stopped}");
            assert_eq!(seen(&flag(9, 5), Came::Unchanged, Some(&state)), None, "once");
        }
    }

    /// A file that says on, and always did, does not switch on what a person switched off; an edit of it does.
    #[test]
    fn only_an_edit_switches_on_again() {
        use FactKind::{Defined, Disabled, Enabled, SwitchedOff};
        let state = state(&[Defined, SwitchedOff], 9);
        let (on, off) = (flag(9, 5), Flag { enabled: false, ..flag(9, 5) });
        let kind = |flag: &Flag, before: Option<&Flag>| {
            let came = before.map_or(Came::AtStart, |before| Came::InPlaceOf(Some(before)));
            seen(flag, came, Some(&state)).map(|fact| fact.kind)
        };
        assert_eq!(kind(&on, None), None, "a start");
        assert_eq!(kind(&on, Some(&on)), None, "an edit of something else");
        assert_eq!(kind(&off, Some(&on)), None, "the file says it now too");
        assert_eq!(kind(&on, Some(&off)), Some(Enabled));
        let state = self::state(&[Defined], 9);
        let kind = |flag: &Flag, before: Option<&Flag>| {
            let came = before.map_or(Came::AtStart, |before| Came::InPlaceOf(Some(before)));
            seen(flag, came, Some(&state)).map(|fact| fact.kind)
        };
        assert_eq!(kind(&off, Some(&on)), Some(Disabled));
        assert_eq!(kind(&off, None), None, "nothing was told of it before");
    }
}
