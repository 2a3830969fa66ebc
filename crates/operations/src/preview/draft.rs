//! What a whole text of flags would do: a revision that is put back, or one that is being written.

use std::sync::Arc;

use flagstaff_flags::Snapshot;
use flagstaff_source::{Text, parse};
use jiff::Timestamp;

use super::answer::{DraftPreview, Preview};
use super::compare::{Compared, compare};
use super::edit::{decides, tell};
use super::visitors::RecentVisitors;
use crate::Error;
use crate::workspace::Workspace;

/// A text of flags that is not in force.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// The definitions.
    pub definitions: &'a [u8],
    /// The overlay of the workspace's environment.
    pub overlay: Option<&'a [u8]>,
}

/// What a draft would do in place of the flags that are in force. Nothing is written, and nothing of it is kept.
///
/// # Errors
/// [`Error::Flags`] with every mistake of the draft, or the error with which the flags of now cannot be read.
pub async fn preview_draft(
    workspace: &Workspace,
    draft: Draft<'_>,
    recent: &RecentVisitors,
) -> Result<DraftPreview, Error> {
    let now = Timestamp::now();
    let overlay = draft.overlay.map(|bytes| Text { name: "the draft's overlay", bytes });
    let definitions = Text { name: "the draft", bytes: draft.definitions };
    let loaded = parse(definitions, overlay, &workspace.reading).map_err(|report| Error::Flags(Box::new(report)))?;
    let before = match &recent.in_force {
        Some(in_force) => Arc::clone(in_force),
        None => Arc::new(workspace.in_force()?.snapshot.with_facts(&workspace.recorded_facts().await?)),
    };
    let after = Arc::new(loaded.snapshot.with_facts(&before.recorded()));
    let compared = compare(&before, &after, &recent.visitors, now);
    let changed = compared.flags.iter().filter(|(flag, one)| one.moves > 0 || decides(flag, &before, &after));
    let of_flag = |(flag, one): &(String, Compared)| {
        let mut preview = empty(flag, compared.of, &after);
        preview.count(one);
        tell(&mut preview, &before, &after, recent, now);
        preview.undoes = undone(&preview);
        preview
    };
    let flags = changed.map(of_flag).collect();
    let revision = after.revision().to_owned();
    let mut answer = DraftPreview { moves: compared.moves, of: compared.of, flags, revision, means: String::new() };
    answer.say(recent.why_none);
    Ok(answer)
}

fn empty(flag: &str, of: u64, after: &Snapshot) -> Preview {
    Preview {
        flag: flag.into(),
        changes: true,
        moves: 0,
        of,
        kept: 0,
        by_variant: Vec::new(),
        others: Vec::new(),
        undoes: None,
        restarts_at: None,
        clears_rollback: false,
        unknown: Vec::new(),
        revision: after.revision().into(),
        means: String::new(),
    }
}

/// What happened to a flag and is undone.
fn undone(preview: &Preview) -> Option<String> {
    let restarts = preview.restarts_at.map(|share| format!("its rollout begins anew, at {share} %"));
    let clears = preview.clears_rollback.then(|| "the rollback by its guard is cleared".to_owned());
    let all: Vec<_> = clears.into_iter().chain(restarts).collect();
    (!all.is_empty()).then(|| all.join("; "))
}
