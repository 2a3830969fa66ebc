//! An edit is recorded, with its author.

use std::time::Duration;

use flagstaff_flags::{FlagTexts, RevisionSource};
use flagstaff_ledger::{BeforeEdit, NewRevision, RevisionStore};
use flagstaff_source::revision;
use jiff::Timestamp;
use tokio::time::timeout;

use super::changes::compare;
use super::git::last_commit;
use crate::Error;
use crate::workspace::Workspace;

/// How long a ledger may take for one answer: somebody waits.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// An edit that is about to be written, the ledger being open.
pub(crate) struct Recording<'a> {
    workspace: &'a Workspace,
    store: RevisionStore,
    before: BeforeEdit,
}

impl<'a> Recording<'a> {
    /// Opens the ledger before an edit of these texts is written; none where nothing is kept, or no program has run with it yet. What was edited by hand before and no
    /// running program has accepted yet is recorded first, so that it is not taken for a part of this edit.
    ///
    /// # Errors
    /// When the ledger gives no answer.
    pub(crate) async fn open(workspace: &'a Workspace, now: Option<&FlagTexts>) -> Result<Option<Self>, Error> {
        let Some(place) = workspace.ledger_that_is_there()? else { return Ok(None) };
        let opened = async {
            let mut store = RevisionStore::open(place).await?;
            let environment = workspace.source.environment();
            let mut before = store.before_edit(environment).await?;
            if let Some(texts) = now.filter(|texts| before.revision.as_deref() != Some(revision(texts).as_str())) {
                store.record_edit(&by_hand(workspace, texts), &before).await?;
                before = store.before_edit(environment).await?;
            }
            Ok::<_, Error>(Self { workspace, store, before })
        };
        timeout(ANSWER_TIMEOUT, opened).await.map_err(|_| Error::LedgerSilent(place.to_string()))?.map(Some)
    }

    /// Records the edit, once it is written.
    ///
    /// # Errors
    /// When the ledger gives no answer.
    pub(crate) async fn record(mut self, texts: FlagTexts, by: &str, why: &str) -> Result<(), Error> {
        let edit = new(self.workspace, texts, self.workspace.edits_by, by, why);
        let done = timeout(ANSWER_TIMEOUT, self.store.record_edit(&edit, &self.before)).await;
        self.store.close().await;
        let silent = || self.workspace.ledger().ok().flatten().map(ToString::to_string).unwrap_or_default();
        Ok(done.map_err(|_| Error::LedgerSilent(silent()))??)
    }
}

/// What is in the files, made by somebody whom only git may know.
fn by_hand(workspace: &Workspace, texts: &FlagTexts) -> NewRevision {
    let commit = workspace.source.file().and_then(|file| last_commit(texts, file, workspace.source.overlay_file()));
    let by = commit.as_ref().map_or("", |commit| commit.author.as_str());
    let revision = new(workspace, texts.clone(), RevisionSource::File, by, "");
    NewRevision { commit: commit.map(|commit| commit.hash), ..revision }
}

fn new(workspace: &Workspace, texts: FlagTexts, source: RevisionSource, by: &str, why: &str) -> NewRevision {
    NewRevision {
        revision: revision(&texts),
        environment: workspace.source.environment().map(Into::into),
        at: Timestamp::now(),
        source,
        by: by.into(),
        commit: None,
        why: why.into(),
        place: workspace.source.name(),
        texts,
        compare,
    }
}
