//! Ended flags that code still asks for.

use std::collections::BTreeMap;
use std::path::Path;

use flagstaff_flags::Snapshot;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::code::{Found, Searching, Wanted};
use crate::workspace::Workspace;

/// The most lines of code that are listed for a flag.
const MAX_LINES: usize = 1_000;

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
    let archive = workspace.source.ended()?;
    let mut wanted = Wanted::default();
    for one in &archive {
        let before = one.waffle_name();
        wanted.add(&one.flag, snapshot.flag_named(&one.flag).map_or(before.as_str(), |flag| flag.waffle_name()));
    }
    let ended: BTreeMap<_, _> = archive.into_iter().map(|one| (one.flag, one.winner)).collect();
    let but = workspace.source.all_files();
    let searching = Searching { folder, option: "--code", but, exclude: &[], most_lines: MAX_LINES };
    let searched = searching.search(&wanted, &mut |_| ())?;
    let of = |(flag, winner): (String, String)| {
        let code = searched.of(&flag)?.first.clone();
        Some(EndedInCode { flag, winner, code })
    };
    Ok(ended.into_iter().filter_map(of).collect())
}
