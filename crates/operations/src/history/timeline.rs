//! Revisions and facts, the newest first.

use flagstaff_flags::{Fact, FactKind, Name};
use flagstaff_ledger::{FactStore, RecordedRevision};

use super::answer::{FactEntry, History, HistoryEntry, RevisionEntry};
use super::reference::open;
use crate::Error;
use crate::workspace::{Workspace, find};

/// The most entries of one answer.
const MOST_ENTRIES: usize = 10_000;

/// Facts that say no more than that a revision came, once revisions are recorded.
const TOLD_BY_REVISIONS: [FactKind; 6] = [
    FactKind::Changed,
    FactKind::Continued,
    FactKind::Defined,
    FactKind::Disabled,
    FactKind::Enabled,
    FactKind::Removed,
];

/// Revisions of the flags, of all or of those that change one, and what else happened to them: steps, trips, switches; the newest first, and no more than
/// `limit`.
///
/// # Errors
/// When nothing was ever recorded of the flag and the file does not have it, no ledger is kept, or it gives no answer.
pub async fn history(workspace: &Workspace, flag: Option<&str>, limit: usize) -> Result<History, Error> {
    let current = workspace.texts().ok().map(|(revision, _)| revision);
    let environment = workspace.source.environment();
    let mut history = History {
        flag: flag.map(Into::into),
        environment: environment.map(Into::into),
        environments: Vec::new(),
        current,
        entries: Vec::new(),
        more: false,
        dropped: 0,
    };
    let place = workspace.ledger()?.ok_or(Error::NoLedger)?;
    // a text that is not a valid name of a flag names none, so nothing changed it
    let name = flag.map(Name::new).transpose().ok();
    if let (Some(name), Some(_)) = (&name, workspace.ledger_that_is_there()?) {
        let limit = limit.clamp(1, MOST_ENTRIES);
        let mut store = open(workspace).await?;
        let revisions = store.newest(environment, name.as_ref(), limit + 1).await?;
        let first = store.first(environment).await?;
        history.environments = store.environments().await?;
        store.close().await;
        let began = first.as_ref().map(|first| first.1);
        let mut facts = workspace.open_to_read(place, FactStore::open_to_read).await?;
        let facts_of_flag = facts.newest_facts(name.as_ref(), limit + 1, (&TOLD_BY_REVISIONS, began)).await;
        facts.close().await;
        history.dropped = first.as_ref().map_or(0, |first| first.0.saturating_sub(1));
        history.add(revisions, &facts_of_flag?, limit);
    }
    if history.entries.is_empty()
        && let Some(flag) = flag
    {
        find(&workspace.in_force()?.snapshot, flag)?;
    }
    Ok(history)
}

impl History {
    fn add(&mut self, revisions: Vec<RecordedRevision>, facts: &[Fact], limit: usize) {
        let mut current = self.current.clone();
        let revisions = revisions.into_iter().map(|revision| {
            // of those that say the same, the last one is it
            let is_current = current.take_if(|current| *current == revision.revision).is_some();
            HistoryEntry::Revision(RevisionEntry::new(revision, is_current))
        });
        let facts = facts.iter().map(|fact| HistoryEntry::Fact(FactEntry::new(fact)));
        self.entries = revisions.chain(facts).collect();
        self.entries.sort_by_key(|entry| std::cmp::Reverse(entry.at()));
        self.more = self.entries.len() > limit;
        self.entries.truncate(limit);
    }
}
