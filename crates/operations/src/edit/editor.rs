//! An edit's way: plan it, record who makes it, write the file.

use flagstaff_flags::{FactKind, Flag, RecordedFacts, Standing, brief};
use flagstaff_source::edit::{Change, EditError, EditPlan, Refused};

use super::answer::{Edited, Outcome, by_fact, by_file};
use super::environments::{reached, still_on};
use super::everyone;
use super::fact_log::FactLog;
use super::recorded_change::{record_change, undoes};
use super::undo::Undoing;
use crate::Error;
use crate::revisions::Recording;
use crate::workspace::Workspace;

/// Makes edits of one flag.
pub struct Editor<'a> {
    /// Where the flags and the ledger are.
    pub workspace: &'a Workspace,
    /// The flag.
    pub flag: &'a str,
    /// The person who makes the edit.
    pub by: &'a str,
    /// Hears why the ledger cannot be used: that keeps no file from being edited.
    pub warn: &'a dyn Fn(&Error),
}

/// Whether an edit may undo what happened to the flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmation<'a> {
    /// Not yet: an edit that undoes something answers [`EditAnswer::WouldUndo`].
    No,
    /// Whatever it undoes.
    Yes,
    /// For the files of the revision that the question was about.
    Of(&'a str),
}

/// What came of an edit.
#[derive(Debug)]
pub enum EditAnswer {
    /// It was made, or is the case already.
    Edited(Edited),
    /// It was not made, because it would undo something.
    WouldUndo(WouldUndo),
}

/// What an edit would undo.
#[derive(Clone, Debug)]
pub struct WouldUndo {
    /// What it would undo, in words.
    pub what: String,
    /// The revision of the files, for [`Confirmation::Of`].
    pub revision: String,
}

