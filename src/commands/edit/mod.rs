//! `flagstaff set`, `on` and `off`: edits in place that keep comments and layout, and that say who made them.
//!
//! A switch-off must work when nothing else does. Where running programs cannot take the file, it is a fact in the ledger.

mod means;
mod record;
mod tell;

use std::io::{BufRead as _, IsTerminal as _};

use flagstaff_experiment::rollout::undone;
use flagstaff_flags::{FactKind, Flag, Snapshot, Standing, VariantId};
use flagstaff_source::edit::{Change, EditError, Plan, Refused};
use flagstaff_source::{Files, Options};

use self::record::Record;
use self::tell::{Done, Outcome};
use crate::cli::{EditOf, Off, On, Set};
use crate::commands::Answer;
use crate::print::{BAD, ODD, err, styled};
use crate::settings::{Settings, shown_under};
use crate::{facts, flags, who};

pub(crate) fn set(args: &Set) -> anyhow::Result<Answer> {
    let changes: Vec<_> = args.values.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let case = Case::new(&args.edit, false)?;
    case.edit(&Change::Set(&changes), args.yes)
}

pub(crate) fn on(args: &On) -> anyhow::Result<Answer> {
    let case = Case::new(&args.edit, true)?;
    if args.everyone { case.edit(&Change::OnForEveryone, args.yes) } else { case.on() }
}

pub(crate) fn off(args: &Off) -> anyhow::Result<Answer> {
    Case::new(&args.edit, true)?.off()
}

/// An edit of one flag.
struct Case<'a> {
    name: &'a str,
    settings: Settings,
    files: Files,
    reading: Options,
    by: String,
    as_json: bool,
}

impl<'a> Case<'a> {
    /// A switch goes on with less than whole settings.
    fn new(args: &'a EditOf, is_switch: bool) -> anyhow::Result<Self> {
        let settings =
            if is_switch { facts::settings_of_switch(&args.facts)? } else { facts::settings(&args.facts)? };
        let path = flags::path(&settings.typed)?;
        let files = Files::new(&path, settings.typed.environment.as_deref());
        let reading = flags::reading(&settings.typed);
        let by = who::by(args.by.as_deref());
        Ok(Self { name: &args.flag, settings, files, reading, by, as_json: args.json })
    }

    fn plan(&self, change: &Change<'_>) -> Result<Plan, Refused> {
        Plan::new(&self.files, &self.reading, None, self.name, change)
    }

    /// The facts of the flag, to add to them. That the ledger is away keeps no file from being edited.
    fn record(&self) -> Option<Record> {
        Record::open(&self.settings, self.name).unwrap_or_else(|error| {
            err(&format!("{}: nobody can be told who edits the flag: {error:#}\n", styled(ODD, "warning")));
            None
        })
    }

    /// Sets keys: the file must be sound then, and a rollout that runs begins anew only with `--yes`.
    fn edit(&self, change: &Change<'_>, yes: bool) -> anyhow::Result<Answer> {
        let mut plan = self.plan(change).map_err(|refused| self.refusal(refused))?;
        let mut record = self.record();
        let is_on = matches!(change, Change::OnForEveryone);
        let standing = record.as_mut().and_then(Record::standing);
        let undone = standing.as_ref().filter(|_| !yes).and_then(|standing| self.undoes(&plan, standing, is_on));
        if let Some(undone) = undone {
            // nobody else waits for who thinks about it
            let revision = plan.revision().to_owned();
            drop(plan);
            if !self.asks(&undone) {
                return Ok(Answer::No);
            }
            let again = Plan::new(&self.files, &self.reading, Some(&revision), self.name, change);
            plan = again.map_err(|refused| self.refusal(refused))?;
        }
        let ready = plan.prepare().map_err(|refused| self.refusal(refused))?;
        let mut recorded = self.tell_of(&plan, record.as_mut());
        ready.write().map_err(|refused| self.refusal(refused))?;
        let mut problem = None;
        if is_on && is_held(record.as_mut()) {
            problem = self.switch_on(record.as_mut()).err();
            recorded |= problem.is_none();
        }
        self.tell(&plan, record, &Outcome { wanted: is_on.then_some(true), recorded, problem })
    }

