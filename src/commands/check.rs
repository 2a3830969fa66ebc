//! `flagstaff check`: every mistake in the flag file.

use anyhow::Context;
use flagstaff_import::waffle::WaffleCheck;
use flagstaff_operations::flags;
use serde::Serialize;

use crate::cli::Check;
use crate::commands::{Outcome, check_waffle};
use crate::remote::Remote;
use crate::settings::telemetry;
use crate::terminal::{GOOD, counted, json as print_json, out, styled};
use crate::workspace::{Opened, block_on, warn};

pub(crate) fn run(args: &Check) -> anyhow::Result<Outcome> {
    if let Some(remote) = Remote::flags(&args.remote, &args.flags)? {
        return far(args, &remote);
    }
    let mut of = args.flags.clone();
    of.flags = args.file.clone().or(of.flags);
    let opened = Opened::flags(&of)?.judging_environment();
    if let Err(problems) = telemetry::check(&opened.settings.typed.telemetry) {
        warn(&format!("`flagstaff run` would not start\n{:#}", opened.settings.report(problems)));
    }
    ledger(&opened)?;
    let checked = opened.answer(flags::check(&opened.workspace))?;
    let (report, count) = (checked.report, checked.flags);
    let waffle = match &args.waffle {
        Some(from) => check_waffle::checked(from, &opened)?,
        None => None,
    };
    if args.json {
        print_json(&Answer { report: report.to_json(), waffle: waffle.as_ref() })?;
    } else if report.problems().is_empty() {
        fine(count, &opened.workspace.source.name())?;
    } else {
        drawn(&report.render(true), &report.summary())?;
    }
    let follows = waffle.as_ref().is_none_or(|waffle| waffle.findings.is_empty());
    if let Some(waffle) = waffle.filter(|_| !args.json) {
        check_waffle::show(&waffle)?;
    }
    Ok(judged(args, report.is_usable() && follows, report.problems().is_empty() && follows))
}

/// What programs are answered.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    report: serde_json::Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    waffle: Option<&'a WaffleCheck>,
}

/// Says what is wrong with the settings of the ledger, and with its replica.
fn ledger(opened: &Opened) -> anyhow::Result<()> {
    if let Err(problems) = &opened.workspace.ledger {
        warn(&format!("`flagstaff run` would not start\n{:#}", opened.settings.report(problems.clone())));
    }
    let Some(replica) = &opened.workspace.replica else { return Ok(()) };
    block_on(replica.is_there())?;
    // a notice is told with the answer
    Ok(())
}

/// Has a running program check a draft, as it would read it.
fn far(args: &Check, remote: &Remote) -> anyhow::Result<Outcome> {
    let file = args.file.as_deref().context("name the file that is to be checked by the running program")?;
    let draft = std::fs::read(file).with_context(|| format!("cannot read {file}"))?;
    let checked = remote.answer(remote.client.check(file, &draft))?;
    if args.json {
        print_json(&checked.for_scripts())?;
    } else if checked.problems.is_empty() {
        fine(checked.flags, file)?;
    } else {
        drawn(&checked.text, &checked.summary)?;
    }
    Ok(judged(args, checked.usable, checked.problems.is_empty()))
}

fn fine(count: usize, file: &str) -> anyhow::Result<()> {
    out(&format!("{}: {} in {file}\n", styled(GOOD, "fine"), counted(count, "flag")))
}

fn drawn(text: &str, summary: &str) -> anyhow::Result<()> {
    out(&format!("{}\n\n{summary}\n", text.trim_end()))
}

fn judged(args: &Check, is_usable: bool, is_spotless: bool) -> Outcome {
    if if args.strict { is_spotless } else { is_usable } { Outcome::Yes } else { Outcome::No }
}