impl Editor<'_> {
    /// Makes a change. A switch-off is made whatever else is wrong.
    ///
    /// # Errors
    /// When the change makes no sense, the file would be wrong, or it cannot be written.
    pub async fn apply(&self, change: &Change<'_>, confirmation: Confirmation<'_>) -> Result<EditAnswer, Error> {
        let revision = if let Confirmation::Of(revision) = confirmation { Some(revision) } else { None };
        self.apply_to(revision, change, confirmation).await
    }

    /// Makes a change of the files of a revision alone, where one is named.
    ///
    /// # Errors
    /// As [`Editor::apply`]; [`Refused::Changed`] within [`Error::NotEdited`] when the files are others.
    pub async fn apply_to(
        &self,
        revision: Option<&str>,
        change: &Change<'_>,
        confirmation: Confirmation<'_>,
    ) -> Result<EditAnswer, Error> {
        match change {
            Change::Off => self.off(revision).await.map(EditAnswer::Edited),
            Change::On => self.on(revision).await.map(EditAnswer::Edited),
            Change::Set(_) | Change::Put(_) | Change::OnForEveryone => {
                self.edit(revision, change, confirmation).await
            }
            Change::Create { like, keys } => self.create(revision, *like, keys).await.map(EditAnswer::Edited),
        }
    }

    pub(super) fn plan(&self, change: &Change<'_>, revision: Option<&str>) -> Result<EditPlan, Refused> {
        EditPlan::new(&self.workspace.source, &self.workspace.reading, revision, self.flag, change)
    }

    /// The facts of the flag, to add to them.
    pub(super) async fn open_facts(&self) -> Option<FactLog> {
        FactLog::open(self.workspace, self.flag).await.unwrap_or_else(|error| {
            (self.warn)(&error);
            FactLog::silent(self.workspace, self.flag, &error)
        })
    }

    /// Sets keys: the file must be sound then, and what happened to the flag is undone only where that is confirmed.
    async fn edit(
        &self,
        revision: Option<&str>,
        change: &Change<'_>,
        confirmation: Confirmation<'_>,
    ) -> Result<EditAnswer, Error> {
        let plan = self.plan(change, revision).map_err(|refused| self.refusal(refused))?;
        let mut facts = self.open_facts().await;
        let is_on = matches!(change, Change::OnForEveryone);
        let now = standing(&mut facts).await;
        if let Some(refused) = everyone::refused(change, &plan, self.flag, now.as_ref()) {
            return Err(self.refusal(refused));
        }
        if confirmation == Confirmation::No
            && let Some(what) = self.affects(&plan, now.as_ref(), facts.as_ref(), is_on)
        {
            return Ok(EditAnswer::WouldUndo(WouldUndo { what, revision: plan.revision().to_owned() }));
        }
        let ready = plan.prepare().map_err(|refused| self.refusal(refused))?;
        let mut recorded = self.record_editor(&plan, &mut facts).await;
        let recording = self.open_revisions(&plan, facts.as_ref()).await;
        ready.write().map_err(|refused| self.refusal(refused))?;
        recorded |= self.record_revision(recording, &plan, change).await;
        let mut problems = Vec::new();
        if is_on && is_held_off(&mut facts).await {
            problems.extend(self.switch_on(&mut facts).await.err());
            recorded |= problems.is_empty();
        }
        let was_held = now.is_some_and(|now| now.switched_off.is_some());
        let undoing = Undoing {
            wanted: is_on.then_some(true),
            is_released: was_held && (is_on || self.decides(&plan)),
            is_asked_about: self.is_asked_about(&plan),
        };
        let outcome = Outcome { undoing, is_for_everyone: is_on, recorded, problems };
        self.edited(&plan, facts, outcome).await.map(EditAnswer::Edited)
    }

    /// On again, as it was: in the file, and where a fact holds it off.
    async fn on(&self, revision: Option<&str>) -> Result<Edited, Error> {
        let mut facts = self.open_facts().await;
        let is_held = is_held_off(&mut facts).await;
        let plan = match self.plan(&Change::On, revision) {
            Ok(plan) => plan,
            Err(refused) if is_held && !is_other(&refused) => {
                let recorded = self.switch_on(&mut facts).await;
                return Ok(self.switched(facts, true, recorded, vec![self.refusal(refused)]).await);
            }
            Err(refused) => return Err(self.refusal(refused)),
        };
        let ready = plan.prepare().map_err(|refused| self.refusal(refused))?;
        let switched = if is_held { Some(self.switch_on(&mut facts).await) } else { None };
        let mut recorded = match &switched {
            Some(switched) => switched.is_ok(),
            None => plan.is_change() && self.record_editor(&plan, &mut facts).await,
        };
        let recording = self.open_revisions(&plan, facts.as_ref()).await;
        ready.write().map_err(|refused| self.refusal(refused))?;
        recorded |= self.record_revision(recording, &plan, &Change::On).await;
        let Err(report) = plan.after() else {
            let problems = switched.and_then(Result::err).into_iter().collect();
            return self.edited(&plan, facts, Outcome::of_switch(true, recorded, problems)).await;
        };
        let why = "nothing in the ledger holds the flag off, so it is as in the last good file";
        let switched = switched.unwrap_or_else(|| Err(Error::NotRecorded(why.into())));
        Ok(self.switched(facts, true, switched, vec![Error::Flags(Box::new(report.clone()))]).await)
    }

    /// Off for everyone, whatever else is wrong.
    async fn off(&self, revision: Option<&str>) -> Result<Edited, Error> {
        let mut facts = self.open_facts().await;
        let why = match self.plan(&Change::Off, revision) {
            Err(refused @ Refused::Edit(EditError::NoFlag { .. })) if !is_known(&mut facts).await => {
                return Err(self.refusal(refused));
            }
            Err(refused) if revision.is_some() && is_other(&refused) => return Err(self.refusal(refused)),
            Err(refused) => vec![self.refusal(refused)],
            Ok(plan) => match plan.after() {
                Ok(_) => match self.write_off(&plan, &mut facts).await {
                    Ok(recorded) => return self.off_in_file(&plan, facts, recorded).await,
                    Err(refused) => vec![self.refusal(refused)],
                },
                Err(report) => {
                    let refused = plan.write().err().map(|refused| self.refusal(refused));
                    refused.into_iter().chain([Error::Flags(Box::new(report.clone()))]).collect()
                }
            },
        };
        let recorded = self.switch_off(&mut facts).await;
        Ok(self.switched(facts, false, recorded, why).await)
    }

    /// Records who switches the flag off, and writes the file. Returns whether it was recorded.
    async fn write_off(&self, plan: &EditPlan, facts: &mut Option<FactLog>) -> Result<bool, Refused> {
        let ready = plan.prepare()?;
        let mut recorded = self.record_editor(plan, facts).await;
        let recording = self.open_revisions(plan, facts.as_ref()).await;
        ready.write()?;
        recorded |= self.record_revision(recording, plan, &Change::Off).await;
        Ok(recorded)
    }

    /// The file says off. Where programs of an environment cannot use it, a fact says it too.
    async fn off_in_file(
        &self,
        plan: &EditPlan,
        mut facts: Option<FactLog>,
        recorded: bool,
    ) -> Result<Edited, Error> {
        let mut problems: Vec<_> = still_on(self.workspace, self.flag).into_iter().collect();
        if let Some(Error::Overlay { .. } | Error::Flags(_)) = problems.first() {
            match self.switch_off(&mut facts).await {
                Ok(()) => return Ok(self.switched(facts, false, Ok(()), problems).await),
                Err(why) => problems.push(why),
            }
        }
        self.edited(plan, facts, Outcome::of_switch(false, recorded, problems)).await
    }

    /// Has a fact hold the flag off.
    async fn switch_off(&self, facts: &mut Option<FactLog>) -> Result<(), Error> {
        if is_held_off(facts).await {
            return Ok(());
        }
        self.add(facts, FactKind::SwitchedOff, "the file could not say it").await
    }

    async fn switch_on(&self, facts: &mut Option<FactLog>) -> Result<(), Error> {
        self.add(facts, FactKind::SwitchedOn, &format!("switched on {}", self.workspace.edits_by.how())).await
    }

    async fn add(&self, facts: &mut Option<FactLog>, kind: FactKind, why: &str) -> Result<(), Error> {
        let none =
            "there is no ledger in which running programs would find it; name theirs with --ledger or --config";
        let facts = facts.as_mut().ok_or_else(|| Error::NotRecorded(none.into()))?;
        facts.add(kind, None, self.by, why).await
    }

    /// Records who makes an edit, before the running programs see it. Returns whether it did.
    async fn record_editor(&self, plan: &EditPlan, facts: &mut Option<FactLog>) -> bool {
        let (Some(facts), Some((before, after))) = (facts, self.both(plan)) else {
            return false;
        };
        record_change((before, after), facts, self.by, self.workspace.edits_by, "edited").await
    }

    /// Opens the log of revisions before an edit that leaves good files; none where the ledger gives no answer. That keeps no file from being edited.
    pub(super) async fn open_revisions(&self, plan: &EditPlan, facts: Option<&FactLog>) -> Option<Recording<'_>> {
        if facts.is_none_or(FactLog::is_silent) || !plan.is_change() || plan.after().is_err() {
            return None;
        }
        let before = plan.before().map(|_| plan.texts_before());
        Recording::open(self.workspace, before.as_ref()).await.unwrap_or_else(|error| {
            (self.warn)(&error);
            None
        })
    }

    /// Records the revision that an edit made, and by whom. Returns whether that succeeded.
    pub(super) async fn record_revision(
        &self,
        recording: Option<Recording<'_>>,
        plan: &EditPlan,
        change: &Change<'_>,
    ) -> bool {
        let Some(recording) = recording else { return false };
        let why = in_words(change, self.flag);
        recording.record(plan.texts(), self.by, &why).await.inspect_err(|error| (self.warn)(error)).is_ok()
    }

    /// The flag before and after.
    fn both<'p>(&self, plan: &'p EditPlan) -> Option<(&'p Flag, &'p Flag)> {
        let before = plan.before()?.snapshot.flag_named(self.flag)?;
        let after = plan.after().ok()?.snapshot.flag_named(self.flag)?;
        Some((before, after))
    }

    /// What an edit undoes, and which other environments it changes, in words.
    pub(super) fn affects(
        &self,
        plan: &EditPlan,
        standing: Option<&Standing>,
        facts: Option<&FactLog>,
        is_on: bool,
    ) -> Option<String> {
        let undoes = match facts.zip(self.both(plan)).and_then(|(facts, both)| facts.unknown(both)) {
            None => standing.and_then(|standing| self.undoes(plan, standing, is_on)),
            unknown => unknown,
        };
        let reached = self.decides(plan).then(|| reached(self.workspace, plan)).flatten();
        let all: Vec<_> = undoes.into_iter().chain(reached).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    /// Whether its undo would be asked about: a rollout may have gone on by then, or other environments read it too.
    fn is_asked_about(&self, plan: &EditPlan) -> bool {
        let has_facts = |(before, after): (&Flag, &Flag)| before.needs_facts() || after.needs_facts();
        self.decides(plan) && (self.both(plan).is_some_and(has_facts) || reached(self.workspace, plan).is_some())
    }

    /// Whether an edit changes what decides.
    fn decides(&self, plan: &EditPlan) -> bool {
        self.both(plan).is_some_and(|(before, after)| before.definition != after.definition)
    }

    /// What an edit undoes of a flag as running programs have it. A switch-on need not say that the flag is on then.
    fn undoes(&self, plan: &EditPlan, standing: &Standing, is_on: bool) -> Option<String> {
        let (before, after) = self.both(plan)?;
        let switched_off = standing.switched_off.clone().filter(|_| !is_on);
        undoes(before, after, &Standing { switched_off, ..standing.clone() })
    }

    /// The answer to an edit of the file, with what the ledger holds of the flag then.
    async fn edited(&self, plan: &EditPlan, mut facts: Option<FactLog>, outcome: Outcome) -> Result<Edited, Error> {
        let loaded = plan.after().map_err(|report| Error::Flags(Box::new(report.clone())))?;
        let mut known = RecordedFacts::default();
        if let (Some(flag), Some(standing)) = (loaded.snapshot.flag_named(self.flag), standing(&mut facts).await) {
            known.add(&flag.name, &standing);
        }
        by_file(self.flag, self.by, plan, &loaded.snapshot.with_facts(&known), outcome)
    }

    /// The answer to a switch by a fact, because of what is wrong with the file.
    async fn switched(
        &self,
        mut facts: Option<FactLog>,
        on: bool,
        recorded: Result<(), Error>,
        why: Vec<Error>,
    ) -> Edited {
        let is_off = standing(&mut facts).await.map(|standing| standing.switched_off.is_some());
        let location = facts.map(|facts| facts.location).unwrap_or_default();
        by_fact(self.flag, self.by, on, is_off, recorded, location, &why)
    }

    pub(super) fn refusal(&self, refused: Refused) -> Error {
        match refused {
            Refused::Invalid(report) => Error::NotWritten(report),
            why => Error::NotEdited { name: self.workspace.source.name(), why },
        }
    }
}

