//! What changes a flag file, or overrides it.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::cli::values::pair;
use crate::cli::{Certainty, FlagArgs, LedgerArgs, RemoteArgs};

#[derive(Debug, Args)]
pub(crate) struct Set {
    #[command(flatten)]
    pub(crate) edit: EditOf,
    /// What to set: percent=20 enabled=true owner=growth guard.errors=5xx
    #[arg(required = true, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) values: Vec<(String, String)>,
    /// Do it even if a rollout starts again or a rollback is cleared
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    #[command(flatten)]
    pub(crate) edit: EditOf,
    /// What it says: percent=5 owner=growth description='The new form'
    #[arg(value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) values: Vec<(String, String)>,
    /// Copy this flag, with its comments; the copy is off, and draws visitors of its own
    #[arg(long, value_name = "FLAG")]
    pub(crate) like: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    pub(crate) edit: EditOf,
    /// Do it even if the flag was not ended
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct On {
    #[command(flatten)]
    pub(crate) edit: EditOf,
    /// Switch it on for everyone: at 100 percent; refused for a flag that follows a rollout [default: as it was before it was switched off]
    #[arg(long)]
    pub(crate) everyone: bool,
    /// Do it even if a rollback is cleared
    #[arg(long, requires = "everyone")]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Off {
    #[command(flatten)]
    pub(crate) edit: EditOf,
}

/// Which flag is edited, and by whom.
#[derive(Debug, Args)]
pub(crate) struct EditOf {
    /// The flag
    pub(crate) flag: String,
    /// Your name, for the record [default: $USER]
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct End {
    /// The flag
    pub(crate) flag: String,
    /// The variant that everyone gets from now on
    #[arg(long, value_name = "VARIANT", required_unless_present = "remove")]
    pub(crate) winner: Option<String>,
    /// Remove the flag from the file, once no code asks for it any more
    #[arg(long)]
    pub(crate) remove: bool,
    /// Do it even if the results do not support it, or the flag is off now
    #[arg(long)]
    pub(crate) force: bool,
    /// The person who decides [default: $USER]
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    /// Search this folder for the code to delete; files that .gitignore names are skipped
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) code: Option<PathBuf>,
    /// Show what would be done, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
    #[command(flatten)]
    pub(crate) certainty: Certainty,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Link {
    /// The address that the link opens
    pub(crate) url: String,
    /// The variant that it gives; repeat for several flags
    #[arg(required = true, value_name = "FLAG=VARIANT", value_parser = pair)]
    pub(crate) values: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) flags: FlagArgs,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
    /// How long the link is valid
    #[arg(long = "for", value_name = "TIME", default_value = "1d", value_parser = humantime::parse_duration)]
    pub(crate) lasts: std::time::Duration,
}
