//! Ended flags that code still asks for.

use std::collections::BTreeMap;
use std::path::Path;

use flagstaff_flags::Snapshot;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::end::{AskedAs, Found, Spellings};
use crate::workspace::Workspace;

/// An ended flag that code still asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EndedInCode {
    /// The flag.
    pub flag: String,
    /// The variant that it was ended with.
    pub winner: String,
    /// The lines that ask for it.
    pub code: Vec<Found>,
}

/// Searches a folder for the flags of the archive.
pub(super) fn search(workspace: &Workspace, snapshot: &Snapshot, folder: &Path) -> Result<Vec<EndedInCode>, Error> {
    let ended: BTreeMap<_, _> = workspace.source.ended()?.into_iter().map(|one| (one.flag, one.winner)).collect();
    let but = workspace.source.all_files();
    let mut all = Vec::new();
    for (flag, winner) in ended {
        let waffle = snapshot.flag_named(&flag).map_or(flag.as_str(), |flag| flag.waffle_name());
        let mut code = Spellings::with_waffle(&flag, waffle).search(folder, &but)?;
        // a line that reads all flags asks for none of them
        code.retain(|found| found.kind != AskedAs::AllFlags);
        if !code.is_empty() {
            all.push(EndedInCode { flag, winner, code });
        }
    }
    Ok(all)
}
