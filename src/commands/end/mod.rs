//! `flagstaff end`: an experiment that is over.
//!
//! In two steps, because code that asks for a flag which is gone takes it for off. First everybody gets the winner and the flag is
//! archived with its results; then, once no code asks any more, `--remove` takes it out.

mod judge;
mod tell;

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{anyhow, bail};
use flagstaff_flags::{Definition, Flag, Name, Snapshot};
use flagstaff_source::archive::{self, Ended};
use flagstaff_source::edit::{self, Ending, Refused, Settled, Variants};
use flagstaff_source::{Files, Options};
use jiff::{Timestamp, Unit};

use self::judge::{Judged, judge};
use crate::cli::End;
use crate::code::{Found, Kind, Spellings};
use crate::commands::Answer;
use crate::settings::{Settings, shown, shown_under};
use crate::{facts, flags};

pub(crate) fn run(args: &End) -> anyhow::Result<Answer> {
    let place = Place::new(args)?;
    let loaded = flags::load(&place.path, &place.settings.typed).map_err(|report| shown(&report))?;
    let known = archive::read(&archive::path(&place.path))?;
    let latest = archive::latest(&known, &args.flag);
    let Some(flag) = loaded.snapshot.flag_named(&args.flag) else {
        let Some(before) = latest.filter(|one| args.winner.as_ref().is_none_or(|winner| *winner == one.winner))
        else {
            flags::find(&loaded.snapshot, &args.flag)?;
            return Ok(Answer::No);
        };
        return tell::gone(args, before, &place.code(args, &Spellings::new(&args.flag))?);
    };
    let winner = winner(args, flag, latest)?;
    let case = Case { args, place: &place, snapshot: &loaded.snapshot, flag, winner: &winner };
    match latest {
        Some(latest) if args.winner.is_none() || case.is_ended(latest)? => case.remove(latest),
        _ => case.end(),
    }
}

/// Where flags and their archive are, and how they are read.
struct Place {
    settings: Settings,
    path: PathBuf,
    files: Files,
    reading: Options,
}

impl Place {
    fn new(args: &End) -> anyhow::Result<Self> {
        let settings = facts::settings(&args.facts)?;
        let path = flags::path(&settings.typed)?;
        let files = Files::new(&path, settings.typed.environment.as_deref());
        let reading = flags::reading(&settings.typed);
        Ok(Self { settings, path, files, reading })
    }

    /// The lines that ask for the flag, where it is said where to look.
    fn code(&self, args: &End, spellings: &Spellings) -> anyhow::Result<Option<Vec<Found>>> {
        let but = [self.path.clone(), archive::path(&self.path)].into_iter().chain(self.files.overlays());
        let search = |folder: &PathBuf| spellings.search(folder, &but.collect::<Vec<_>>());
        args.code.as_ref().map(search).transpose()
    }
}

/// The variant everybody gets: as said, or as it was ended before.
fn winner(args: &End, flag: &Flag, latest: Option<&Ended>) -> anyhow::Result<String> {
    let Some(winner) = args.winner.as_deref().or(latest.map(|one| one.winner.as_str())) else {
        bail!("`{}` was not ended yet: say --winner VARIANT first ({})", args.flag, choices(flag).join(", "));
    };
    if choices(flag).contains(&winner) {
        return Ok(winner.into());
    }
    bail!("`{winner}` is no variant of `{}`: it can be {}", args.flag, choices(flag).join(", "))
}

/// What the flag can be.
fn choices(flag: &Flag) -> Vec<&str> {
    if !flag.variants.are_named() {
        return vec!["off", "on"];
    }
    flag.variants.weights().map(|(id, _)| flag.variants.name(id)).collect()
}

/// A flag that is to be ended.
struct Case<'a> {
    args: &'a End,
    place: &'a Place,
    snapshot: &'a Snapshot,
    flag: &'a Flag,
    winner: &'a str,
}

impl Case<'_> {
    /// How code asks for the flag.
    fn spellings(&self) -> Spellings {
        Spellings::with_waffle(&self.args.flag, self.flag.waffle_name())
    }
}

/// What was done, or would be.
struct Done {
    judged: Judged,
    settled: Option<Settled>,
    /// Why it was not done.
    objections: Vec<String>,
    code: Option<Vec<Found>>,
}

