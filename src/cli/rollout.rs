//! Rollouts.

use clap::Args;

use crate::cli::LedgerArgs;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Action {
    /// Tell where it stands, and why
    Status,
    /// Go to the next step now, whatever the hold says
    Advance,
    /// Go on from a step that waits for an approval
    Approve,
    /// Stay at this step
    Pause,
    /// Climb again
    Resume,
    /// Begin anew at the first step; a trip is cleared, and what the guard saw is set aside
    Reset,
}

#[derive(Debug, Args)]
pub(crate) struct Rollout {
    /// The flag
    pub(crate) flag: String,
    /// What to do
    #[arg(value_enum, default_value_t = Action::Status)]
    pub(crate) action: Action,
    /// Who asks for it, for the record [default: whoever is logged in]
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
