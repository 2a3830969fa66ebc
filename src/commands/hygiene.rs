//! `flagstaff hygiene`: what should be cleared away or mended.

use anyhow::bail;
use flagstaff_flags::printable;
use flagstaff_operations::hygiene::{HygieneReport, report};
use jiff::Zoned;

use crate::cli::HygieneArgs;
use crate::commands::Outcome;
use crate::remote::Remote;
use crate::terminal::{FAINT, GOOD, STRONG, json, out, styled};
use crate::workspace::Opened;

pub(crate) fn run(args: &HygieneArgs) -> anyhow::Result<Outcome> {
    let report = asked(args)?;
    if args.json {
        json(&report)?;
    } else {
        out(&text(&report))?;
    }
    Ok(if report.is_clean() { Outcome::Yes } else { Outcome::No })
}

fn asked(args: &HygieneArgs) -> anyhow::Result<HygieneReport> {
    if let Some(remote) = Remote::flags(&args.remote, &args.flags)? {
        if args.code.is_some() {
            bail!(
                "a running program does not see --code; leave it out, and search the code with a command about files"
            );
        }
        return remote.answer(remote.client.hygiene());
    }
    let opened = Opened::flags(&args.flags)?;
    let (snapshot, today) = (opened.in_force()?, Zoned::now().date());
    Ok(report(&opened.workspace, &snapshot, None, args.code.as_deref(), today)?)
}

fn text(report: &HygieneReport) -> String {
    let mut text = String::new();
    for one in &report.findings {
        text += &format!("{} {}\n", styled(STRONG, &one.flag), one.sentence);
    }
    for one in report.code.iter().flatten() {
        text += &format!(
            "{} was ended with `{}`, and code still asks for it\n",
            styled(STRONG, &one.flag),
            printable(&one.winner)
        );
        for found in &one.code {
            let file = found.file.display().to_string();
            text += &format!("  {}:{}: {}\n", printable(&file), found.line, styled(FAINT, &printable(&found.text)));
        }
    }
    for one in &report.never_asked {
        let since = report.watched_since.as_deref().unwrap_or_default();
        text += &format!("{} was never asked for since the program started at {since}\n", styled(STRONG, one));
    }
    for one in &report.unknown {
        text += &format!("{}\n", printable(&one.sentence()));
    }
    if report.is_clean() {
        text += &format!("{}: nothing to clear away\n", styled(GOOD, "fine"));
    }
    if report.watched_since.is_none() {
        text += &styled(
            FAINT,
            "Which flags nobody asks for, and which names nobody defined, a running program knows: ask it with --url.\n",
        );
    }
    text
}