    /// On again, as it was: in the file, and where a fact holds it off.
    fn on(&self) -> anyhow::Result<Answer> {
        let mut record = self.record();
        let is_held = is_held(record.as_mut());
        let plan = match self.plan(&Change::On) {
            Ok(plan) => plan,
            Err(refused) if is_held => {
                let why = format!("{:#}", self.refusal(refused));
                let recorded = self.switch_on(record.as_mut());
                return tell::by_fact(self, record, true, recorded, &why);
            }
            Err(refused) => return Err(self.refusal(refused)),
        };
        let ready = plan.prepare().map_err(|refused| self.refusal(refused))?;
        let (recorded, problem) = match (is_held, plan.is_change()) {
            (true, _) => {
                let problem = self.switch_on(record.as_mut()).err();
                (problem.is_none(), problem)
            }
            (false, true) => (self.tell_of(&plan, record.as_mut()), None),
            (false, false) => (false, None),
        };
        ready.write().map_err(|refused| self.refusal(refused))?;
        match plan.after() {
            Ok(_) => self.tell(&plan, record, &Outcome { wanted: Some(true), recorded, problem }),
            Err(report) => {
                let why = report.only_errors().render(true);
                let not_held =
                    || "nothing in the ledger holds the flag off, so it is as in the last good file".to_owned();
                let recorded = match problem {
                    _ if !is_held => Err(not_held()),
                    problem => problem.map_or(Ok(()), Err),
                };
                tell::by_fact(self, record, true, recorded, &why)
            }
        }
    }

    /// Off for everyone, whatever else is wrong.
    fn off(&self) -> anyhow::Result<Answer> {
        let mut record = self.record();
        let why = match self.plan(&Change::Off) {
            Err(refused @ Refused::Edit(EditError::NoFlag { .. })) if !self.is_known(record.as_mut()) => {
                return Err(self.refusal(refused));
            }
            Err(refused) => format!("{:#}", self.refusal(refused)),
            Ok(plan) if plan.after().is_ok() => {
                let written = plan.prepare().and_then(|ready| {
                    let recorded = self.tell_of(&plan, record.as_mut());
                    ready.write().map(|()| recorded)
                });
                match written {
                    Ok(recorded) => return self.off_in_file(&plan, record, recorded),
                    Err(refused) => format!("{:#}", self.refusal(refused)),
                }
            }
            Ok(plan) => {
                let report = plan.after().err().map(|report| report.only_errors().render(true)).unwrap_or_default();
                match plan.write() {
                    Ok(()) => report,
                    Err(refused) => format!("{:#}\n{report}", self.refusal(refused)),
                }
            }
        };
        let recorded = self.switch_off(record.as_mut());
        tell::by_fact(self, record, false, recorded, &why)
    }

    /// The file says off. Where programs of an environment cannot take it, a fact says it too.
    fn off_in_file(&self, plan: &Plan, mut record: Option<Record>, recorded: bool) -> anyhow::Result<Answer> {
        let problem = match self.elsewhere() {
            None => None,
            Some(Elsewhere::On(words)) => Some(words),
            Some(Elsewhere::Broken(words)) => match self.switch_off(record.as_mut()) {
                Ok(()) => return tell::by_fact(self, record, false, Ok(()), &words),
                Err(why) => Some(format!("{words}\n{why}")),
            },
        };
        self.tell(plan, record, &Outcome { wanted: Some(false), recorded, problem })
    }

    /// Has a fact hold the flag off.
    fn switch_off(&self, mut record: Option<&mut Record>) -> Result<(), String> {
        if is_held(record.as_deref_mut()) {
            return Ok(());
        }
        self.add(record, FactKind::SwitchedOff, "the file could not say it")
    }

    fn switch_on(&self, record: Option<&mut Record>) -> Result<(), String> {
        self.add(record, FactKind::SwitchedOn, "switched on by command")
    }

    /// Whether the ledger knows the flag, whatever the file says.
    fn is_known(&self, record: Option<&mut Record>) -> bool {
        record.and_then(Record::standing).is_some_and(|standing| !standing.removed)
    }

    fn add(&self, record: Option<&mut Record>, kind: FactKind, why: &str) -> Result<(), String> {
        let none =
            "there is no ledger in which running programs would find it; name theirs with --ledger or --config";
        record.ok_or(none)?.add(kind, None, &self.by, why)
    }

    /// Writes down who makes an edit, before the running programs see it. Returns whether it did.
    fn tell_of(&self, plan: &Plan, record: Option<&mut Record>) -> bool {
        let (Some(record), Some((before, after))) = (record, self.both(plan)) else {
            return false;
        };
        let Some(standing) = record.standing().filter(|standing| is_of(standing, before)) else {
            return false;
        };
        let mut told = false;
        if before.definition != after.definition {
            let undone = undone(&standing).map(|undone| format!(": {undone}")).unwrap_or_default();
            let why = format!("edited by command{undone}");
            told |= record.add(FactKind::Changed, Some(after.definition), &self.by, &why).is_ok();
        }
        if before.enabled != after.enabled && standing.enabled != Some(after.enabled) {
            let (kind, word) = if after.enabled { (FactKind::Enabled, "on") } else { (FactKind::Disabled, "off") };
            told |= record.add(kind, None, &self.by, &format!("switched {word} by command")).is_ok();
        }
        told
    }

