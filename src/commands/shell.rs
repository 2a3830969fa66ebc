//! `flagstaff schema` and `flagstaff completions`: for editors and shells.

use clap::CommandFactory;

use crate::cli::Cli;
use crate::commands::Outcome;
use crate::terminal::{json, out};

pub(crate) fn schema() -> anyhow::Result<Outcome> {
    json(&flagstaff_source::schema())?;
    Ok(Outcome::Yes)
}

pub(crate) fn completions(shell: clap_complete::Shell) -> anyhow::Result<Outcome> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "flagstaff", &mut text);
    out(&String::from_utf8_lossy(&text))?;
    Ok(Outcome::Yes)
}
