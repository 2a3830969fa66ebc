//! `flagstaff export`: what was recorded, for other programs.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::pin::pin;
use std::time::{Duration, Instant};

use anyhow::bail;
use flagstaff_flags::{Holdout, Snapshot};
use flagstaff_ledger::{Export as Rows, Format as Written, Ledger, TallyGoal};
use futures_util::StreamExt;
use jiff::Timestamp;

use crate::cli::{Export, Format, Per};
use crate::commands::Answer;
use crate::print::{err, grouped};
use crate::{facts, flags, observed};

/// How often progress is told.
const FRAME: Duration = Duration::from_millis(200);

pub(crate) fn run(args: &Export) -> anyhow::Result<Answer> {
    let settings = facts::settings(&args.facts)?;
    let snapshot = flags::snapshot_of(&settings)?;
    facts::ask(&settings, async |ledger| {
        let recorded = ledger.flags().await?;
        let mut out = BufWriter::new(io::stdout().lock());
        for flag in chosen(args, &snapshot, &recorded)? {
            let goals = goals(&snapshot, &flag);
            if !export(args, ledger, &flag, &goals, &mut out).await? {
                break;
            }
        }
        quiet(out.flush())?;
        if recorded.is_empty() {
            err("nothing was recorded yet, so there is nothing to export\n");
        } else if let Some(flag) = args.flag.as_ref().filter(|flag| !recorded.contains(flag)) {
            err(&format!("nothing was recorded of `{flag}` yet, so there is nothing to export\n"));
            return Ok(Answer::No);
        }
        Ok(if recorded.is_empty() { Answer::No } else { Answer::Yes })
    })
}

/// The flags that are exported.
fn chosen(args: &Export, snapshot: &Snapshot, recorded: &[String]) -> anyhow::Result<Vec<String>> {
    if let Some(flag) = &args.flag {
        if !recorded.contains(flag) {
            flags::find(snapshot, flag)?;
        }
        return Ok(vec![flag.clone()]);
    }
    match (args.format, recorded) {
        (Format::Csv, [_, _, ..]) => {
            bail!(
                "their goals are columns, so CSV holds one flag: name it with --flag ({}), or take --format jsonl",
                recorded.join(", ")
            )
        }
        _ => Ok(recorded.to_vec()),
    }
}

/// Goals of a flag; none of one that is not defined any more, and all of the holdout.
fn goals(snapshot: &Snapshot, flag: &str) -> Vec<TallyGoal> {
    if flag == Holdout::NAME {
        return snapshot.goals().iter().map(observed::counted).collect();
    }
    let flag = snapshot.flag_named(flag);
    let all = flag.into_iter().flat_map(|flag| observed::goals(snapshot, flag));
    all.map(observed::counted).collect()
}

/// Writes one flag's rows; false when nobody reads them any more.
async fn export(
    args: &Export,
    ledger: &mut Ledger,
    flag: &str,
    goals: &[TallyGoal],
    out: &mut impl Write,
) -> anyhow::Result<bool> {
    let rows = match args.per {
        Per::Visitor => Rows::Visitors,
        Per::Day => Rows::Days,
    };
    let written = match args.format {
        Format::Csv => Written::Csv,
        Format::Jsonl => Written::JsonLines,
    };
    let mut progress = Progress::new(match rows {
        Rows::Visitors => Some(ledger.visitors(flag).await?),
        Rows::Days => None,
    });
    let mut lines = pin!(ledger.export(flag, goals, &rows, written, Timestamp::now()));
    while let Some(line) = lines.next().await {
        if !quiet(out.write_all(line?.as_bytes()))? {
            return Ok(false);
        }
        progress.step();
    }
    progress.end();
    Ok(true)
}

/// Whether it was written; a reader that went away is no error.
fn quiet(result: io::Result<()>) -> anyhow::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Rows so far, told on a terminal once it takes a while.
struct Progress {
    rows: u64,
    of: Option<u64>,
    last: Instant,
    told: bool,
    live: bool,
}

impl Progress {
    fn new(of: Option<u64>) -> Self {
        Self { rows: 0, of, last: Instant::now(), told: false, live: io::stderr().is_terminal() }
    }

    fn step(&mut self) {
        self.rows += 1;
        if self.live && self.rows.is_multiple_of(256) && self.last.elapsed() > FRAME {
            let of = self.of.map(|of| format!(" of {}", grouped(of)));
            // nobody looks on where it cannot be written
            let _ = write!(io::stderr(), "\r{} rows{}", grouped(self.rows), of.unwrap_or_default());
            self.last = Instant::now();
            self.told = true;
        }
    }

    fn end(&self) {
        if self.told {
            let _ = writeln!(io::stderr(), "\r{} rows written          ", grouped(self.rows));
        }
    }
}
