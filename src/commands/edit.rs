//! `flagstaff add`, `set`, `on`, `off` and `delete`: edits in place that keep comments and layout, and say who made them.

use flagstaff_client::Switch;
use flagstaff_operations::Error;
use flagstaff_operations::api::{ChangeRequest, CreateRequest, DeleteQuery, OrderRequest, ProblemKind};
use flagstaff_operations::edit::{self, Change, Confirmation, Edited, Editor, Removal, Way, WouldUndo, remove};
use flagstaff_source::edit::{EditError, Refused};

use crate::cli::{Add, Delete, EditOf, Off, On, Set};
use crate::commands::{Outcome, confirm, person, undo};
use crate::remote::Remote;
use crate::terminal::{BAD, FAINT, GOOD, ODD, STRONG, err, json as print_json, out, styled};
use crate::workspace::{Opened, block_on, warn};

pub(crate) fn set(args: &Set) -> anyhow::Result<Outcome> {
    if let Some(remote) = Remote::ledger(&args.edit.ledger)? {
        let remote = remote.by(&person(args.edit.by.as_deref()));
        let set: Vec<_> = args.values.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect();
        return make(&args.edit, args.yes, &|confirmation| {
            let (yes, confirmed) = confirm::consent(confirmation);
            let request = ChangeRequest { set: set.clone(), yes };
            remote.answer(remote.client.set(&args.edit.flag, &request, confirmed))
        });
    }
    let changes: Vec<_> = args.values.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    here(&args.edit, &Opened::ledger(&args.edit.ledger)?, &Change::Set(&changes), args.yes)
}

pub(crate) fn add(args: &Add) -> anyhow::Result<Outcome> {
    if let Some(remote) = Remote::ledger(&args.edit.ledger)? {
        let remote = remote.by(&person(args.edit.by.as_deref()));
        let set = args.values.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect();
        let request = CreateRequest { name: args.edit.flag.clone(), like: args.like.clone(), set };
        return make(&args.edit, true, &|_| remote.answer(remote.client.create(&request)));
    }
    let keys: Vec<_> = args.values.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let change = Change::Create { like: args.like.as_deref(), keys: &keys };
    here(&args.edit, &Opened::ledger(&args.edit.ledger)?, &change, true)
}

pub(crate) fn delete(args: &Delete) -> anyhow::Result<Outcome> {
    let (flag, by) = (&args.edit.flag, person(args.edit.by.as_deref()));
    if let Some(remote) = Remote::ledger(&args.edit.ledger)? {
        let remote = remote.by(&by);
        return take_out(args, &|confirmation| {
            let (yes, confirmed) = confirm::consent(confirmation);
            let query = DeleteQuery { yes, confirm: confirmed.map(Into::into) };
            remote.answer(remote.client.delete(flag, &query))
        });
    }
    let opened = Opened::ledger(&args.edit.ledger)?;
    take_out(args, &|confirmation| opened.answer(block_on(remove(&opened.workspace, flag, &by, confirmation))?))
}

