//! `flagstaff export --as`: the flags of the file as another system's file.

use anyhow::bail;
use flagstaff_operations::translate::{Target, Translated, TranslatedFlag, translate};
use jiff::Timestamp;

use crate::cli::{Export, System};
use crate::commands::Outcome;
use crate::terminal::{GOOD, ODD, STRONG, counted, err, out, styled};
use crate::workspace::Opened;

/// The file on standard output, and on standard error what cannot be said in it.
pub(super) fn run(args: &Export, system: System) -> anyhow::Result<Outcome> {
    if args.ledger.remote.url.is_some() {
        bail!("--as writes the flags of a file: name it with --flags, or get it first with `flagstaff pull`");
    }
    let opened = Opened::flags(&args.ledger.flags)?;
    let snapshot = opened.answer(opened.workspace.snapshot())?;
    let target = match system {
        System::Flagd => Target::Flagd,
        System::Unleash => Target::Unleash,
        System::Goff => Target::Goff,
    };
    let translated = translate(&snapshot, target, Timestamp::now());
    out(&translated.text)?;
    err(&report(&translated, target));
    let is_whole = translated.flags.iter().all(|flag| flag.lost.is_empty());
    Ok(if args.strict && !is_whole { Outcome::No } else { Outcome::Yes })
}

fn report(translated: &Translated, target: Target) -> String {
    let lines: String = translated.flags.iter().filter(|flag| !flag.lost.is_empty()).map(flag).collect();
    let whole = translated.flags.iter().filter(|flag| flag.lost.is_empty()).count();
    let all = counted(translated.flags.len(), "flag");
    lines + &format!("{all} for {}: {} said completely\n", target.title(), styled(GOOD, &whole.to_string()))
}

fn flag(flag: &TranslatedFlag) -> String {
    let mut text = format!("{}: {}\n", styled(STRONG, &flag.flag), styled(ODD, "said in part"));
    flag.lost.iter().for_each(|lost| text += &format!("  {lost}\n"));
    text
}