/// Whether the files are not those of the revision that was named.
const fn is_other(refused: &Refused) -> bool {
    matches!(refused, Refused::Changed)
}

pub(super) async fn standing(facts: &mut Option<FactLog>) -> Option<Standing> {
    facts.as_mut()?.standing().await
}

async fn is_held_off(facts: &mut Option<FactLog>) -> bool {
    standing(facts).await.is_some_and(|standing| standing.switched_off.is_some())
}

/// Whether the ledger knows the flag, whatever the file says.
async fn is_known(facts: &mut Option<FactLog>) -> bool {
    standing(facts).await.is_some_and(|standing| !standing.removed)
}

/// What was wanted, as a command.
fn in_words(change: &Change<'_>, flag: &str) -> String {
    match change {
        Change::Off => format!("off {flag}"),
        Change::On => format!("on {flag}"),
        Change::OnForEveryone => format!("on {flag} --everyone"),
        Change::Set(keys) => with_keys(format!("set {flag}"), keys),
        Change::Put(keys) => {
            let keys: Vec<_> = keys.iter().map(|(key, value)| (*key, value.unwrap_or_default())).collect();
            with_keys(format!("set {flag}"), &keys)
        }
        Change::Create { like: Some(like), keys } => with_keys(format!("add {flag} --like {like}"), keys),
        Change::Create { like: None, keys } => with_keys(format!("add {flag}"), keys),
    }
}

fn with_keys(command: String, keys: &[(&str, &str)]) -> String {
    let words = keys.iter().fold(command, |words, (key, value)| format!("{words} {key}={value}"));
    brief(&words).into_owned()
}
