//! Options of `init` and `scan`: the first day with an app, and its code every day.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::cli::FlagArgs;

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The app's folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, default_value = ".")]
    pub(crate) dir: PathBuf,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Scan {
    /// The folder; files that .gitignore or .ignore name are skipped, and hidden ones
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath, default_value = ".")]
    pub(crate) dir: PathBuf,
    /// Skip these files too; a pattern as in .gitignore, such as docs/; repeat for several
    #[arg(long, value_name = "PATTERN")]
    pub(crate) exclude: Vec<String>,
    #[command(flatten)]
    pub(crate) flags: FlagArgs,
    /// Answer as JSON
    #[arg(long, conflicts_with = "sarif")]
    pub(crate) json: bool,
    /// Answer as SARIF 2.1.0, for code hosts and editors
    #[arg(long)]
    pub(crate) sarif: bool,
}
