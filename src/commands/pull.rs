//! `flagstaff pull`: what is in the store, as a file.

use std::path::Path;

use anyhow::Context;
use flagstaff_operations::transfer::{Pulled, pull};
use flagstaff_source::FlagSource;

use crate::cli;
use crate::commands::Outcome;
use crate::commands::push::short;
use crate::terminal::{FAINT, err, json as print_json, out, styled};
use crate::workspace::{Opened, warn};

pub(crate) fn run(args: &cli::Pull) -> anyhow::Result<Outcome> {
    let opened = Opened::flags(&args.flags)?;
    let pulled = opened.answer(pull(&opened.workspace))?;
    if args.json {
        print_json(&pulled)?;
        return Ok(Outcome::Yes);
    }
    match &args.output {
        Some(file) => write(file, opened.workspace.source.environment(), &pulled)?,
        None => print(&pulled)?,
    }
    let revision = short(&pulled.revision);
    err(&styled(
        FAINT,
        &format!("revision {revision} of {}; to push it back: --if-revision {revision}\n", pulled.source),
    ));
    Ok(Outcome::Yes)
}

fn print(pulled: &Pulled) -> anyhow::Result<()> {
    if pulled.overlay.is_some() {
        warn("the overlay of the environment is not shown; --output FILE writes both");
    }
    // the mark of a file's beginning is for files
    out(pulled.definitions.trim_start_matches('\u{feff}'))
}

/// Writes the definitions, and the overlay beside them.
fn write(file: &Path, environment: Option<&str>, pulled: &Pulled) -> anyhow::Result<()> {
    let files = FlagSource::files(file, environment);
    let overlay = files.overlay_file().zip(pulled.overlay.as_deref());
    for (path, text) in [(file, pulled.definitions.as_str())].into_iter().chain(overlay) {
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
        out(&format!("{}\n", path.display()))?;
    }
    Ok(())
}
