//! What is said of an end.

use std::fmt::Write as _;
use std::path::Path;

use flagstaff_experiment::{GoalReport, Report};
use flagstaff_source::archive::{self, Ended};
use serde_json::{Value, json};

use super::{Case, Done, choices};
use crate::cli::End;
use crate::code::{Found, Spellings};
use crate::commands::{Answer, results};
use crate::print::{BAD, FAINT, GOOD, ODD, STRONG, grouped, json as print_json, out, percent, styled};

/// A flag that is gone already.
pub(super) fn gone(args: &End, before: &Ended, code: &Option<Vec<Found>>) -> anyhow::Result<Answer> {
    if args.json {
        print_json(&json!({
            "flag": before.flag, "winner": before.winner, "done": true, "archived": false, "changed": false, "removed": true,
            "at": before.at.to_string(), "spellings": Spellings::new(&before.flag).all(), "code": code,
        }))?;
        return Ok(Answer::Yes);
    }
    let (flag, winner) = (styled(STRONG, &before.flag), &before.winner);
    let mut text = format!("{flag} was ended with `{winner}` on {}, and is out of the flag file\n", before.at);
    text += &lines(code.as_deref().unwrap_or_default());
    out(&text)?;
    Ok(Answer::Yes)
}

/// What was done, or why it was not.
pub(super) fn done(case: &Case<'_>, done: &Done) -> anyhow::Result<()> {
    if case.args.json { print_json(&as_json(case, done)) } else { out(&as_text(case, done)) }
}

fn as_json(case: &Case<'_>, done: &Done) -> Value {
    let settled = done.settled.as_ref();
    let names = choices(case.flag);
    json!({
        "flag": case.args.flag,
        "winner": case.winner,
        "done": settled.is_some() && !case.args.dry_run,
        "dry_run": case.args.dry_run,
        "archived": settled.is_some_and(|settled| settled.archived),
        "archive": archive::path(&case.place.path).display().to_string(),
        "changed": settled.is_some_and(|settled| settled.changed),
        "removed": settled.is_some() && case.args.remove,
        "gone": settled.map(|settled| &settled.gone),
        "unused_goals": case.unused_goals().iter().map(|goal| goal.as_str()).collect::<Vec<_>>(),
        "results": done.judged.as_json(),
        "objections": done.objections,
        "keep": case.winner,
        "delete": names.into_iter().filter(|name| *name != case.winner).collect::<Vec<_>>(),
        "spellings": case.spellings().all(),
        "code": done.code,
        "next": settled.map(|_| next(case)),
    })
}

fn as_text(case: &Case<'_>, done: &Done) -> String {
    let mut text = String::new();
    if !case.args.remove || case.args.winner.is_some() {
        text += &match done.judged.report() {
            Some(report) => figures(report),
            None => format!("{}: no results were recorded\n", styled(ODD, &case.args.flag)),
        };
    }
    for objection in &done.objections {
        let _ = writeln!(text, "{}: {objection}", styled(BAD, if case.args.force { "although" } else { "no" }));
    }
    if done.settled.is_none() {
        let _ = writeln!(text, "Nothing was changed. With --force it is done all the same.");
        return text + &lines(done.code.as_deref().unwrap_or_default());
    }
    text += &acts(case, done);
    text += &code(case, done);
    text + &format!("{}\n", next(case))
}

