//! An old revision, or one flag of it, is put back: an edit like any other.

use flagstaff_source::compare::PartChange;
use flagstaff_source::edit::{EditError, EditPlan, Refused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{DifferentFile, RevisionReference, short};
use super::difference::files;
use super::reference::{Named, open_now};
use crate::Error;
use crate::edit::{Confirmation, FactLog, FlagUndone, WholeEdit};
use crate::workspace::{Workspace, find};

/// What is to be put back.
#[derive(Clone, Copy, Debug)]
pub struct Rollback<'a> {
    /// The revision: its beginning, with `^` behind it for the one before it.
    pub revision: &'a str,
    /// Only this flag; none: all of it.
    pub flag: Option<&'a str>,
    /// The person who does it.
    pub by: &'a str,
}

/// What came of a rollback.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum RollbackAnswer {
    /// It was done, or is the case already.
    Done(RolledBack),
    /// It was not done, because it would undo something: a rollout begins anew, a trip is cleared.
    WouldUndo(RollbackPreview),
}

/// What a rollback would do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RollbackPreview {
    /// What would be put back.
    pub to: RevisionReference,
    /// The flag, where it is only one.
    pub flag: Option<String>,
    /// Whether a byte would change.
    pub changed: bool,
    /// What it would undo of what happened to flags.
    pub undoes: Vec<FlagUndone>,
    /// The flags and other parts that it would change, and their keys.
    pub changes: Vec<PartChange>,
    /// The lines that it would change.
    pub files: Vec<DifferentFile>,
    /// The revision of the files that this is about, for [`Confirmation::Of`].
    pub revision: String,
}

/// A rollback that was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RolledBack {
    /// What was put back.
    pub to: RevisionReference,
    /// The flag, where it is only one.
    pub flag: Option<String>,
    /// Something is otherwise than before.
    pub changed: bool,
    /// The revision of the files now.
    pub revision: String,
    /// The files that were written.
    pub files: Vec<String>,
    /// The flags and other parts that changed, and their keys.
    pub changes: Vec<PartChange>,
    /// The person who did it.
    pub by: String,
    /// It is recorded in the ledger.
    pub recorded: bool,
    /// Why it is not recorded.
    pub problem: Option<String>,
    /// How to undo it, as a command; none where the files could not be used before, or nothing changed.
    pub undo: Option<String>,
}

/// Puts an old revision back, or one flag of it: the file of definitions and the overlay, comments and all. Of one flag only its own tables change. What
/// happened to flags is undone only where that is confirmed.
///
/// # Errors
/// When the name fits no revision or more than one, the result would be wrong, the files changed meanwhile or cannot be written, or the ledger gives no
/// answer.
pub async fn rollback(
    workspace: &Workspace,
    wanted: &Rollback<'_>,
    confirmation: Confirmation<'_>,
) -> Result<RollbackAnswer, Error> {
    let revision = if let Confirmation::Of(revision) = confirmation { Some(revision) } else { None };
    let planned = Planned::new(workspace, wanted, revision).await?;
    let mut facts = planned.edit.open_facts().await;
    if confirmation == Confirmation::No {
        let undoes = planned.edit.undoes(&mut facts).await;
        if !undoes.is_empty() {
            return Ok(RollbackAnswer::WouldUndo(planned.preview(undoes)));
        }
    }
    planned.make(facts).await.map(RollbackAnswer::Done)
}

/// What a rollback would do; nothing is changed.
///
/// # Errors
/// As [`rollback`].
pub async fn preview(workspace: &Workspace, wanted: &Rollback<'_>) -> Result<RollbackPreview, Error> {
    let planned = Planned::new(workspace, wanted, None).await?;
    let mut facts = planned.edit.open_facts().await;
    let undoes = planned.edit.undoes(&mut facts).await;
    Ok(planned.preview(undoes))
}

/// A rollback that can be made. Nobody else edits the files while it is there.
struct Planned<'a> {
    workspace: &'a Workspace,
    wanted: &'a Rollback<'a>,
    to: RevisionReference,
    edit: WholeEdit<'a>,
}

impl<'a> Planned<'a> {
    async fn new(workspace: &'a Workspace, wanted: &'a Rollback<'a>, revision: Option<&str>) -> Result<Self, Error> {
        let mut store = open_now(workspace).await?;
        let named = Named::find(workspace, &mut store, wanted.revision).await?;
        store.close().await;
        if named.recorded.is_none() {
            return Err(Error::Input(
                "the files say that already: name a revision that `flagstaff history` shows".into(),
            ));
        }
        let plan = EditPlan::restore(&workspace.source, &workspace.reading, revision, wanted.flag, &named.texts);
        let plan = plan.map_err(|refused| refusal(workspace, wanted, refused))?;
        Ok(Self { workspace, wanted, to: named.reference, edit: WholeEdit::new(workspace, wanted.by, plan) })
    }

    fn preview(&self, undoes: Vec<FlagUndone>) -> RollbackPreview {
        let plan = &self.edit.plan;
        RollbackPreview {
            to: self.to.clone(),
            flag: self.wanted.flag.map(Into::into),
            changed: plan.is_change(),
            undoes,
            changes: self.edit.changes(),
            files: files(&self.workspace.source, &plan.texts_before(), &plan.texts()),
            revision: plan.revision(),
        }
    }

    /// Records who does it, writes the files, and records the revision.
    async fn make(&self, facts: Option<FactLog>) -> Result<RolledBack, Error> {
        let written = self.edit.make(facts, &self.why()).await;
        let written = written.map_err(|refused| refusal(self.workspace, self.wanted, refused))?;
        let plan = &self.edit.plan;
        Ok(RolledBack {
            to: self.to.clone(),
            flag: self.wanted.flag.map(Into::into),
            changed: plan.is_change(),
            revision: plan.revision_after(),
            files: plan.files().map(Into::into).collect(),
            changes: self.edit.changes(),
            by: self.wanted.by.into(),
            recorded: written.recorded,
            problem: written.problem,
            undo: written.can_be_undone.then(|| self.undo()),
        })
    }

    /// In a few words.
    fn why(&self) -> String {
        let of = self.wanted.flag.map(|flag| format!(" of {flag}")).unwrap_or_default();
        format!("rollback{of} to {}", self.to.short())
    }

    fn undo(&self) -> String {
        let flag = self.wanted.flag.map(|flag| format!(" --flag {flag}")).unwrap_or_default();
        format!("flagstaff rollback {}{flag}", short(&self.edit.plan.revision()))
    }
}

fn refusal(workspace: &Workspace, wanted: &Rollback<'_>, refused: Refused) -> Error {
    match (refused, wanted.flag) {
        (Refused::Invalid(report), _) => Error::NotWritten(report),
        (Refused::Edit(EditError::NoFlag { .. }), Some(flag)) => {
            let known = workspace.in_force().and_then(|flags| find(&flags.snapshot, flag).map(|_| ()));
            let nowhere =
                || Error::Input(format!("neither the files nor the revision {} have `{flag}`", wanted.revision));
            known.err().unwrap_or_else(nowhere)
        }
        (why, _) => Error::NotEdited { name: workspace.source.name(), why },
    }
}
