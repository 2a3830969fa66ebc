//! Options of `push` and `pull`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::cli::FlagArgs;

#[derive(Debug, Args)]
pub(crate) struct Push {
    /// The flag file; with --environment its overlay beside it is pushed too, where there is one
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// Only if this revision is there, or one that begins so, as `pull` and `list` tell it
    #[arg(long, value_name = "REV")]
    pub(crate) if_revision: Option<String>,
    /// Do it even if a rollout starts again or a rollback by a guard is cleared
    #[arg(long)]
    pub(crate) yes: bool,
    /// Your name, for the record [default: $USER]
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    #[command(flatten)]
    pub(crate) flags: FlagArgs,
    /// The ledger: a file, or postgres://…
    #[arg(long, value_name = "FILE|URL", value_hint = ValueHint::FilePath)]
    pub(crate) ledger: Option<String>,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Pull {
    /// Write to this file, and the overlay of the environment beside it [default: standard output, without the overlay]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) flags: FlagArgs,
    /// Answer as JSON
    #[arg(long, conflicts_with = "output")]
    pub(crate) json: bool,
}