/// What was changed, file by file.
fn acts(case: &Case<'_>, done: &Done) -> String {
    let Some(settled) = &done.settled else {
        return String::new();
    };
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let would = if case.args.dry_run { "would be " } else { "" };
    let mut text = String::new();
    let archive = name(&archive::path(&case.place.path));
    let archived = if settled.archived { format!("{would}archived") } else { "archived before".into() };
    let _ = writeln!(text, "{}: {archived} in {archive}", styled(STRONG, &case.args.flag));
    let what = match (settled.changed, case.args.remove) {
        (false, _) => format!("everybody had `{}` already", case.winner),
        (true, true) => format!("{would}taken out"),
        (true, false) if case.args.dry_run => format!("everybody would get `{}`", case.winner),
        (true, false) => format!("everybody gets `{}`", case.winner),
    };
    let _ = writeln!(text, "{}: {what}", styled(GOOD, &name(&case.place.path)));
    let gone: Vec<_> = settled.gone.iter().filter(|path| !path.starts_with("flags.")).map(String::as_str).collect();
    if !gone.is_empty() {
        let _ = writeln!(text, "  with it {would}out: {}", gone.join(", "));
    }
    let requires: Vec<_> = case.flag.requires.iter().map(|one| one.flag.as_str()).collect();
    if !requires.is_empty() && !case.args.remove && case.winner != "off" {
        let _ = writeln!(text, "  it still requires {}: only who has that gets it", requires.join(", "));
    }
    let unused: Vec<_> = case.unused_goals().iter().map(|goal| goal.as_str()).collect();
    if !unused.is_empty() {
        let _ = writeln!(text, "  goals that no flag names any more: {}", unused.join(", "));
    }
    if let Some(pin) = &case.flag.pin {
        let _ = writeln!(text, "  {}: this machine pins it by {}", styled(ODD, "but"), pin.variable);
    }
    for (variant, address) in case.flag.upstream.iter().filter(|(id, _)| case.flag.variants.name(*id) == case.winner)
    {
        let variant = case.flag.variants.name(*variant);
        let _ = writeln!(
            text,
            "  `{variant}` is passed on to {address}: make that the app's address before the flag is gone"
        );
    }
    text
}

/// The code to delete, or what to look for.
fn code(case: &Case<'_>, done: &Done) -> String {
    let names = choices(case.flag);
    let others: Vec<_> = names.iter().filter(|name| **name != case.winner).map(|name| format!("`{name}`")).collect();
    let mut text = format!("\nCode: keep the branch of `{}`, delete that of {}.\n", case.winner, others.join(", "));
    match &done.code {
        Some(found) if found.is_empty() => text += "  nothing here asks for it\n",
        Some(found) => text += &lines(found),
        None => {
            let all = case.spellings().all().join(", ");
            let _ = writeln!(text, "  look for {all}, `{}`; --code DIR looks for you", case.args.flag);
        }
    }
    text
}

fn lines(found: &[Found]) -> String {
    let line = |one: &Found| {
        let place = format!("{}:{}", one.file.display(), one.line);
        format!("  {}: {}\n", styled(STRONG, &place), styled(FAINT, &one.text))
    };
    found.iter().map(line).collect()
}

fn next(case: &Case<'_>) -> String {
    let header = case.spellings().all().into_iter().next().unwrap_or_default();
    match (case.args.remove, case.winner) {
        (true, "off") => "The flag is gone; code that still asks for it finds it off, as before.".into(),
        (true, _) => format!("No {header} is sent from now on: code that still asks for it takes the flag for off."),
        (false, _) => format!("When that is deployed: flagstaff end {} --remove", case.args.flag),
    }
}

fn figures(report: &Report) -> String {
    let goal = |goal: &GoalReport| {
        let one = |one: &flagstaff_experiment::VariantReport| {
            let rate = one.rate.map_or_else(|| "no rate".into(), percent);
            format!("{} {}/{} ({rate})", one.variant, grouped(one.conversions), grouped(one.visitors))
        };
        let variants: Vec<_> = goal.variants.iter().map(one).collect();
        let compared: String = goal.comparisons.iter().map(results::lines).collect();
        format!("{}: {}\n{compared}", styled(STRONG, &goal.goal), variants.join(", "))
    };
    let goals: String = report.goals.iter().map(goal).collect();
    format!("{goals}{}: {}\n", report.verdict.kind.as_str().replace('_', " "), report.verdict.text)
}
