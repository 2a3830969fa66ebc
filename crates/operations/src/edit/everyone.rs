//! A switch-on for everyone: where it can do nothing, and who is left out all the same.

use flagstaff_flags::{Flag, Percent, RecordedFacts, Requirement, Snapshot, Standing};
use flagstaff_source::edit::{Change, EditError, EditPlan, Refused};
use jiff::Timestamp;

/// Why a flag cannot be on for everyone by this change: it follows a rollout that is not at its end.
pub(super) fn refused(
    change: &Change<'_>,
    plan: &EditPlan,
    name: &str,
    standing: Option<&Standing>,
) -> Option<Refused> {
    if !matches!(change, Change::OnForEveryone) {
        return None;
    }
    let snapshot = &plan.after().ok()?.snapshot;
    let flag = snapshot.flag_named(name).filter(|flag| flag.rollout.is_some())?;
    let mut known = RecordedFacts::default();
    standing.into_iter().for_each(|standing| known.add(&flag.name, standing));
    let share = snapshot.with_facts(&known).share(snapshot.find(name)?, Timestamp::now());
    (share != Percent::ALL).then(|| Refused::Edit(EditError::FollowsRollout(name.into())))
}

/// Who is left out of a flag that is on for everyone, in words; none where nobody is.
pub(super) fn left_out(snapshot: &Snapshot, flag: &Flag) -> Option<String> {
    let requires: Vec<_> = flag.requires.iter().map(required).collect();
    let is_held_out = snapshot.holdout().is_some() && flag.is_experiment(Percent::ALL);
    let limits = [
        flag.deny.is_some().then(|| "those whom `deny` names".to_owned()),
        (!requires.is_empty()).then(|| format!("those who do not have {} (`requires`)", requires.join(" and "))),
        flag.layer.as_ref().map(|layer| format!("those outside its slice of the layer `{layer}`")),
        is_held_out.then(|| "those who are held out of all experiments (`holdout`)".to_owned()),
    ];
    let limits: Vec<_> = limits.into_iter().flatten().collect();
    (!limits.is_empty()).then(|| format!("but not for {}", limits.join(", ")))
}

fn required(one: &Requirement) -> String {
    match &one.variant {
        Some(variant) => format!("`{}={variant}`", one.flag),
        None => format!("`{}`", one.flag),
    }
}
