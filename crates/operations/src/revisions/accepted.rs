//! A revision that a running program accepted.

use flagstaff_flags::RevisionSource;
use flagstaff_ledger::NewRevision;
use flagstaff_source::{FlagSource, Loaded};
use jiff::Timestamp;

use super::changes::compare;
use super::git::Commit;

/// A revision that was accepted just now, for [`flagstaff_ledger::Recorder::record_revision`]. Nobody knows who made it but git.
#[must_use]
pub fn accepted(
    from: &FlagSource,
    loaded: &Loaded,
    source: RevisionSource,
    at: Timestamp,
    commit: Option<Commit>,
) -> NewRevision {
    let (by, commit) = commit.map_or((String::new(), None), |commit| (commit.author, Some(commit.hash)));
    NewRevision {
        revision: loaded.snapshot.revision().into(),
        environment: from.environment().map(Into::into),
        at,
        source,
        by,
        commit,
        why: String::new(),
        place: from.name(),
        texts: loaded.texts.clone(),
        compare,
    }
}
