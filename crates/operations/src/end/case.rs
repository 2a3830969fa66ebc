//! The flag that is to be ended, and what may speak against it.

use std::collections::BTreeSet;
use std::path::Path;

use flagstaff_experiment::{AnalysisSettings, Report, VerdictKind};
use flagstaff_flags::{Definition, Flag, Name, Snapshot};
use flagstaff_ledger::Question;
use jiff::Timestamp;

use super::answer::Results;
use crate::Error;
use crate::code::{Found, Spellings};
use crate::results::judge;
use crate::workspace::Workspace;

/// An experiment that is to be ended.
#[derive(Clone, Debug)]
pub struct End<'a> {
    /// The flag.
    pub flag: &'a str,
    /// The variant everybody gets from now on; the one that it was ended with before, where none is named.
    pub winner: Option<&'a str>,
    /// Take the flag out of the file.
    pub remove: bool,
    /// Also where something speaks against it.
    pub force: bool,
    /// The person who decides.
    pub by: Option<String>,
    /// The folder in which to look for code that asks for the flag.
    pub code: Option<&'a Path>,
    /// Say what would be done, and do nothing.
    pub dry_run: bool,
    /// The revision that the files must have; any where none is named.
    pub revision: Option<&'a str>,
    /// How sure the results must be.
    pub certainty: AnalysisSettings,
}

/// A flag that is to be ended.
pub(super) struct Case<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) wanted: &'a End<'a>,
    pub(super) snapshot: &'a Snapshot,
    pub(super) flag: &'a Flag,
    pub(super) winner: &'a str,
}

/// Results, where something was recorded, and why they do not support the winner.
#[derive(Default)]
pub(super) struct Judged {
    pub(super) results: Option<Results>,
    pub(super) objection: Option<String>,
}

/// What the flag can be.
pub(super) fn choices(flag: &Flag) -> Vec<&str> {
    if !flag.variants.are_named() {
        return vec!["off", "on"];
    }
    flag.variants.weights().map(|(id, _)| flag.variants.name(id)).collect()
}

impl Case<'_> {
    /// How code asks for the flag.
    pub(super) fn spellings(&self) -> Spellings {
        Spellings::with_waffle(self.wanted.flag, self.flag.waffle_name())
    }

    /// Asks the ledger. Where none is kept, and of a flag that nobody met, there is nothing to be judged; a ledger that should be there
    /// and is not speaks against every winner.
    pub(super) async fn judge(&self) -> Result<Judged, Error> {
        let (Some(id), Some(place)) = (self.snapshot.find(self.wanted.flag), self.workspace.ledger()?) else {
            return Ok(Judged::default());
        };
        if self.workspace.ledger_that_is_there()?.is_none() {
            let why = format!("there is no ledger at {place}, so the results are not known; name it with --ledger");
            return Ok(Judged { results: None, objection: Some(why) });
        }
        let question = Question::of_flag(self.snapshot, id, self.flag, Timestamp::now());
        let certainty = &self.wanted.certainty;
        let results = self.workspace.ask_now(async |ledger| judge(ledger, &question, certainty).await);
        let results = results.await?;
        let Some(began) = results.began else {
            return Ok(Judged::default());
        };
        let report = results.report;
        let objection = if self.flag.goals.is_empty() { None } else { unsupported(&report, self.winner) };
        Ok(Judged { results: Some(Results { report, began }), objection })
    }

    /// The flag is off, and would be on for everybody.
    pub(super) fn is_off(&self) -> Option<String> {
        let (flag, winner) = (self.wanted.flag, self.winner);
        (!self.flag.enabled && winner != "off")
            .then(|| format!("`{flag}` is off now (enabled = false), and everybody would get `{winner}`"))
    }

    /// A guard rolled it back, and any edit of the flag would undo that.
    pub(super) async fn tripped(&self) -> Option<String> {
        let facts = match self.workspace.recorded_facts().await {
            Ok(facts) => facts,
            Err(error) => return Some(format!("it is not known whether its guard rolled it back: {error}")),
        };
        let is_this = |one| one == self.flag.definition || one == self.flag.former_definition;
        let of_this = |(name, definition): &(Name, Definition)| *name == self.flag.name && is_this(*definition);
        (self.winner != "off" && facts.tripped.iter().any(of_this)).then(|| {
            format!(
                "its guard rolled `{}` back, and everybody would get `{}`; see `flagstaff rollout {0} status`",
                self.flag.name, self.winner
            )
        })
    }

    /// Once the flag is gone, code that asks for it takes it for off.
    pub(super) fn still_asked(&self, code: Option<&[Found]>) -> Option<String> {
        let sure = |one: &&Found| one.kind.is_sure();
        let lines = code.into_iter().flatten().filter(sure).count();
        let them = if lines == 1 { "one line still asks".into() } else { format!("{lines} lines still ask") };
        (lines > 0 && self.winner != "off").then(|| {
            format!("{them} for `{}`, and would take it for off once it is gone; delete that first", self.wanted.flag)
        })
    }

    /// The goals of the flag that no other flag names.
    pub(super) fn unused_goals(&self) -> Vec<String> {
        let others = || self.snapshot.flags().iter().filter(|other| other.name != self.flag.name);
        let guarded = |flag: &Flag, goal: &Name| flag.guard.as_ref().is_some_and(|guard| guard.goals.contains(goal));
        let is_used = |goal: &Name| others().any(|other| other.goals.contains(goal) || guarded(other, goal));
        let guard = self.flag.guard.iter().flat_map(|guard| &guard.goals);
        let named: BTreeSet<_> = self.flag.goals.iter().chain(guard).collect();
        named.into_iter().filter(|goal| !is_used(goal)).map(ToString::to_string).collect()
    }

    /// What to do next.
    pub(super) fn next(&self) -> String {
        let [header, ..] = self.spellings().all();
        match (self.wanted.remove, self.winner) {
            (true, "off") => "The flag is gone; code that still asks for it finds it off, as before.".into(),
            (true, _) => {
                format!("No {header} is sent from now on: code that still asks for it takes the flag for off.")
            }
            (false, _) => format!("When that is deployed: flagstaff end {} --remove", self.wanted.flag),
        }
    }
}

/// Why a report does not support a winner.
fn unsupported(report: &Report, winner: &str) -> Option<String> {
    let verdict = &report.verdict;
    match (verdict.kind, verdict.variant.as_deref()) {
        (VerdictKind::Ship | VerdictKind::KeepControl, Some(variant)) if variant == winner => None,
        (VerdictKind::Ship | VerdictKind::KeepControl, Some(variant)) => {
            Some(format!("the results are for `{variant}`, not for `{winner}`. {}", verdict.text))
        }
        _ => Some(format!("the results name no winner. {}", verdict.text)),
    }
}
