//! `flagstaff hygiene`: what should be cleared away or mended.

use flagstaff_flags::printable;
use flagstaff_operations::hygiene::{HygieneReport, report};
use jiff::Zoned;

use crate::cli::HygieneArgs;
use crate::commands::Outcome;
use crate::terminal::{FAINT, GOOD, STRONG, json, out, styled};
use crate::workspace::Opened;

pub(crate) fn run(args: &HygieneArgs) -> anyhow::Result<Outcome> {
    let opened = Opened::flags(&args.flags)?;
    let (snapshot, today) = (opened.in_force()?, Zoned::now().date());
    let report = report(&opened.workspace, &snapshot, None, args.code.as_deref(), today)?;
    if args.json {
        json(&report)?;
    } else {
        out(&text(&report))?;
    }
    Ok(if report.is_clean() { Outcome::Yes } else { Outcome::No })
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
    for one in &report.unknown {
        text += &format!("{}\n", printable(&one.sentence()));
    }
    if report.is_clean() {
        text += &format!("{}: nothing to clear away\n", styled(GOOD, "fine"));
    }
    if report.watched_since.is_none() {
        text +=
            &styled(FAINT, "Which flags nobody asks for, and which names nobody defined, a running program knows.\n");
    }
    text
}
