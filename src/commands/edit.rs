//! `flagstaff add`, `set`, `on`, `off` and `delete`: edits in place that keep comments and layout, and say who made them.

use flagstaff_operations::Error;
use flagstaff_operations::edit::{self, Change, Confirmation, Edited, Editor, Removal, Way, WouldUndo, remove};

use crate::cli::{Add, Delete, EditOf, Off, On, Set};
use crate::commands::{Outcome, confirm, person};
use crate::terminal::{BAD, FAINT, GOOD, ODD, STRONG, err, json as print_json, out, styled};
use crate::workspace::{Opened, block_on, warn};

pub(crate) fn set(args: &Set) -> anyhow::Result<Outcome> {
    let changes: Vec<_> = args.values.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let opened = Opened::ledger(&args.edit.ledger)?;
    make(&args.edit, &opened, &Change::Set(&changes), args.yes)
}

pub(crate) fn add(args: &Add) -> anyhow::Result<Outcome> {
    let keys: Vec<_> = args.values.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let change = Change::Create { like: args.like.as_deref(), keys: &keys };
    make(&args.edit, &Opened::ledger(&args.edit.ledger)?, &change, true)
}

pub(crate) fn delete(args: &Delete) -> anyhow::Result<Outcome> {
    let opened = Opened::ledger(&args.edit.ledger)?;
    let (flag, by) = (&args.edit.flag, person(args.edit.by.as_deref()));
    let confirmation = if args.yes { Confirmation::Yes } else { Confirmation::No };
    let mut removal = opened.answer(block_on(remove(&opened.workspace, flag, &by, confirmation))?)?;
    if let Removal::NotEnded(WouldUndo { what, revision }) = &removal {
        if !confirm::is_confirmed(what) {
            return Ok(Outcome::No);
        }
        removal = opened.answer(block_on(remove(&opened.workspace, flag, &by, Confirmation::Of(revision)))?)?;
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
    let change = if args.everyone { Change::OnForEveryone } else { Change::On };
    make(&args.edit, &Opened::switch(&args.edit.ledger)?, &change, args.yes)
}

pub(crate) fn off(args: &Off) -> anyhow::Result<Outcome> {
    make(&args.edit, &Opened::switch(&args.edit.ledger)?, &Change::Off, true)
}

/// Makes an edit; asks first where it would undo something.
fn make(args: &EditOf, opened: &Opened, change: &Change<'_>, yes: bool) -> anyhow::Result<Outcome> {
    let by = person(args.by.as_deref());
    let away = |error: &Error| warn(&format!("the edit is not recorded in the ledger: {error}"));
    let editor = Editor { workspace: &opened.workspace, flag: &args.flag, by: &by, warn: &away };
    let confirmation = if yes { Confirmation::Yes } else { Confirmation::No };
    let mut answer = opened.answer(block_on(editor.apply(change, confirmation))?)?;
    if let edit::Answer::WouldUndo(WouldUndo { what, revision }) = &answer {
        let careful = format!("this edit also affects `{}`: {what}", args.flag);
        if !confirm::is_confirmed(&careful) {
            return Ok(Outcome::No);
        }
        answer = opened.answer(block_on(editor.apply(change, Confirmation::Of(revision)))?)?;
    }
    let edit::Answer::Edited(edited) = answer else {
        return Ok(Outcome::No);
    };
    let is_in_force = edited.in_force;
    show(args, opened, edited)?;
    Ok(if is_in_force { Outcome::Yes } else { Outcome::No })
}

fn show(args: &EditOf, opened: &Opened, mut edited: Edited) -> anyhow::Result<()> {
    let way = std::mem::replace(&mut edited.way, Way::Files { files: Vec::new(), problems: Vec::new() });
    if args.json {
        print_json(&edited)?;
    }
    match way {
        Way::Files { files, problems } if !args.json => {
            let files: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
            out(&by_file(&edited, &files, &lines(opened, problems)))
        }
        Way::Files { .. } => Ok(()),
        Way::Ledger { location, why, refused } => {
            let why = lines(opened, why);
            by_ledger(args, &edited, &location, why.trim_end(), refused.as_deref())
        }
    }
}

fn lines(opened: &Opened, errors: Vec<Error>) -> String {
    errors.into_iter().map(|error| format!("{:#}", opened.error(error))).collect::<Vec<_>>().join("\n")
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
