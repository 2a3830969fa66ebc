//! An edit of the whole document: an old revision is put back, or a file is pushed.

use std::sync::Arc;

use flagstaff_flags::{Flag, Snapshot};
use flagstaff_source::compare::{PartChange, changes};
use flagstaff_source::edit::{EditPlan, Refused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fact_log::FactLog;
use super::recorded_change::{record_change, undoes};
use crate::Error;
use crate::revisions::Recording;
use crate::workspace::Workspace;

/// What would be undone of a flag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FlagUndone {
    /// The flag.
    pub flag: String,
    /// What would be undone, in words.
    pub what: String,
}

/// An edit of the whole document that can be made. Nobody else edits files while it is there.
pub(crate) struct WholeEdit<'a> {
    workspace: &'a Workspace,
    by: &'a str,
    pub(crate) plan: EditPlan,
    /// The flags as running programs have them.
    before: Option<Arc<Snapshot>>,
}

/// What came of it.
pub(crate) struct Written {
    /// It is in the log of revisions.
    pub(crate) recorded: bool,
    /// Why it is not.
    pub(crate) problem: Option<String>,
    /// What was there before is in the log of revisions too.
    pub(crate) can_be_undone: bool,
}

impl<'a> WholeEdit<'a> {
    pub(crate) fn new(workspace: &'a Workspace, by: &'a str, plan: EditPlan) -> Self {
        let before = match plan.before() {
            Some(loaded) => Some(Arc::new(loaded.snapshot.clone())),
            None => workspace.in_force().ok().map(|in_force| in_force.snapshot),
        };
        Self { workspace, by, plan, before }
    }

    /// Flags that are there before and after.
    fn both(&self) -> Vec<(&Flag, &Flag)> {
        let (Some(before), Ok(after)) = (&self.before, self.plan.after()) else { return Vec::new() };
        let pair =
            |before: &'_ Arc<Flag>| after.snapshot.flag_named(before.name.as_str()).map(std::convert::AsRef::as_ref);
        before.flags().iter().filter_map(|flag| Some((&**flag, pair(flag)?))).collect()
    }

    /// The facts, where some flag changes and there are any.
    pub(crate) async fn open_facts(&self) -> Option<FactLog> {
        let changed = |(before, after): &&(&Flag, &Flag)| {
            before.definition != after.definition || before.enabled != after.enabled
        };
        let both = self.both();
        let (first, _) = both.iter().find(changed)?;
        let flag = first.name.as_str();
        FactLog::open(self.workspace, flag)
            .await
            .unwrap_or_else(|error| FactLog::silent(self.workspace, flag, &error))
    }

    /// What it undoes of what happened to flags.
    pub(crate) async fn undoes(&self, facts: &mut Option<FactLog>) -> Vec<FlagUndone> {
        let mut all = Vec::new();
        let Some(facts) = facts else { return all };
        for (before, after) in self.both() {
            if before.definition == after.definition {
                continue;
            }
            facts.turn_to(&before.name);
            let standing = facts.standing().await;
            let what = match facts.unknown((before, after)) {
                None => standing.and_then(|standing| undoes(before, after, &standing)),
                unknown => unknown,
            };
            all.extend(what.map(|what| FlagUndone { flag: before.name.to_string(), what }));
        }
        all
    }

    pub(crate) fn changes(&self) -> Vec<PartChange> {
        changes(Some(&self.plan.texts_before()), &self.plan.texts())
    }

    /// Records who does it, writes it, and records the revision.
    ///
    /// # Errors
    /// When what is there changed meanwhile, or cannot be written.
    pub(crate) async fn make(&self, facts: Option<FactLog>, why: &str) -> Result<Written, Refused> {
        let ready = self.plan.prepare()?;
        let before = self.plan.before().map(|_| self.plan.texts_before());
        let recording =
            if self.plan.is_change() { Recording::open(self.workspace, before.as_ref()).await } else { Ok(None) };
        self.record_changes(facts, why).await;
        ready.write()?;
        let recorded: Result<bool, Error> = match recording {
            Ok(Some(recording)) => recording.record(self.plan.texts(), self.by, why).await.map(|()| true),
            Ok(None) => Ok(false),
            Err(error) => Err(error),
        };
        Ok(Written {
            recorded: *recorded.as_ref().unwrap_or(&false),
            can_be_undone: before.is_some() && self.plan.is_change() && recorded.is_ok(),
            problem: recorded.err().map(|error| error.to_string()),
        })
    }

    async fn record_changes(&self, facts: Option<FactLog>, why: &str) {
        let Some(mut facts) = facts else { return };
        for (before, after) in self.both() {
            if before.definition != after.definition || before.enabled != after.enabled {
                facts.turn_to(&before.name);
                record_change((before, after), &mut facts, self.by, self.workspace.edits_by, why).await;
            }
        }
    }
}
