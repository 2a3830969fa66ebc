//! `flagstaff end`: an experiment that is over.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::bail;
use flagstaff_experiment::{GoalReport, Report, VariantReport};
use flagstaff_operations::api::EndRequest;
use flagstaff_operations::code::Found;
use flagstaff_operations::end::{self, Ended, Gone};

use crate::cli::End;
use crate::commands::{Outcome, comparison, logged_in, person};
use crate::remote::Remote;
use crate::terminal::{BAD, FAINT, GOOD, ODD, STRONG, grouped, json as print_json, out, percent, styled};
use crate::workspace::{Opened, block_on, certainty};

pub(crate) fn run(args: &End) -> anyhow::Result<Outcome> {
    let answer = match Remote::ledger(&args.ledger)? {
        Some(remote) => far(args, remote)?,
        None => here(args)?,
    };
    if args.json {
        print_json(&answer)?;
    } else {
        out(&match &answer {
            end::EndAnswer::Gone(before) => gone(before),
            end::EndAnswer::Ended(ended) => text(args, ended),
        })?;
    }
    let is_done = match &answer {
        end::EndAnswer::Gone(_) => true,
        end::EndAnswer::Ended(ended) => ended.next.is_some(),
    };
    Ok(if is_done { Outcome::Yes } else { Outcome::No })
}

fn here(args: &End) -> anyhow::Result<end::EndAnswer> {
    let opened = Opened::ledger(&args.ledger)?;
    let wanted = end::End {
        flag: &args.flag,
        winner: args.winner.as_deref(),
        remove: args.remove,
        force: args.force,
        by: by(args),
        code: args.code.as_deref(),
        dry_run: args.dry_run,
        revision: None,
        certainty: certainty(args.certainty)?,
    };
    opened.answer(block_on(end::end(&opened.workspace, &wanted))?)
}

fn far(args: &End, remote: Remote) -> anyhow::Result<end::EndAnswer> {
    if args.code.is_some() {
        bail!("a running program does not see --code; leave it out, and search the code with a command about files");
    }
    let request = EndRequest {
        winner: args.winner.clone(),
        remove: args.remove,
        force: args.force,
        dry_run: args.dry_run,
        alpha: args.certainty.alpha,
        planned: args.certainty.planned,
    };
    let remote = remote.by(&person(args.by.as_deref()));
    remote.answer(remote.client.end(&args.flag, &request))
}

fn by(args: &End) -> Option<String> {
    args.by.clone().or_else(logged_in).filter(|by| !by.trim().is_empty())
}

/// A flag that is gone already.
fn gone(before: &Gone) -> String {
    let (flag, winner) = (styled(STRONG, &before.flag), &before.winner);
    let text = format!("{flag} was ended with `{winner}` on {}, and is out of the flag file\n", before.at);
    text + &lines(before.code.as_deref().unwrap_or_default())
}

/// What was done, or why it was not.
fn text(args: &End, ended: &Ended) -> String {
    let mut text = String::new();
    if !args.remove || args.winner.is_some() {
        text += &match &ended.results {
            Some(results) => figures(&results.report),
            None => format!("{}: no results were recorded\n", styled(ODD, &ended.flag)),
        };
    }
    for objection in &ended.objections {
        let _ = writeln!(
            text,
            "{}: {objection}",
            styled(BAD, if args.force { "Ignored with --force" } else { "Problem" })
        );
    }
    let Some(next) = &ended.next else {
        let _ = writeln!(text, "Nothing was changed. With --force it is done all the same.");
        return text + &lines(ended.code.as_deref().unwrap_or_default());
    };
    let file = name(Path::new(&ended.file));
    text += &changes(args, ended, &file);
    text += &branches(ended);
    text + &format!("{next}\n")
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What was changed, file by file.
fn changes(args: &End, ended: &Ended, file: &str) -> String {
    let would = if ended.dry_run { "would be " } else { "" };
    let mut text = String::new();
    let archived = if ended.archived { format!("{would}archived") } else { "archived before".into() };
    let archive = name(Path::new(&ended.archive));
    let _ = writeln!(text, "{}: {archived} in {archive}", styled(STRONG, &ended.flag));
    let what = match (ended.changed, args.remove) {
        (false, _) => format!("everybody had `{}` already", ended.winner),
        (true, true) => format!("{would}taken out"),
        (true, false) if ended.dry_run => format!("everybody would get `{}`", ended.winner),
        (true, false) => format!("everybody gets `{}`", ended.winner),
    };
    let _ = writeln!(text, "{}: {what}", styled(GOOD, file));
    let keys = ended.gone.iter().flatten().filter(|path| !path.starts_with("flags."));
    let keys: Vec<_> = keys.map(String::as_str).collect();
    if !keys.is_empty() {
        let _ = writeln!(text, "  with it {would}out: {}", keys.join(", "));
    }
    text + &notes(args, ended)
}

/// What else holds of the flag.
fn notes(args: &End, ended: &Ended) -> String {
    let mut text = String::new();
    let passed = &ended.passed;
    if !passed.requires.is_empty() && !args.remove && ended.winner != "off" {
        let _ =
            writeln!(text, "  it still requires {}: only visitors who have that get it", passed.requires.join(", "));
    }
    if !ended.unused_goals.is_empty() {
        let _ = writeln!(text, "  goals that no flag names any more: {}", ended.unused_goals.join(", "));
    }
    if let Some(variable) = &passed.pin {
        let _ = writeln!(text, "  {}: this machine pins it by {variable}", styled(ODD, "but"));
    }
    for address in &passed.upstream {
        let _ = writeln!(
            text,
            "  `{}` is passed on to {address}: make that the app's address before the flag is gone",
            ended.winner
        );
    }
    text
}

/// The code to delete, or what to look for.
fn branches(ended: &Ended) -> String {
    let others: Vec<_> = ended.delete.iter().map(|name| format!("`{name}`")).collect();
    let mut text = format!("\nCode: keep the branch of `{}`, delete that of {}.\n", ended.keep, others.join(", "));
    match &ended.code {
        Some(found) if found.is_empty() => text += "  nothing here asks for it\n",
        Some(found) => text += &lines(found),
        None => {
            let all = ended.spellings.join(", ");
            let _ = writeln!(text, "  look for {all}, `{}`; --code DIR looks for you", ended.flag);
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

fn figures(report: &Report) -> String {
    let goal = |goal: &GoalReport| {
        let one = |one: &VariantReport| {
            let rate = one.rate.map_or_else(|| "no rate".into(), percent);
            format!("{} {}/{} ({rate})", one.variant, grouped(one.conversions), grouped(one.visitors))
        };
        let variants: Vec<_> = goal.variants.iter().map(one).collect();
        let compared: String = goal.comparisons.iter().map(comparison::lines).collect();
        format!("{}: {}\n{compared}", styled(STRONG, &goal.goal), variants.join(", "))
    };
    let goals: String = report.goals.iter().map(goal).collect();
    format!("{goals}{}: {}\n", report.verdict.kind.as_str().replace('_', " "), report.verdict.text)
}
