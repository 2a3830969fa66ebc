//! What changes a flag file, or overrides it.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::cli::values::pair;
use crate::cli::{Certainty, FlagArgs, LedgerArgs};

#[derive(Debug, Args)]
pub(crate) struct Set {
    #[command(flatten)]
    pub(crate) edit: EditOf,
    /// What to set: percent=20 enabled=true owner=growth guard.errors=5xx
    #[arg(required = true, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) values: Vec<(String, String)>,
    /// Do it also when a rollout begins anew with it, or a rollback is cleared
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct On {
    #[command(flatten)]
    pub(crate) edit: EditOf,
    /// On for everybody it may be on for: at 100 percent [default: as before it was off]
    #[arg(long)]
    pub(crate) everyone: bool,
    /// Do it also when a rollback is cleared with it
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
    /// The variant everybody gets from now on
    #[arg(long, value_name = "VARIANT", required_unless_present = "remove")]
    pub(crate) winner: Option<String>,
    /// Take the flag out of the file: once no code asks for it any more
    #[arg(long)]
    pub(crate) remove: bool,
    /// Also when the results do not say so, or the flag is off now
    #[arg(long)]
    pub(crate) force: bool,
    /// Who decides [default: $USER]
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    /// Look here for the code to delete; what .gitignore names is passed over
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) code: Option<PathBuf>,
    /// Say what would be done, and do nothing
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
    /// The address the link leads to
    pub(crate) url: String,
    /// What it gives, again for several flags
    #[arg(required = true, value_name = "FLAG=VARIANT", value_parser = pair)]
    pub(crate) values: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) flags: FlagArgs,
    /// How long the link can be used
    #[arg(long = "for", value_name = "TIME", default_value = "1d", value_parser = humantime::parse_duration)]
    pub(crate) lasts: std::time::Duration,
}
