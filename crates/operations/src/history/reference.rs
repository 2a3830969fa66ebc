//! A revision by the beginning of its name.

use flagstaff_flags::FlagTexts;
use flagstaff_ledger::{Location, RecordedRevision, RevisionStore};

use super::answer::{RevisionReference, short};
use crate::Error;
use crate::workspace::Workspace;

/// The files as they are now.
const NOW: &str = "now";

/// As many revisions that begin so are listed.
const LISTED: usize = 4;

/// A revision that somebody named, with its texts.
pub(super) struct Named {
    pub(super) reference: RevisionReference,
    /// As it is recorded; none: the files as they are now.
    pub(super) recorded: Option<RecordedRevision>,
    pub(super) texts: FlagTexts,
}

impl Named {
    /// Finds the revision that a text names: its beginning; one before it with `^` behind it; or `now` for
    /// the files as they are.
    pub(super) async fn find(workspace: &Workspace, store: &mut RevisionStore, text: &str) -> Result<Self, Error> {
        if text == NOW {
            let (revision, texts) = workspace.texts()?;
            let reference = RevisionReference { revision, number: None, at: None, by: None };
            return Ok(Self { reference, recorded: None, texts });
        }
        let recorded = recorded(workspace, store, text).await?;
        let gone = || Error::RevisionGone(short(&recorded.revision).into());
        let texts = store.texts(&recorded).await?.ok_or_else(gone)?;
        Ok(Self { reference: RevisionReference::of(&recorded), recorded: Some(recorded), texts })
    }
}

/// The row of a revision that is recorded.
async fn recorded(workspace: &Workspace, store: &mut RevisionStore, text: &str) -> Result<RecordedRevision, Error> {
    let beginning = text.trim_end_matches('^');
    let back = text.len() - beginning.len();
    let now = if beginning == NOW { Some(workspace.texts()?.0) } else { None };
    let named = now.as_deref().unwrap_or(beginning);
    let environment = workspace.source.environment();
    let mut found =
        if named.is_empty() { Vec::new() } else { store.beginning(environment, named, LISTED).await? }.into_iter();
    let (first, second) = (found.next(), found.next());
    if let (Some(first), Some(second)) = (&first, &second) {
        let rest = found.map(|one| one.revision);
        let all = [first.revision.clone(), second.revision.clone()].into_iter().chain(rest);
        return Err(Error::ManyRevisions {
            text: named.into(),
            all: all.map(|one| short(&one).to_owned()).collect(),
        });
    }
    let none = || Error::NoRevision(text.into());
    let found = first.ok_or_else(none)?;
    if back == 0 {
        return Ok(found);
    }
    let number = found.number.checked_sub(back as u64).ok_or_else(none)?;
    store.numbered(environment, number).await?.ok_or_else(none)
}

/// A revision that is recorded, by its beginning, and its texts; none where it is not, or they are not kept, or the ledger gives no answer.
pub(crate) async fn text_of(workspace: &Workspace, beginning: &str) -> Option<(String, FlagTexts)> {
    let mut store = open_now(workspace).await.ok()?;
    let named = Named::find(workspace, &mut store, beginning).await;
    store.close().await;
    named.ok().map(|named| (named.reference.revision, named.texts))
}

/// Opens the log of revisions to read it, in the ledger or its replica.
pub(super) async fn open(workspace: &Workspace) -> Result<RevisionStore, Error> {
    workspace.open_to_read(there(workspace)?, RevisionStore::open_to_read).await
}

/// Opens the log of revisions in the ledger itself, for what an edit rests on.
pub(super) async fn open_now(workspace: &Workspace) -> Result<RevisionStore, Error> {
    Ok(RevisionStore::open_to_read(there(workspace)?).await?)
}

fn there(workspace: &Workspace) -> Result<&Location, Error> {
    let place = workspace.ledger()?.ok_or(Error::NoLedger)?;
    let there = workspace.ledger_that_is_there()?;
    there.ok_or_else(|| flagstaff_ledger::Error::Missing(place.clone()).into())
}
