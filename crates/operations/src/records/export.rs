//! What was recorded, for other programs.

use std::io;
use std::pin::pin;

use flagstaff_flags::{Goal, Holdout, Snapshot};
use flagstaff_ledger::{Export as Rows, Format, Ledger, goals_of};
use futures_util::StreamExt;
use jiff::Timestamp;

use crate::Error;
use crate::workspace::{Workspace, find};

/// What is to be exported.
#[derive(Clone, Debug)]
pub struct Export<'a> {
    /// The flag; all that were recorded where none is named.
    pub flag: Option<&'a str>,
    /// What a row is.
    pub rows: Rows,
    /// How rows are written.
    pub format: Format,
}

/// A part of an export, in order.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    /// A flag begins, with so many rows where that is known.
    Begin(Option<u64>),
    /// A line, with its end.
    Line(&'a str),
    /// The flag's rows are over.
    End,
}

/// What came of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exported {
    /// What was recorded.
    Rows,
    /// Nothing was recorded of the flag.
    NothingOfFlag,
    /// Nothing was recorded at all.
    Nothing,
}

/// Exports what was recorded, part by part. The writer says false when nobody reads on.
///
/// # Errors
/// When there is no such flag, several flags are to be one CSV, the ledger gives no answer, or the writer fails.
pub async fn export(
    workspace: &Workspace,
    snapshot: &Snapshot,
    wanted: &Export<'_>,
    mut write: impl FnMut(Part<'_>) -> io::Result<bool>,
) -> Result<Exported, Error> {
    workspace
        .ask(async |ledger| {
            let recorded = ledger.flags().await?;
            for flag in chosen(wanted, snapshot, &recorded)? {
                if !rows(ledger, snapshot, wanted, &flag, &mut write).await? {
                    break;
                }
            }
            Ok(match wanted.flag {
                _ if recorded.is_empty() => Exported::Nothing,
                Some(flag) if !recorded.iter().any(|one| one == flag) => Exported::NothingOfFlag,
                _ => Exported::Rows,
            })
        })
        .await
}

/// The flags that are exported.
fn chosen(wanted: &Export<'_>, snapshot: &Snapshot, recorded: &[String]) -> Result<Vec<String>, Error> {
    if let Some(flag) = wanted.flag {
        if !recorded.iter().any(|one| one == flag) {
            find(snapshot, flag)?;
        }
        return Ok(vec![flag.to_owned()]);
    }
    match (wanted.format, recorded) {
        (Format::Csv, [_, _, ..]) => Err(Error::Input(format!(
            "goals are columns, so a CSV holds one flag: name it with --flag ({}), or use --format jsonl",
            recorded.join(", ")
        ))),
        _ => Ok(recorded.to_vec()),
    }
}

/// Writes one flag's rows; false when nobody reads on.
async fn rows(
    ledger: &mut Ledger,
    snapshot: &Snapshot,
    wanted: &Export<'_>,
    flag: &str,
    write: &mut impl FnMut(Part<'_>) -> io::Result<bool>,
) -> Result<bool, Error> {
    let known = match wanted.rows {
        Rows::Visitors => Some(ledger.visitors(flag).await?),
        Rows::Days => None,
    };
    let goals = goals(snapshot, flag);
    let mut lines = pin!(ledger.export(flag, &goals, &wanted.rows, wanted.format, Timestamp::now()));
    let mut goes_on = write(Part::Begin(known))?;
    while goes_on {
        match lines.next().await {
            Some(line) => goes_on = write(Part::Line(&line?))?,
            None => return Ok(write(Part::End)?),
        }
    }
    Ok(false)
}

/// Goals of a flag; none of one that is not defined any more, and all of the holdout.
fn goals(snapshot: &Snapshot, flag: &str) -> Vec<Goal> {
    if flag == Holdout::NAME {
        return snapshot.goals().to_vec();
    }
    let flag = snapshot.flag_named(flag);
    flag.into_iter().flat_map(|flag| goals_of(snapshot, flag)).cloned().collect()
}