    fn both<'p>(&self, plan: &'p Plan) -> Option<(&'p Flag, &'p Flag)> {
        let before = plan.before()?.snapshot.flag_named(self.name)?;
        let after = plan.after().ok()?.snapshot.flag_named(self.name)?;
        Some((before, after))
    }

    /// What an edit undoes of a flag as running programs have it. Who switches on need not be told that it is on then.
    fn undoes(&self, plan: &Plan, standing: &Standing, is_on: bool) -> Option<String> {
        let (before, after) = self.both(plan).filter(|(before, after)| before.definition != after.definition)?;
        if !is_of(standing, before) || is_of(standing, after) {
            return None;
        }
        let switched_off = standing.switched_off.clone().filter(|_| !is_on);
        undone(&Standing { switched_off, ..standing.clone() })
    }

    /// Says what an edit undoes, and asks whether to go on.
    fn asks(&self, undone: &str) -> bool {
        err(&format!("{}: this changes what decides of `{}`: {undone}\n", styled(ODD, "careful"), self.name));
        if !std::io::stdin().is_terminal() {
            err(&format!("{}: say --yes to do it all the same\n", styled(BAD, "not done")));
            return false;
        }
        err("Do it? [y/N] ");
        let mut answer = String::new();
        let is_yes =
            std::io::stdin().lock().read_line(&mut answer).is_ok() && answer.trim().eq_ignore_ascii_case("y");
        if !is_yes {
            err(&format!("{}\n", styled(BAD, "not done")));
        }
        is_yes
    }

    /// Where the flag may still be on although the file says off: in environments that were not named. One that cannot be read comes
    /// first: the fact that it needs holds everywhere.
    fn elsewhere(&self) -> Option<Elsewhere> {
        if self.settings.typed.environment.is_some() {
            return None;
        }
        let all = self.files.environments();
        let found: Vec<_> = all.iter().filter_map(|environment| self.found_in(environment)).collect();
        let first = found.iter().position(|one| matches!(one, Elsewhere::Broken(_))).unwrap_or_default();
        found.into_iter().nth(first)
    }

    fn found_in(&self, environment: &str) -> Option<Elsewhere> {
        let reading = Options { environment: Some(environment.to_owned()), ..Options::default() };
        match flagstaff_source::load(self.files.definitions(), &reading) {
            Ok(loaded) => loaded.snapshot.flag_named(self.name).filter(|flag| flag.enabled).map(|_| {
                Elsewhere::On(format!(
                    "its overlay for `{environment}` says that it is on there; switch it off with --environment {environment}"
                ))
            }),
            Err(report) => Some(Elsewhere::Broken(format!(
                "its overlay for `{environment}` cannot be used:\n{}",
                report.only_errors().render(true).trim_end()
            ))),
        }
    }

    fn tell(&self, plan: &Plan, mut record: Option<Record>, outcome: &Outcome) -> anyhow::Result<Answer> {
        let Ok(loaded) = plan.after() else {
            return Ok(Answer::No);
        };
        let mut known = flagstaff_flags::Facts::default();
        let standing = record.as_mut().and_then(Record::standing);
        if let (Some(flag), Some(standing)) = (loaded.snapshot.flag_named(self.name), standing) {
            known.add(&flag.name, &standing);
        }
        let snapshot = loaded.snapshot.with_facts(&known);
        tell::done(&Done { case: self, plan, snapshot: &snapshot, outcome })
    }

    fn refusal(&self, refused: Refused) -> anyhow::Error {
        match refused {
            Refused::Invalid(report) => shown_under("nothing was written, because the file would be wrong:", &report),
            other => anyhow::anyhow!("{}: {other}", self.files.definitions().display()),
        }
    }
}

/// Why a flag that its file switches off may be on in an environment, in words.
enum Elsewhere {
    /// Its overlay says on.
    On(String),
    /// Programs there cannot take the file, and go on with the last good one.
    Broken(String),
}

/// Whether a fact holds the flag off.
fn is_held(record: Option<&mut Record>) -> bool {
    record.and_then(Record::standing).is_some_and(|standing| standing.switched_off.is_some())
}

/// Whether facts are about this definition of a flag.
fn is_of(standing: &Standing, flag: &Flag) -> bool {
    !standing.removed && [flag.definition, flag.former_definition].contains(&standing.definition)
}

/// Whether a flag does what was asked for.
fn is_as_wanted(snapshot: &Snapshot, flag: &Flag, on: bool) -> bool {
    match &flag.pin {
        Some(pin) => (pin.variant != VariantId::OFF) == on,
        None => means::is_on(snapshot, flag) == on,
    }
}
