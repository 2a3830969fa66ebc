//! `flagstaff check`: every mistake in the flag file.

use flagstaff_operations::flags;

use crate::cli::Check;
use crate::commands::Outcome;
use crate::terminal::{GOOD, json as print_json, out, styled};
use crate::workspace::Opened;

pub(crate) fn run(args: &Check) -> anyhow::Result<Outcome> {
    let mut of = args.flags.clone();
    of.flags = args.file.clone().or(of.flags);
    let opened = Opened::flags(&of)?;
    let checked = opened.answer(flags::check(&opened.workspace))?;
    let (report, count) = (checked.report, checked.flags);
    if args.json {
        print_json(&report.to_json())?;
    } else if report.problems().is_empty() {
        let flags = if count == 1 { "1 flag".into() } else { format!("{count} flags") };
        let path = opened.workspace.files.definitions().display();
        out(&format!("{}: {flags} in {path}\n", styled(GOOD, "fine")))?;
    } else {
        out(&format!("{}\n\n{}\n", report.render(true).trim_end(), report.summary()))?;
    }
    let fine = if args.strict { report.problems().is_empty() } else { report.is_usable() };
    Ok(if fine { Outcome::Yes } else { Outcome::No })
}