impl Case<'_> {
    /// Archives the flag with its results, and gives everybody the winner or takes it out.
    fn end(&self) -> anyhow::Result<Answer> {
        let judged = judge(self)?;
        let code = self.place.code(self.args, &self.spellings())?;
        let mut objections: Vec<_> = judged.objection.clone().into_iter().collect();
        if !self.flag.enabled && self.winner != "off" {
            let said = format!(
                "`{}` is off now (enabled = false), and everybody would get `{}`",
                self.args.flag, self.winner
            );
            objections.push(said);
        }
        objections.extend(self.tripped());
        if self.args.remove {
            objections.extend(self.still_asked(code.as_deref()));
        }
        let entry = self.entry(&judged, !objections.is_empty());
        self.finish(judged, Some(&entry), objections, code)
    }

    /// Whether all that is left is to take out a flag that was ended with this winner before.
    fn is_ended(&self, latest: &Ended) -> anyhow::Result<bool> {
        Ok(self.args.remove && latest.winner == self.winner && !self.apply(None, false, true)?.changed)
    }

    /// Takes out a flag that was ended before.
    fn remove(&self, latest: &Ended) -> anyhow::Result<Answer> {
        let code = self.place.code(self.args, &self.spellings())?;
        let mut objections = Vec::new();
        if self.apply(None, false, true)?.changed {
            let (flag, winner) = (&self.args.flag, &latest.winner);
            objections.push(format!(
                "`{flag}` was changed since it was ended on {}: not everybody gets `{winner}`; end it again with --winner",
                latest.at
            ));
        }
        objections.extend(self.still_asked(code.as_deref()));
        self.finish(Judged::default(), None, objections, code)
    }

    fn finish(
        &self,
        judged: Judged,
        entry: Option<&Ended>,
        objections: Vec<String>,
        code: Option<Vec<Found>>,
    ) -> anyhow::Result<Answer> {
        let stops = !objections.is_empty() && !self.args.force;
        let settled = if stops { None } else { Some(self.apply(entry, self.args.remove, self.args.dry_run)?) };
        tell::done(self, &Done { judged, settled, objections, code })?;
        Ok(if stops { Answer::No } else { Answer::Yes })
    }

    fn apply(&self, entry: Option<&Ended>, remove: bool, dry_run: bool) -> anyhow::Result<Settled> {
        let names = choices(self.flag);
        let variants = if self.flag.variants.are_named() { Variants::Named(&names) } else { Variants::OffAndOn };
        let ending = Ending { flag: &self.args.flag, winner: self.winner, variants, entry, remove, dry_run };
        let Place { files, reading, path, .. } = self.place;
        edit::end(files, reading, self.snapshot.revision(), &ending).map_err(|refused| match refused {
            Refused::Invalid(report) => shown_under("nothing was changed:", &report),
            other => anyhow!("{}: {other}", path.display()),
        })
    }

    /// A guard took it back, and any edit of the flag would undo that.
    fn tripped(&self) -> Option<String> {
        let facts = facts::recorded(&self.place.settings);
        let is_this = |one| one == self.flag.definition || one == self.flag.former_definition;
        let of_this = |(name, definition): &(Name, Definition)| *name == self.flag.name && is_this(*definition);
        let is_back = self.winner != "off" && facts.tripped.iter().any(of_this);
        is_back.then(|| {
            format!(
                "its guard took `{}` back, and everybody would get `{}`; see `flagstaff rollout {0} status`",
                self.flag.name, self.winner
            )
        })
    }

    /// Once the flag is gone, code that asks for it takes it for off.
    fn still_asked(&self, code: Option<&[Found]>) -> Option<String> {
        let sure = |one: &&Found| matches!(one.kind, Kind::Header | Kind::Waffle);
        let lines = code.into_iter().flatten().filter(sure).count();
        let them = if lines == 1 { "one line still asks".into() } else { format!("{lines} lines still ask") };
        (lines > 0 && self.winner != "off").then(|| {
            format!("{them} for `{}`, and would take it for off once it is gone; delete that first", self.args.flag)
        })
    }

    fn entry(&self, judged: &Judged, has_objections: bool) -> Ended {
        let now = Timestamp::now();
        Ended {
            flag: self.args.flag.clone(),
            winner: self.winner.into(),
            at: now.round(Unit::Second).unwrap_or(now),
            by: self.args.by.clone().or_else(|| std::env::var("USER").ok()).filter(|by| !by.trim().is_empty()),
            revision: self.snapshot.revision().into(),
            definition: self.flag.definition.to_string(),
            forced: has_objections,
            text: String::new(),
            results: judged.as_json(),
        }
    }

    /// The goals of the flag that no other flag names.
    fn unused_goals(&self) -> Vec<&Name> {
        let others = || self.snapshot.flags().iter().filter(|other| other.name != self.flag.name);
        let guarded = |flag: &Flag, goal: &Name| flag.guard.as_ref().is_some_and(|guard| guard.goals.contains(goal));
        let is_used = |goal: &Name| others().any(|other| other.goals.contains(goal) || guarded(other, goal));
        let guard = self.flag.guard.iter().flat_map(|guard| &guard.goals);
        let named: BTreeSet<_> = self.flag.goals.iter().chain(guard).collect();
        named.into_iter().filter(|goal| !is_used(goal)).collect()
    }
}
