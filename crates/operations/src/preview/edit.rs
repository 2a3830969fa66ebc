//! What an edit of one flag would do.

use std::sync::Arc;

use flagstaff_flags::{FlagId, RecordedFacts, Snapshot};
use flagstaff_source::edit::Change;
use jiff::Timestamp;

use super::answer::{About, FlagMoves, Preview};
use super::compare::compare;
use super::visitors::RecentVisitors;
use crate::Error;
use crate::edit::{Editor, Planned};

/// What a change would do, before it is made. Nothing is written.
///
/// # Errors
/// When the change makes no sense, or the file would be wrong.
pub async fn preview(editor: &Editor<'_>, change: &Change<'_>, recent: &RecentVisitors) -> Result<Preview, Error> {
    let now = Timestamp::now();
    let planned = editor.planned(change).await?;
    let Some((before, after)) = sides(editor, change, &planned, recent).await? else {
        return Err(Error::Input("the flag file cannot be used, so nobody knows what the edit would do".into()));
    };
    let compared = compare(&before, &after, &recent.visitors, now);
    let mut preview = Preview {
        flag: editor.flag.into(),
        changes: planned.is_change || decides(editor.flag, &before, &after),
        moves: 0,
        of: compared.of,
        kept: 0,
        by_variant: Vec::new(),
        others: Vec::new(),
        undoes: planned.undoes.clone(),
        restarts_at: None,
        clears_rollback: false,
        unknown: recent.unknown_keys(&after),
        revision: planned.revision.clone(),
        means: String::new(),
    };
    for (flag, compared) in compared.flags {
        if flag == editor.flag {
            preview.count(&compared);
        } else if compared.moves > 0 {
            preview.others.push(FlagMoves { flag, moves: compared.moves });
        }
    }
    tell(&mut preview, &before, &after, recent, now);
    Ok(preview)
}

/// Fills in what is undone, and the sentence, from the flag before and after.
pub(super) fn tell(
    preview: &mut Preview,
    before: &Arc<Snapshot>,
    after: &Arc<Snapshot>,
    recent: &RecentVisitors,
    now: Timestamp,
) {
    let (old, new) = (before.find(&preview.flag), after.find(&preview.flag));
    let step = |snapshot: &Snapshot, id| snapshot.step(id);
    let is_edited = old.and_then(|id| before.flag(id)).map(|flag| flag.definition)
        != new.and_then(|id| after.flag(id)).map(|flag| flag.definition);
    // as `undone` has it of the facts: the first step of a rollout that runs is lost too
    let was_under_way = old.is_some_and(|id| step(before, id) > 0 || (is_edited && rolls_out(before, id)));
    let restarts = was_under_way && new.is_some_and(|id| step(after, id) == 0);
    let rollout = new.and_then(|id| after.flag(id)?.rollout.as_ref()).filter(|_| restarts);
    let share = rollout.map(|rollout| rollout.percent(now, 0));
    let is_tripped = |snapshot: &Snapshot, id| snapshot.is_tripped(id);
    preview.restarts_at = share.map(flagstaff_flags::Percent::as_f64);
    preview.clears_rollback =
        old.is_some_and(|id| is_tripped(before, id)) && !new.is_some_and(|id| is_tripped(after, id));
    let words =
        old.and_then(|id| before.switched_off(id)).filter(|_| new.is_some_and(|id| after.switched_off(id).is_none()));
    let about = About {
        why_none: recent.why_none,
        decides: decides(&preview.flag, before, after),
        restarts_at: share.map(|share| share.to_string()),
        switched_on: words,
    };
    preview.say(&about);
}

/// Whether a rollout of a flag runs.
fn rolls_out(snapshot: &Snapshot, id: FlagId) -> bool {
    let is_on = snapshot.flag(id).is_some_and(|flag| flag.rollout.is_some() && flag.enabled);
    is_on && !snapshot.is_tripped(id) && snapshot.switched_off(id).is_none()
}

/// Whether something changes that decides about visitors.
pub(super) fn decides(flag: &str, before: &Snapshot, after: &Snapshot) -> bool {
    let of = |snapshot: &Snapshot| {
        let id = snapshot.find(flag)?;
        let flag = snapshot.flag(id)?;
        Some((flag.definition, flag.enabled, snapshot.switched_off(id).is_some()))
    };
    of(before) != of(after)
}

/// The flags before and after, each with what is recorded of them then.
async fn sides(
    editor: &Editor<'_>,
    change: &Change<'_>,
    planned: &Planned,
    recent: &RecentVisitors,
) -> Result<Option<(Arc<Snapshot>, Arc<Snapshot>)>, Error> {
    let Some(before) = planned.before.as_ref().or(recent.in_force.as_ref()) else {
        return Ok(None);
    };
    let mut known = recorded(editor, recent).await?;
    if let (Some(standing), Some(flag)) = (&planned.standing, before.flag_named(editor.flag)) {
        known.tripped.extend(standing.tripped_before.iter().map(|definition| (flag.name.clone(), *definition)));
    }
    let later = switched(&known, change, editor.flag, before, planned.after.is_none());
    let after = planned.after.as_ref().unwrap_or(before);
    Ok(Some((Arc::new(before.with_facts(&known)), Arc::new(after.with_facts(&later)))))
}

/// What is recorded now: as a running program has it, or as the ledger says.
async fn recorded(editor: &Editor<'_>, recent: &RecentVisitors) -> Result<RecordedFacts, Error> {
    match &recent.in_force {
        Some(in_force) => Ok(in_force.recorded()),
        None => editor.workspace.recorded_facts().await,
    }
}

/// What would be recorded after a switch: a fact holds the flag off where the file cannot say it, and none does after a switch-on.
fn switched(
    known: &RecordedFacts,
    change: &Change<'_>,
    flag: &str,
    before: &Snapshot,
    by_fact: bool,
) -> RecordedFacts {
    let mut later = known.clone();
    let named = before.flag_named(flag).filter(|_| by_fact);
    match change {
        Change::On | Change::OnForEveryone => later.switched_off.retain(|(name, _)| name.as_str() != flag),
        Change::Off => later.switched_off.extend(named.map(|flag| (flag.name.clone(), "switched off".into()))),
        Change::Set(_) | Change::Put(_) | Change::Create { .. } => {}
    }
    later
}
