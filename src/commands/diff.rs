//! `flagstaff diff`: in what two revisions differ.

use std::fmt::Write as _;

use flagstaff_operations::api::DiffQuery;
use flagstaff_operations::history::{Difference, DifferentFile, LineFate, diff};

use crate::cli;
use crate::commands::{Outcome, changes};
use crate::remote::Remote;
use crate::terminal::{BAD, FAINT, GOOD, STRONG, json as print_json, out, styled};
use crate::workspace::{Opened, block_on};

pub(crate) fn run(args: &cli::Diff) -> anyhow::Result<Outcome> {
    let difference = asked(args)?;
    if args.json {
        print_json(&difference)?;
    } else {
        out(&text(&difference))?;
    }
    Ok(Outcome::Yes)
}

fn asked(args: &cli::Diff) -> anyhow::Result<Difference> {
    if let Some(remote) = Remote::ledger(&args.ledger)? {
        let query = DiffQuery { from: args.from.clone(), to: Some(args.to.clone()) };
        return remote.answer(remote.client.diff(&query));
    }
    let opened = Opened::ledger(&args.ledger)?;
    opened.answer(block_on(diff(&opened.workspace, &args.from, &args.to))?)
}

fn text(difference: &Difference) -> String {
    let (from, to) = (difference.from.short(), difference.to.short());
    if difference.files.is_empty() {
        return format!("{from} and {to} say the same, byte for byte.\n");
    }
    let mut text = String::new();
    for part in &difference.changes {
        // writing into a String cannot fail
        let _ = writeln!(text, "{} {}", styled(FAINT, "#"), changes::part(part));
    }
    text += &lines(&difference.files, from, to);
    text
}

/// Lines as `diff -u` writes them, in colours.
pub(crate) fn lines(files: &[DifferentFile], from: &str, to: &str) -> String {
    let mut text = String::new();
    for file in files {
        let _ = writeln!(text, "{}", styled(STRONG, &format!("--- {}\t{from}", file.file)));
        let _ = writeln!(text, "{}", styled(STRONG, &format!("+++ {}\t{to}", file.file)));
        for hunk in &file.hunks {
            let _ = writeln!(text, "{}", styled(FAINT, &hunk.head()));
            for line in &hunk.lines {
                let whole = format!("{}{}", line.change.sign(), line.text);
                let _ = match line.change {
                    LineFate::Same => writeln!(text, "{whole}"),
                    LineFate::Removed => writeln!(text, "{}", styled(BAD, &whole)),
                    LineFate::Added => writeln!(text, "{}", styled(GOOD, &whole)),
                };
                if line.unfinished {
                    text.push_str("\\ No newline at end of file\n");
                }
            }
        }
    }
    text
}