/// Takes a flag out; asks first where it was not ended.
fn take_out(args: &Delete, apply: &dyn Fn(Confirmation<'_>) -> anyhow::Result<Removal>) -> anyhow::Result<Outcome> {
    let flag = &args.edit.flag;
    let mut removal = apply(if args.yes { Confirmation::Yes } else { Confirmation::No })?;
    if let Removal::NotEnded(WouldUndo { what, revision }) = &removal {
        if !confirm::is_confirmed(what) {
            return Ok(Outcome::No);
        }
        removal = apply(Confirmation::Of(revision))?;
    }
    let Removal::Removed(removed) = removal else { return Ok(Outcome::No) };
    if args.edit.json {
        print_json(&removed)?;
        return Ok(Outcome::Yes);
    }
    let gone = styled(FAINT, &format!("by {}; it said:\n{}", removed.by, removed.text));
    out(&format!("{} is out of the file\n{gone}", styled(STRONG, flag)))?;
    Ok(Outcome::Yes)
}

pub(crate) fn on(args: &On) -> anyhow::Result<Outcome> {
    let (change, switch) = match args.everyone {
        true => (Change::OnForEveryone, Switch::OnForEveryone),
        false => (Change::On, Switch::On),
    };
    flip(&args.edit, &change, switch, args.yes)
}

pub(crate) fn off(args: &Off) -> anyhow::Result<Outcome> {
    flip(&args.edit, &Change::Off, Switch::Off, true)
}

fn flip(args: &EditOf, change: &Change<'_>, switch: Switch, yes: bool) -> anyhow::Result<Outcome> {
    let Some(remote) = Remote::ledger(&args.ledger)? else {
        return here(args, &Opened::switch(&args.ledger)?, change, yes);
    };
    let remote = remote.by(&person(args.by.as_deref()));
    make(args, yes, &|confirmation| {
        let (yes, confirmed) = confirm::consent(confirmation);
        let request = OrderRequest { yes };
        remote.answer(remote.client.switch(&args.flag, switch, &request, confirmed))
    })
}

/// Makes an edit of the files.
fn here(args: &EditOf, opened: &Opened, change: &Change<'_>, yes: bool) -> anyhow::Result<Outcome> {
    let by = person(args.by.as_deref());
    let away = |error: &Error| warn(&format!("the edit is not recorded in the ledger: {error}"));
    let editor = Editor { workspace: &opened.workspace, flag: &args.flag, by: &by, warn: &away };
    make(args, yes, &|confirmation| opened.answer(block_on(editor.apply(change, confirmation))?))
}

/// Makes an edit; asks first where it would undo something.
fn make(
    args: &EditOf,
    yes: bool,
    apply: &dyn Fn(Confirmation<'_>) -> anyhow::Result<edit::EditAnswer>,
) -> anyhow::Result<Outcome> {
    let mut answer = match apply(if yes { Confirmation::Yes } else { Confirmation::No }) {
        Err(error) if is_refused(&error) => {
            err(&format!("{}: {error:#}\n", styled(BAD, "refused")));
            return Ok(Outcome::No);
        }
        answer => answer?,
    };
    if let edit::EditAnswer::WouldUndo(WouldUndo { what, revision }) = &answer {
        let careful = format!("this edit also affects `{}`: {what}", args.flag);
        if !confirm::is_confirmed(&careful) {
            return Ok(Outcome::No);
        }
        answer = apply(Confirmation::Of(revision))?;
    }
    let edit::EditAnswer::Edited(mut edited) = answer else {
        return Ok(Outcome::No);
    };
    edited.undo = undo::located(&edited.undo, &args.ledger);
    show(args, &edited)?;
    Ok(if edited.in_force { Outcome::Yes } else { Outcome::No })
}

/// Whether the flag is in a state in which an edit can do nothing: that is an answer, and no fault.
fn is_refused(error: &anyhow::Error) -> bool {
    match error.downcast_ref::<Error>() {
        Some(Error::NotEdited { why: Refused::Edit(EditError::FollowsRollout(_)), .. }) => true,
        Some(Error::Elsewhere(problem)) => problem.kind == ProblemKind::Refused,
        _ => false,
    }
}

fn show(args: &EditOf, edited: &Edited) -> anyhow::Result<()> {
    if args.json {
        print_json(edited)?;
    }
    match &edited.way {
        Way::Files { files, problems } if !args.json => out(&by_file(edited, files, &problems.join("\n"))),
        Way::Files { .. } => Ok(()),
        Way::Ledger { location, why, refused } => {
            by_ledger(args, edited, location, why.join("\n").trim_end(), refused.as_deref())
        }
    }
}

/// What the flag is now, where that stands, and how to undo it.
fn by_file(edited: &Edited, files: &[String], problems: &str) -> String {
    let verb = if edited.changed { "is now" } else { "was already" };
    let style = if edited.in_force { GOOD } else { ODD };
    let mut text = format!("{} {verb} {}\n", styled(STRONG, &edited.flag), styled(style, &edited.means));
    if !problems.is_empty() {
        text += &format!("{}: {problems}\n", styled(BAD, "but"));
    } else if !edited.in_force {
        text += &format!("{}: {} overrides it\n", styled(BAD, "It has no effect here"), edited.origin);
    }
    if edited.changed {
        let place = if files.is_empty() { "in the ledger".into() } else { format!("in {}", files.join(" and ")) };
        text += &styled(FAINT, &format!("{place}, by {}; undo: {}\n", edited.by, edited.undo));
    }
    text
}

/// The flag is off, or on again, by a fact in the ledger because the file cannot say it; or is not.
fn by_ledger(args: &EditOf, edited: &Edited, location: &str, why: &str, refused: Option<&str>) -> anyhow::Result<()> {
    if let Some(refused) = refused {
        let unusable = if args.json { "" } else { "running programs cannot use the file, and " };
        err(&format!("{why}\n{}: {unusable}{refused}\n", styled(BAD, "not in force")));
        return Ok(());
    }
    if args.json {
        err(&format!("{why}\n"));
        return Ok(());
    }
    let now = if edited.enabled { "on again, as in the last good file" } else { "off for everyone" };
    out(&format!("{} is now {}\n", styled(STRONG, &edited.flag), styled(GOOD, now)))?;
    let place = format!(
        "in the ledger {location}, by {}: in force within a second in every program that uses it; undo: {}\n",
        edited.by, edited.undo
    );
    out(&styled(FAINT, &place))?;
    warn(&format!("running programs cannot use the file\n{why}"));
    Ok(())
}
