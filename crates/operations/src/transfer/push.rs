//! A file takes the place of what is in the store.

use flagstaff_flags::FlagTexts;
use flagstaff_source::compare::{PartChange, changes};
use flagstaff_source::edit::{EditPlan, Refused};
use serde::Serialize;

use crate::Error;
use crate::edit::{Confirmation, FlagUndone, WholeEdit};
use crate::history::{DifferentFile, difference_of, text_of};
use crate::workspace::Workspace;

/// The shortest beginning of a revision that names it.
const MIN_REVISION: usize = 4;

/// What is pushed.
#[derive(Clone, Debug)]
pub struct Push<'a> {
    /// The texts: definitions, and the overlay of the environment where there is one. Without it, the one that is there stays.
    pub texts: FlagTexts,
    /// Where the texts come from.
    pub from: &'a str,
    /// Only what is there with this revision, or one that begins so, is replaced.
    pub if_revision: Option<&'a str>,
    /// The person who does it.
    pub by: &'a str,
}

/// What came of a push.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum PushAnswer {
    /// It was done, or is the case already.
    Done(Pushed),
    /// It was not done, because it would undo something: a rollout begins anew, a trip is cleared.
    WouldUndo(PushPreview),
    /// It was not done, because somebody else was first.
    Conflict(PushConflict),
}

/// A push that was done.
#[derive(Clone, Debug, Serialize)]
pub struct Pushed {
    /// Something is otherwise than before.
    pub changed: bool,
    /// The revision now.
    pub revision: String,
    /// What was written, by name.
    pub files: Vec<String>,
    /// The flags and other parts that changed, and their keys.
    pub changes: Vec<PartChange>,
    /// The person who did it.
    pub by: String,
    /// It is recorded in the ledger.
    pub recorded: bool,
    /// Why it is not recorded.
    pub problem: Option<String>,
}

/// What a push would undo.
#[derive(Clone, Debug, Serialize)]
pub struct PushPreview {
    /// What it would undo of what happened to flags.
    pub undoes: Vec<FlagUndone>,
    /// The flags and other parts that it would change, and their keys.
    pub changes: Vec<PartChange>,
    /// The revision that this is about, for [`Confirmation::Of`].
    pub revision: String,
}

/// What somebody else made of it meanwhile.
#[derive(Clone, Debug, Serialize)]
pub struct PushConflict {
    /// The revision that is there now.
    pub revision: String,
    /// Since when the changes are told: the revision that was expected; none where its text is not known, and the differences are those to the file
    /// that was pushed.
    pub since: Option<String>,
    /// The flags and other parts that are otherwise, and their keys.
    pub changes: Vec<PartChange>,
    /// The lines that are otherwise.
    pub files: Vec<DifferentFile>,
}

/// Puts texts in place of what is there. Of two pushes at once one is made; the other one is told what changed.
///
/// # Errors
/// When the texts would be wrong there, nothing can be changed there, or the place gives no answer.
pub async fn push(
    workspace: &Workspace,
    wanted: &Push<'_>,
    confirmation: Confirmation<'_>,
) -> Result<PushAnswer, Error> {
    let confirmed = if let Confirmation::Of(revision) = confirmation { Some(revision) } else { None };
    let plan = EditPlan::replace(&workspace.source, &workspace.reading, confirmed, &wanted.texts);
    let plan = match plan {
        Err(Refused::Changed) => return conflict(workspace, wanted, confirmed, None).await,
        plan => plan.map_err(|refused| refusal(workspace, refused))?,
    };
    if let Some(expected) = wanted.if_revision.filter(|expected| !names(expected, &plan)) {
        return conflict(workspace, wanted, Some(expected), None).await;
    }
    let seen = plan.texts_before();
    let edit = WholeEdit::new(workspace, wanted.by, plan);
    let mut facts = edit.open_facts().await;
    if confirmation == Confirmation::No {
        let undoes = edit.undoes(&mut facts).await;
        if !undoes.is_empty() {
            let (changes, revision) = (edit.changes(), edit.plan.revision());
            return Ok(PushAnswer::WouldUndo(PushPreview { undoes, changes, revision }));
        }
    }
    let written = match edit.make(facts, &format!("push {}", wanted.from)).await {
        Err(Refused::Changed) => return conflict(workspace, wanted, Some(&edit.plan.revision()), Some(seen)).await,
        written => written.map_err(|refused| refusal(workspace, refused))?,
    };
    Ok(PushAnswer::Done(Pushed {
        changed: edit.plan.is_change(),
        revision: edit.plan.revision_after(),
        files: edit.plan.files().map(Into::into).collect(),
        changes: edit.changes(),
        by: wanted.by.into(),
        recorded: written.recorded,
        problem: written.problem,
    }))
}

/// Whether a text names the revision that the plan found.
fn names(expected: &str, plan: &EditPlan) -> bool {
    expected.len() >= MIN_REVISION && plan.revision().starts_with(expected)
}

/// What is there now, against what was expected: as it was seen, or as the ledger has it.
async fn conflict(
    workspace: &Workspace,
    wanted: &Push<'_>,
    expected: Option<&str>,
    seen: Option<FlagTexts>,
) -> Result<PushAnswer, Error> {
    let (revision, now) = workspace.texts()?;
    let (since, before) = match (expected, seen) {
        (Some(expected), Some(seen)) => (Some(expected.to_owned()), seen),
        (Some(expected), None) => match text_of(workspace, expected).await {
            Some((revision, texts)) => (Some(revision), texts),
            None => (None, wanted.texts.clone()),
        },
        (None, _) => (None, wanted.texts.clone()),
    };
    let files = difference_of(&workspace.source, &before, &now);
    Ok(PushAnswer::Conflict(PushConflict { revision, since, changes: changes(Some(&before), &now), files }))
}

fn refusal(workspace: &Workspace, refused: Refused) -> Error {
    match refused {
        Refused::Invalid(report) => Error::NotWritten(report),
        why => Error::NotEdited { name: workspace.source.name(), why },
    }
}
