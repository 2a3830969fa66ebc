//! A flag is taken out of its file.

use flagstaff_source::archive;
use flagstaff_source::edit::{Ending, Refused, VariantNames, end};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::editor::{Confirmation, WouldUndo};
use crate::Error;
use crate::revisions::Recording;
use crate::workspace::{Workspace, find};

/// A flag that was taken out.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Removed {
    /// The flag.
    pub flag: String,
    /// The person who took it out.
    pub by: String,
    /// Its text, to put it back.
    pub text: String,
    /// What was taken out, as paths: the flag, and slices of layers.
    pub gone: Vec<String>,
}

/// What came of taking a flag out.
#[derive(Clone, Debug)]
pub enum Removal {
    /// It is out of the file.
    Removed(Removed),
    /// It is still there, because it was not ended and nobody confirmed it.
    NotEnded(WouldUndo),
}

/// Takes a flag out of its file. Code that asks for it gets `off` from then on. One that was not ended is taken out only where that is
/// confirmed.
///
/// # Errors
/// When there is no such flag, another one requires it, an overlay or a gate holds on to it, or the file cannot be written.
pub async fn remove(
    workspace: &Workspace,
    flag: &str,
    by: &str,
    confirmation: Confirmation<'_>,
) -> Result<Removal, Error> {
    let loaded = workspace.load()?;
    find(&loaded.snapshot, flag)?;
    let revision = loaded.snapshot.revision().to_owned();
    if let Confirmation::Of(asked) = confirmation
        && asked != revision
    {
        return Err(not_edited(workspace, Refused::Changed));
    }
    let ended = workspace.source.ended()?;
    if confirmation == Confirmation::No && archive::latest(&ended, flag).is_none() {
        let what = format!(
            "`{flag}` was not ended, so its results are not archived (flagstaff end {flag}), and code that asks for it gets `off`"
        );
        return Ok(Removal::NotEnded(WouldUndo { what, revision }));
    }
    let ending =
        Ending { flag, winner: "off", variants: VariantNames::OffAndOn, entry: None, remove: true, dry_run: false };
    let now = workspace.texts().ok().map(|(_, texts)| texts);
    // a ledger that gives no answer keeps no flag in its file: running programs record it as an edit of the file then
    let recording = Recording::open(workspace, now.as_ref()).await.ok().flatten();
    let settled =
        end(&workspace.source, &workspace.reading, &revision, &ending).map_err(|refused| match refused {
            Refused::Invalid(report) => Error::NotWritten(report),
            why => not_edited(workspace, why),
        })?;
    if let Some(recording) = recording {
        let _ = recording.record(settled.texts.clone(), by, &format!("delete {flag}")).await;
    }
    Ok(Removal::Removed(Removed { flag: flag.into(), by: by.into(), text: settled.text, gone: settled.gone }))
}

fn not_edited(workspace: &Workspace, why: Refused) -> Error {
    Error::NotEdited { name: workspace.source.name(), why }
}
