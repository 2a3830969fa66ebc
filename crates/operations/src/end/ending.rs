//! An end's way: judge it, archive the flag, give everybody the winner or take the flag out.

use flagstaff_flags::Flag;
use flagstaff_source::archive;
use flagstaff_source::edit;
use flagstaff_source::edit::{Ending, Refused, Settled, VariantNames};
use jiff::{Timestamp, Unit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{Ended, Gone, Passed, Results};
use super::case::{Case, End, choices};
use crate::Error;
use crate::code::{Found, Searching, Spellings, Wanted};
use crate::revisions::Recording;
use crate::workspace::{Workspace, find};

/// The most lines of code that are listed.
const MAX_LINES: usize = 10_000;

/// What came of an end.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "EndAnswer")]
pub enum EndAnswer {
    /// The flag was ended before, and is out of the file.
    Gone(Box<Gone>),
    /// It was ended now, or was not, and why.
    Ended(Box<Ended>),
}

/// Ends an experiment: archives its flag with its results, and gives everybody the winner or takes the flag out. Where something speaks
/// against it nothing is done, unless it is forced.
///
/// # Errors
/// When there is no such flag or variant, the files are not those of the revision that is named, the flag file or the archive cannot be used, or the ledger gives no answer.
pub async fn end(workspace: &Workspace, wanted: &End<'_>) -> Result<EndAnswer, Error> {
    let loaded = workspace.load()?;
    if wanted.revision.is_some_and(|revision| revision != loaded.snapshot.revision()) {
        return Err(not_edited(workspace, Refused::Changed));
    }
    let ended = workspace.source.ended()?;
    let latest = archive::latest(&ended, wanted.flag);
    let Some(flag) = loaded.snapshot.flag_named(wanted.flag) else {
        return match latest.filter(|one| wanted.winner.is_none_or(|winner| winner == one.winner)) {
            Some(before) => {
                let waffle = before.waffle_name();
                let code = code_that_asks(workspace, wanted, &waffle)?;
                let spellings = Spellings::with_waffle(wanted.flag, &waffle);
                Ok(EndAnswer::Gone(Box::new(Gone::new(before, &spellings, code))))
            }
            None => Err(find(&loaded.snapshot, wanted.flag).err().unwrap_or(Error::Input("no such flag".into()))),
        };
    };
    let winner = winner(wanted, flag, latest)?;
    let case = Case { workspace, wanted, snapshot: &loaded.snapshot, flag, winner: &winner };
    let ended = match latest {
        Some(latest) if wanted.winner.is_none() || is_ended(&case, latest)? => remove(&case, latest).await?,
        _ => archive_and_settle(&case).await?,
    };
    Ok(EndAnswer::Ended(Box::new(ended)))
}

/// The lines that may ask for the flag, where it is said where to look. The flag files do not count. A part of the folder that cannot be
/// read is an error: code that asks may be there.
fn code_that_asks(workspace: &Workspace, wanted: &End<'_>, waffle: &str) -> Result<Option<Vec<Found>>, Error> {
    let Some(folder) = wanted.code else { return Ok(None) };
    let but = workspace.source.all_files();
    let searching = Searching { folder, option: "--code", but, exclude: &[], most_lines: MAX_LINES };
    let searched = searching.search(&Wanted::only(wanted.flag, waffle), &mut |_| ())?;
    match searched.unreadable.first() {
        Some(why) => Err(Error::Input(format!("--code {}: {why}", folder.display()))),
        None => Ok(Some(searched.that_may_ask(wanted.flag))),
    }
}

/// The variant everybody gets: as said, or as it was ended before.
fn winner(wanted: &End<'_>, flag: &Flag, latest: Option<&archive::Ended>) -> Result<String, Error> {
    let choices = choices(flag);
    let Some(winner) = wanted.winner.or(latest.map(|one| one.winner.as_str())) else {
        let (flag, choices) = (wanted.flag, choices.join(", "));
        return Err(Error::Input(format!("`{flag}` was not ended yet: name the winner with --winner ({choices})")));
    };
    if choices.contains(&winner) {
        return Ok(winner.into());
    }
    let help = format!("it can be: {}", choices.join(", "));
    Err(Error::NoVariant { flag: wanted.flag.into(), variant: winner.into(), help })
}

/// Archives the flag with its results, and gives everybody the winner or takes it out.
async fn archive_and_settle(case: &Case<'_>) -> Result<Ended, Error> {
    let judged = case.judge().await?;
    let code = code_that_asks(case.workspace, case.wanted, case.flag.waffle_name())?;
    let mut objections: Vec<_> = judged.objection.into_iter().chain(case.is_off()).collect();
    objections.extend(case.tripped().await);
    if case.wanted.remove {
        objections.extend(case.still_asked(code.as_deref()));
    }
    let entry = entry(case, judged.results.as_ref(), !objections.is_empty());
    finish(case, judged.results, Some(&entry), objections, code).await
}

/// Whether all that is left is to take out a flag that was ended with this winner before.
fn is_ended(case: &Case<'_>, latest: &archive::Ended) -> Result<bool, Error> {
    Ok(case.wanted.remove && latest.winner == case.winner && !settle(case, None, false, true)?.changed)
}

/// Takes out a flag that was ended before.
async fn remove(case: &Case<'_>, latest: &archive::Ended) -> Result<Ended, Error> {
    let code = code_that_asks(case.workspace, case.wanted, case.flag.waffle_name())?;
    let mut objections = Vec::new();
    if settle(case, None, false, true)?.changed {
        let (flag, winner) = (case.wanted.flag, &latest.winner);
        objections.push(format!(
            "`{flag}` was changed since it was ended on {}: not everybody gets `{winner}`; end it again with --winner",
            latest.at
        ));
    }
    objections.extend(case.still_asked(code.as_deref()));
    finish(case, None, None, objections, code).await
}

async fn finish(
    case: &Case<'_>,
    results: Option<Results>,
    entry: Option<&archive::Ended>,
    objections: Vec<String>,
    code: Option<Vec<Found>>,
) -> Result<Ended, Error> {
    let stops = !objections.is_empty() && !case.wanted.force;
    let settled = if stops { None } else { Some(settle_and_record(case, entry).await?) };
    let is_done = settled.is_some() && !case.wanted.dry_run;
    let revision = if is_done { case.workspace.revision().ok() } else { None };
    let upstream = case.flag.upstream.iter().filter(|(id, _)| case.flag.variants.name(*id) == case.winner);
    Ok(Ended {
        flag: case.wanted.flag.into(),
        winner: case.winner.into(),
        done: is_done,
        dry_run: case.wanted.dry_run,
        archived: settled.as_ref().is_some_and(|settled| settled.archived),
        archive: case.workspace.source.archive_name(),
        file: case.workspace.source.name(),
        revision: revision.unwrap_or_else(|| case.snapshot.revision().into()),
        changed: settled.as_ref().is_some_and(|settled| settled.changed),
        removed: settled.is_some() && case.wanted.remove,
        unused_goals: case.unused_goals(),
        results,
        objections,
        keep: case.winner.into(),
        delete: choices(case.flag).into_iter().filter(|name| *name != case.winner).map(Into::into).collect(),
        spellings: case.spellings().all(),
        code,
        next: settled.as_ref().map(|_| case.next()),
        gone: settled.map(|settled| settled.gone),
        passed: Passed {
            requires: case.flag.requires.iter().map(|one| one.flag.to_string()).collect(),
            pin: case.flag.pin.as_ref().map(|pin| pin.variable.clone()),
            upstream: upstream.map(|(_, address)| address.to_string()).collect(),
        },
    })
}

/// Settles the flag as it is wanted, and records the revision. A ledger that gives no answer keeps no experiment from its end.
async fn settle_and_record(case: &Case<'_>, entry: Option<&archive::Ended>) -> Result<Settled, Error> {
    let wanted = case.wanted;
    if wanted.dry_run {
        return settle(case, entry, wanted.remove, true);
    }
    let now = case.workspace.texts().ok().map(|(_, texts)| texts);
    let recording = Recording::open(case.workspace, now.as_ref()).await.ok().flatten();
    let settled = settle(case, entry, wanted.remove, false)?;
    if let Some(recording) = recording.filter(|_| settled.changed) {
        let how = if wanted.remove { " --remove" } else { "" };
        let why = format!("end {} --winner {}{how}", wanted.flag, case.winner);
        // running programs record it as an edit of the file then
        let _ = recording.record(settled.texts.clone(), wanted.by.as_deref().unwrap_or_default(), &why).await;
    }
    Ok(settled)
}

fn settle(case: &Case<'_>, entry: Option<&archive::Ended>, remove: bool, dry_run: bool) -> Result<Settled, Error> {
    let names = choices(case.flag);
    let variants = if case.flag.variants.are_named() { VariantNames::Named(&names) } else { VariantNames::OffAndOn };
    let ending = Ending { flag: case.wanted.flag, winner: case.winner, variants, entry, remove, dry_run };
    let Workspace { source, reading, .. } = case.workspace;
    edit::end(source, reading, case.snapshot.revision(), &ending).map_err(|refused| match refused {
        Refused::Invalid(report) => Error::NotWritten(report),
        why => not_edited(case.workspace, why),
    })
}

fn not_edited(workspace: &Workspace, why: Refused) -> Error {
    Error::NotEdited { name: workspace.source.name(), why }
}

/// The entry of the archive.
fn entry(case: &Case<'_>, results: Option<&Results>, has_objections: bool) -> archive::Ended {
    let now = Timestamp::now();
    archive::Ended {
        flag: case.wanted.flag.into(),
        winner: case.winner.into(),
        at: now.round(Unit::Second).unwrap_or(now),
        by: case.wanted.by.clone(),
        revision: case.snapshot.revision().into(),
        definition: case.flag.definition.to_string(),
        forced: has_objections,
        text: String::new(),
        results: results.and_then(|results| serde_json::to_value(results).ok()),
    }
}
