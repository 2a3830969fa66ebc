//! `flagstaff import`: flags of another system as a flag file.

use std::io::Read;

use anyhow::{Context, bail};
use flagstaff_flags::printable;
use flagstaff_import::{Carried, FlagReport, LARGEST_EXPORT, Options, Report, import};
use flagstaff_source::LARGEST;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::cli::Import;
use crate::commands::Outcome;
use crate::terminal::{BAD, FAINT, GOOD, ODD, STRONG, counted, err, out, styled};
use crate::waffle_rows;

pub(crate) fn run(args: &Import) -> anyhow::Result<Outcome> {
    let options = Options {
        environment: args.environment.clone(),
        units: args.unit.clone(),
        attributes: args.attribute.clone(),
        until: Some(args.until.unwrap_or_else(in_sixty_days)),
        formula_version: args.formula_version,
    };
    if let Err(wrong) = args.system.check(&options) {
        bail!("{wrong}");
    }
    let bytes = if args.system.word() == "waffle" { waffle_rows::read(&args.file)? } else { read(&args.file)? };
    let named = || format!("cannot import {}", waffle_rows::named(&args.file));
    let made = import(args.system, &bytes, &options).with_context(named)?;
    out(&made.toml)?;
    err(&match args.json {
        true => serde_json::to_string(&made.report)? + "\n",
        false => text(&made.report),
    });
    if made.toml.len() > LARGEST {
        let size = made.toml.len();
        bail!(
            "the flag file has {size} bytes, and one of more than {LARGEST} bytes is not read: import a part of the flags"
        );
    }
    Ok(if args.strict && !made.report.is_exact() { Outcome::No } else { Outcome::Yes })
}

/// Waffle's cookies last for 30 days, and some time passes until the proxy takes over.
fn in_sixty_days() -> Date {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    today.saturating_add(60.days())
}

/// The export, up to one byte more than is taken.
fn read(file: &str) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(LARGEST_EXPORT)?.saturating_add(1);
    match file {
        "-" => std::io::stdin().lock().take(most).read_to_end(&mut bytes).context("cannot read standard input")?,
        file => {
            let of = || format!("cannot read {}", printable(file));
            std::fs::File::open(file).and_then(|opened| opened.take(most).read_to_end(&mut bytes)).with_context(of)?
        }
    };
    Ok(bytes)
}

fn text(report: &Report) -> String {
    let mut text: String = report.flags.iter().map(flag).collect();
    for note in &report.notes {
        text += &format!("{}\n", printable(note));
    }
    let count = |carried| report.count(carried);
    if report.renamed() > 0 {
        let flags = counted(report.renamed(), "flag");
        text += &format!("{flags} with another name here (old → new): code must ask for the new one\n");
    }
    text + &format!(
        "{} from {}: {} carried exactly, {} in part, {} not\n",
        counted(report.flags.len(), "flag"),
        report.system,
        count(Carried::Exactly),
        count(Carried::InPart),
        count(Carried::Not)
    )
}

/// A flag, with what is not carried of it.
fn flag(flag: &FlagReport) -> String {
    let style = match flag.carried {
        Carried::Exactly => GOOD,
        Carried::InPart => ODD,
        Carried::Not => BAD,
    };
    let origin = printable(&flag.origin);
    let name = match &flag.name {
        Some(name) if *name != flag.origin => format!("{origin} → {name}"),
        _ => origin.into_owned(),
    };
    let mut text = format!("{}: {}\n", styled(STRONG, &name), styled(style, &flag.carried.to_string()));
    flag.lost.iter().for_each(|lost| text += &format!("  {}\n", printable(lost)));
    flag.remarks.iter().for_each(|remark| text += &format!("  {}\n", styled(FAINT, &printable(remark))));
    text
}
