//! `flagstaff rollback`: an old revision, or one flag of it, is put back.

use flagstaff_operations::api::{RollbackQuery, RollbackRequest};
use flagstaff_operations::edit::Confirmation;
use flagstaff_operations::history::{
    FlagUndone, Rollback, RollbackAnswer, RollbackPreview, RolledBack, preview, rollback,
};

use crate::cli;
use crate::commands::{Outcome, changes, confirm, diff, person, undo};
use crate::remote::Remote;
use crate::terminal::{FAINT, GOOD, STRONG, json as print_json, out, styled};
use crate::workspace::{Opened, block_on, warn};

pub(crate) fn run(args: &cli::Rollback) -> anyhow::Result<Outcome> {
    let by = person(args.by.as_deref());
    if let Some(remote) = Remote::ledger(&args.ledger)? {
        let remote = remote.by(&by);
        if args.dry_run {
            let query = RollbackQuery { revision: args.revision.clone(), flag: args.flag.clone() };
            return shown(args, &remote.answer(remote.client.preview_rollback(&query))?);
        }
        return make(args, &|confirmation| {
            let (yes, confirmed) = confirm::consent(confirmation);
            let request = RollbackRequest { revision: args.revision.clone(), flag: args.flag.clone(), yes };
            remote.answer(remote.client.rollback(&request, confirmed))
        });
    }
    let opened = Opened::ledger(&args.ledger)?;
    let wanted = Rollback { revision: &args.revision, flag: args.flag.as_deref(), by: &by };
    if args.dry_run {
        return shown(args, &opened.answer(block_on(preview(&opened.workspace, &wanted))?)?);
    }
    make(args, &|confirmation| opened.answer(block_on(rollback(&opened.workspace, &wanted, confirmation))?))
}

fn shown(args: &cli::Rollback, preview: &RollbackPreview) -> anyhow::Result<Outcome> {
    if args.json {
        print_json(preview)?;
    } else {
        out(&would_do(preview))?;
    }
    Ok(Outcome::Yes)
}

/// Puts it back; asks first where that would undo something.
fn make(
    args: &cli::Rollback,
    apply: &dyn Fn(Confirmation<'_>) -> anyhow::Result<RollbackAnswer>,
) -> anyhow::Result<Outcome> {
    let mut answer = apply(if args.yes { Confirmation::Yes } else { Confirmation::No })?;
    if let RollbackAnswer::WouldUndo(preview) = &answer {
        if !confirm::is_confirmed(&format!("this also affects:\n{}", undone(&preview.undoes))) {
            if args.json {
                print_json(&answer)?;
            }
            return Ok(Outcome::No);
        }
        let of = preview.revision.clone();
        answer = apply(Confirmation::Of(&of))?;
    }
    if let RollbackAnswer::Done(done) = &mut answer {
        done.undo = done.undo.take().map(|command| undo::located(&command, &args.ledger));
    }
    if args.json {
        print_json(&answer)?;
    }
    let RollbackAnswer::Done(done) = answer else { return Ok(Outcome::No) };
    if !args.json {
        out(&text(&done))?;
    }
    if let Some(problem) = &done.problem {
        warn(&format!("the rollback is not recorded in the ledger: {problem}"));
    }
    Ok(Outcome::Yes)
}

fn undone(all: &[FlagUndone]) -> String {
    all.iter().map(|one| format!("  {}: {}", one.flag, one.what)).collect::<Vec<_>>().join("\n")
}

fn what(flag: Option<&str>) -> String {
    styled(STRONG, flag.unwrap_or("the whole file"))
}

fn text(done: &RolledBack) -> String {
    let (what, to) = (what(done.flag.as_deref()), done.to.short());
    if !done.changed {
        return format!("{what} is already as in {to}\n");
    }
    let mut text = format!("{what} is {} as in {to}\n", styled(GOOD, "again"));
    text.extend(done.changes.iter().map(|part| format!("  {}\n", changes::part(part))));
    let undo = done.undo.as_ref().map(|undo| format!("; undo: {undo}")).unwrap_or_default();
    text + &styled(FAINT, &format!("in {}, by {}{undo}\n", done.files.join(" and "), done.by))
}

fn would_do(preview: &RollbackPreview) -> String {
    let (what, to) = (what(preview.flag.as_deref()), preview.to.short());
    if !preview.changed {
        return format!("{what} is already as in {to}\n");
    }
    let mut text = format!("{what} would be as in {to}; nothing is changed yet\n");
    if !preview.undoes.is_empty() {
        text += &format!("this also affects what follows, and needs --yes:\n{}\n", undone(&preview.undoes));
    }
    text + &diff::lines(&preview.files, "now", to)
}
