//! Options of `history`, `diff` and `rollback`.

use clap::Args;

use crate::cli::LedgerArgs;

#[derive(Debug, Args)]
pub(crate) struct History {
    /// Only revisions that change this flag, and what happened to it [default: all flags]
    pub(crate) flag: Option<String>,
    /// How many entries, the newest first
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(crate) limit: u16,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The revision before: the beginning of its name, or with ^ behind it the one before that; `now` for the files as they are
    #[arg(value_name = "A")]
    pub(crate) from: String,
    /// The revision after
    #[arg(value_name = "B", default_value = "now")]
    pub(crate) to: String,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Rollback {
    /// The revision: the beginning of its name, or with ^ behind it the one before that
    #[arg(value_name = "REV")]
    pub(crate) revision: String,
    /// Put back this flag alone; later edits of other flags stay
    #[arg(long, value_name = "FLAG")]
    pub(crate) flag: Option<String>,
    /// Do it even if a rollout starts again or a rollback by a guard is cleared
    #[arg(long)]
    pub(crate) yes: bool,
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Your name, for the record [default: $USER]
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
