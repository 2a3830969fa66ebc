//! `flagstaff scan`: names of flags in code against the flag file.

use std::time::{Duration, Instant};

use anyhow::bail;
use flagstaff_flags::printable;
use flagstaff_operations::code::{Scan as Answer, ScanFinding, ScanKind, Scanning, Searching, sarif, scan};

use crate::cli::Scan;
use crate::commands::Outcome;
use crate::terminal::{BAD, FAINT, GOOD, ODD, Passing, STRONG, counted, err, grouped, json, out, styled};
use crate::workspace::Opened;

/// The most lines of code that are kept of a flag.
const MAX_LINES: usize = 100;
/// The most of them that a person is shown.
const MAX_SHOWN: usize = 5;
/// A search that is shorter says nothing on its way.
const QUIET: Duration = Duration::from_secs(1);

pub(crate) fn run(args: &Scan) -> anyhow::Result<Outcome> {
    let opened = Opened::flags(&args.flags)?;
    let searching =
        Searching { folder: &args.dir, option: "", but: Vec::new(), exclude: &args.exclude, most_lines: MAX_LINES };
    let wanted = Scanning { workspace: &opened.workspace, searching };
    let mut passing = Passing::new(QUIET);
    let start = Instant::now();
    let answer = scan(&wanted, &mut |files| passing.say(|| progress(files, start.elapsed())));
    passing.clear();
    let answer = opened.answer(answer)?;
    match (args.json, args.sarif) {
        (_, true) => json(&sarif(&answer, env!("CARGO_PKG_VERSION")))?,
        (true, _) => json(&answer)?,
        _ => out(&text(&answer))?,
    }
    if let Some(first) = answer.unreadable.first() {
        answer.unreadable.iter().skip(1).for_each(|what| err(&format!("{}\n", printable(what))));
        bail!("not everything could be read, so the answer is not whole: {}", printable(first));
    }
    Ok(if answer.is_clean() { Outcome::Yes } else { Outcome::No })
}

fn progress(files: u64, elapsed: Duration) -> String {
    format!("{} files searched, {} s", grouped(files), elapsed.as_secs())
}

fn text(scan: &Answer) -> String {
    let mut text: String = scan.findings.iter().map(finding).collect();
    let all = &scan.all_flags;
    if let Some(first) = all.first() {
        let place = printable(&format!("{}:{}", first.file.display(), first.line)).into_owned();
        text += &styled(
            FAINT,
            &format!(
                "Code reads all flags at once ({place}); the names it takes from there are found between quotes.\n"
            ),
        );
    }
    let files = counted(usize::try_from(scan.files).unwrap_or(usize::MAX), "file");
    let summary = match scan.findings.len() {
        0 => {
            let used = counted(scan.used.len(), "flag");
            format!("{}: {files}, {used} in use, all defined", styled(GOOD, "fine"))
        }
        many => format!("{} in {files}", counted(many, "finding")),
    };
    text + &summary + "\n"
}

fn finding(finding: &ScanFinding) -> String {
    let style = if finding.kind == ScanKind::Undefined { BAD } else { ODD };
    let place = finding.defined.as_ref().filter(|_| finding.kind == ScanKind::Unused);
    let place = place.map(|place| printable(&format!(" ({}:{})", place.file, place.line)).into_owned());
    let place = place.unwrap_or_default();
    let mut text = format!("{} {}{place}\n", styled(style, &finding.flag), printable(&finding.sentence));
    for found in finding.code.iter().take(MAX_SHOWN) {
        let place = format!("{}:{}", found.file.display(), found.line);
        text += &format!("  {}: {}\n", styled(STRONG, &printable(&place)), styled(FAINT, &printable(&found.text)));
    }
    let more = finding.lines.saturating_sub(MAX_SHOWN);
    if more > 0 {
        text += &format!("  and {} more\n", grouped(u64::try_from(more).unwrap_or(u64::MAX)));
    }
    text
}
