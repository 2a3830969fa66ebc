//! What changes a flag file, or overrides it.

use clap::Args;

use crate::cli::Flags;
use crate::cli::read::pair;

#[derive(Debug, Args)]
pub(crate) struct Set {
    /// The flag
    pub(crate) flag: String,
    /// What to set: percent=20 enabled=true owner=growth guard.errors=5xx
    #[arg(required = true, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) values: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) flags: Flags,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Switch {
    /// The flag
    pub(crate) flag: String,
    #[command(flatten)]
    pub(crate) flags: Flags,
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
    pub(crate) flags: Flags,
    /// How long the link can be used
    #[arg(long = "for", value_name = "TIME", default_value = "1d", value_parser = humantime::parse_duration)]
    pub(crate) lasts: std::time::Duration,
}
