//! `flagstaff push`: a file takes the place of what is in the store.

use anyhow::{Context, bail};
use flagstaff_flags::FlagTexts;
use flagstaff_operations::edit::{Confirmation, FlagUndone};
use flagstaff_operations::transfer::{Push, PushAnswer, PushConflict, Pushed, push};
use flagstaff_source::FlagSource;

use crate::cli;
use crate::commands::{Outcome, changes, confirm, diff, person};
use crate::settings::shown;
use crate::terminal::{BAD, FAINT, GOOD, STRONG, err, json as print_json, out, styled};
use crate::workspace::{Opened, block_on, warn};

pub(crate) fn run(args: &cli::Push) -> anyhow::Result<Outcome> {
    let (flags, ledger) = (args.flags.clone(), args.ledger.clone());
    let opened = Opened::ledger(&cli::LedgerArgs { flags, ledger, ..cli::LedgerArgs::default() })?;
    let by = person(args.by.as_deref());
    let from = args.file.display().to_string();
    let texts = texts(args, &opened)?;
    let wanted = Push { texts, from: &from, if_revision: args.if_revision.as_deref(), by: &by };
    let make =
        |confirmation: Confirmation<'_>| opened.answer(block_on(push(&opened.workspace, &wanted, confirmation))?);
    let mut answer = make(if args.yes { Confirmation::Yes } else { Confirmation::No })?;
    if let PushAnswer::WouldUndo(preview) = &answer {
        if !confirm::is_confirmed(&format!("this also affects:\n{}", undone(&preview.undoes))) {
            if args.json {
                print_json(&answer)?;
            }
            return Ok(Outcome::No);
        }
        let of = preview.revision.clone();
        answer = make(Confirmation::Of(&of))?;
    }
    if args.json {
        print_json(&answer)?;
    }
    tell(args, &opened.workspace.source.name(), answer)
}

/// The file, and its overlay where there is one.
fn texts(args: &cli::Push, opened: &Opened) -> anyhow::Result<FlagTexts> {
    let file = FlagSource::files(&args.file, opened.workspace.source.environment());
    if opened.workspace.source.file().is_some_and(|target| is_same(target, &args.file)) {
        bail!("{} is where the flags are already; name the store with --flags, such as redis://HOST/0", file.name());
    }
    args.file.metadata().with_context(|| format!("cannot read {}", args.file.display()))?;
    Ok(file.texts().map_err(|report| shown(&report))?.1)
}

fn is_same(a: &std::path::Path, b: &std::path::Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

fn tell(args: &cli::Push, source: &str, answer: PushAnswer) -> anyhow::Result<Outcome> {
    match answer {
        PushAnswer::Done(done) => {
            if !args.json {
                out(&text(&done, source))?;
            }
            if let Some(problem) = &done.problem {
                warn(&format!("the push is not recorded in the ledger: {problem}"));
            }
            Ok(Outcome::Yes)
        }
        PushAnswer::Conflict(conflict) => {
            if !args.json {
                err(&conflicting(args, &conflict, source));
            }
            Ok(Outcome::No)
        }
        PushAnswer::WouldUndo(_) => Ok(Outcome::No),
    }
}

fn undone(all: &[FlagUndone]) -> String {
    all.iter().map(|one| format!("  {}: {}", one.flag, one.what)).collect::<Vec<_>>().join("\n")
}

fn text(done: &Pushed, source: &str) -> String {
    let revision = styled(STRONG, short(&done.revision));
    if !done.changed {
        return format!("{source} is already so; its revision is {revision}\n");
    }
    let mut text = format!("{}: the revision is now {revision}\n", styled(GOOD, "pushed"));
    text.extend(done.changes.iter().map(|part| format!("  {}\n", changes::part(part))));
    text + &styled(FAINT, &format!("in {}, by {}\n", done.files.join(" and "), done.by))
}

fn conflicting(args: &cli::Push, conflict: &PushConflict, source: &str) -> String {
    let now = short(&conflict.revision);
    let (from, what) = match &conflict.since {
        Some(since) => (short(since).to_owned(), "somebody else changed it meanwhile"),
        None => (
            args.file.display().to_string(),
            "another revision is there than was expected; it differs from your file",
        ),
    };
    let mut text = format!("{}: {what}\n", styled(BAD, "not pushed"));
    text.extend(conflict.changes.iter().map(|part| format!("  {}\n", changes::part(part))));
    text += &diff::lines(&conflict.files, &from, now);
    let pull = "flagstaff pull --output FILE, put your changes in";
    text + &format!("{source} has the revision {now}: {pull}, and push with --if-revision {now}\n")
}

/// Enough of a revision to tell it from others.
pub(crate) fn short(revision: &str) -> &str {
    revision.get(..12).unwrap_or(revision)
}
