//! `flagstaff export`: what was recorded, for other programs.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::time::{Duration, Instant};

use flagstaff_operations::Error;
use flagstaff_operations::api::{ExportFormat, ExportQuery, ExportRows, ProblemKind};
use flagstaff_operations::records::{self, Exported, Part, Rows};

use crate::cli::{Export, Format, Per};
use crate::commands::{Outcome, export_as};
use crate::remote::Remote;
use crate::terminal::{err, grouped};
use crate::workspace::{Opened, block_on};

/// How often progress is shown.
const FRAME: Duration = Duration::from_millis(200);

pub(crate) fn run(args: &Export) -> anyhow::Result<Outcome> {
    if let Some(system) = args.system {
        return export_as::run(args, system);
    }
    if let Some(remote) = Remote::ledger(&args.ledger)? {
        return far(args, &remote);
    }
    let opened = Opened::ledger(&args.ledger)?;
    let snapshot = opened.answer(opened.workspace.snapshot())?;
    let wanted = records::Export {
        flag: args.flag.as_deref(),
        rows: match args.per {
            Per::Visitor => Rows::Visitors,
            Per::Day => Rows::Days,
        },
        format: match args.format {
            Format::Csv => records::Format::Csv,
            Format::Jsonl => records::Format::JsonLines,
        },
    };
    let mut writer = Writer { out: BufWriter::new(io::stdout().lock()), progress: None };
    let exported = block_on(records::export(&opened.workspace, &snapshot, &wanted, |part| writer.write(part)))?;
    let exported = opened.answer(exported)?;
    quiet(writer.out.flush())?;
    match (exported, &args.flag) {
        (Exported::NothingOfFlag, Some(flag)) => {
            err(&format!("nothing was recorded of `{flag}` yet, so there is nothing to export\n"));
        }
        (Exported::Nothing | Exported::NothingOfFlag, _) => {
            err("nothing was recorded yet, so there is nothing to export\n");
        }
        (Exported::Rows, _) => return Ok(Outcome::Yes),
    }
    Ok(Outcome::No)
}

/// What a running program recorded.
fn far(args: &Export, remote: &Remote) -> anyhow::Result<Outcome> {
    let query = ExportQuery {
        flag: args.flag.clone(),
        format: match args.format {
            Format::Csv => ExportFormat::Csv,
            Format::Jsonl => ExportFormat::Jsonl,
        },
        per: match args.per {
            Per::Visitor => ExportRows::Visitor,
            Per::Day => ExportRows::Day,
        },
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let exported = remote.client.export(&query, |piece| quiet(out.write_all(piece)));
    quiet(out.flush())?;
    match exported {
        Err(Error::Elsewhere(problem)) if problem.kind == ProblemKind::NothingRecorded => {
            err(&format!("{}\n", problem.detail));
            Ok(Outcome::No)
        }
        exported => remote.answer(exported).map(|()| Outcome::Yes),
    }
}

/// Whether it was written; a reader that went away is no error.
fn quiet(result: io::Result<()>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error),
    }
}

/// Writes an export, and shows its progress.
struct Writer<W: Write> {
    out: W,
    progress: Option<Progress>,
}

impl<W: Write> Writer<W> {
    fn write(&mut self, part: Part<'_>) -> io::Result<bool> {
        match part {
            Part::Begin(of) => self.progress = Some(Progress::new(of)),
            Part::Line(line) => {
                if !quiet(self.out.write_all(line.as_bytes()))? {
                    return Ok(false);
                }
                self.progress.iter_mut().for_each(Progress::step);
            }
            Part::End => self.progress.iter().for_each(Progress::end),
        }
        Ok(true)
    }
}

/// Rows so far, shown on a terminal once it takes a while.
struct Progress {
    rows: u64,
    of: Option<u64>,
    last: Instant,
    is_shown: bool,
    live: bool,
}

impl Progress {
    fn new(of: Option<u64>) -> Self {
        Self { rows: 0, of, last: Instant::now(), is_shown: false, live: io::stderr().is_terminal() }
    }

    fn step(&mut self) {
        self.rows += 1;
        if self.live && self.rows.is_multiple_of(256) && self.last.elapsed() > FRAME {
            let of = self.of.map(|of| format!(" of {}", grouped(of)));
            // where that cannot be written, nobody is looking
            let _ = write!(io::stderr(), "\r{} rows{}", grouped(self.rows), of.unwrap_or_default());
            self.last = Instant::now();
            self.is_shown = true;
        }
    }

    fn end(&self) {
        if self.is_shown {
            let _ = writeln!(io::stderr(), "\r{} rows written          ", grouped(self.rows));
        }
    }
}
