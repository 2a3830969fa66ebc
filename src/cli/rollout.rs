//! Options of `rollout`.

use clap::Args;

use crate::cli::LedgerArgs;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Action {
    /// Show where it stands, and why
    Status,
    /// Go to the next step now, whatever the hold says
    Advance,
    /// Go to the next step from one that waits for an approval
    Approve,
    /// Stay at this step
    Pause,
    /// Continue after a pause
    Resume,
    /// Start again at the first step; a rollback is cleared, and what the guard saw is forgotten
    Reset,
}

#[derive(Debug, Args)]
pub(crate) struct Rollout {
    /// The flag
    pub(crate) flag: String,
    /// What to do
    #[arg(value_enum, default_value_t = Action::Status)]
    pub(crate) action: Action,
    /// Your name, for the record [default: $USER]
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
