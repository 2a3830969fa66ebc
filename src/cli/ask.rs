//! Options of `check`, `list`, `hygiene`, `traffic`, `explain` and `simulate`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::cli::values::{id, pair};
use crate::cli::{FlagArgs, LedgerArgs, RemoteArgs};

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The flag file [default: the one the settings name]
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<String>,
    #[command(flatten)]
    pub(crate) flags: FlagArgs,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
    /// Also list what django-waffle decides itself, by the app's database (postgres://…, sqlite:///FILE, a file of SQLite) or a dump of it
    #[arg(long, value_name = "DATABASE_URL|FILE", conflicts_with = "program")]
    pub(crate) waffle: Option<String>,
    /// Count warnings as problems
    #[arg(long)]
    pub(crate) strict: bool,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
    /// Only flags at 0 or 100 percent for 30 days
    #[arg(long)]
    pub(crate) stale: bool,
    /// Only flags past their expiry
    #[arg(long)]
    pub(crate) expired: bool,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct HygieneArgs {
    #[command(flatten)]
    pub(crate) flags: FlagArgs,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
    /// Search this folder for code that still asks for ended flags; files that .gitignore names are skipped
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) code: Option<PathBuf>,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TrafficArgs {
    /// The flag [default: all]
    pub(crate) flag: Option<String>,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The flag [default: all, one line each]
    pub(crate) flag: Option<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
    /// The visitor's id [default: a new one]
    #[arg(long, value_name = "ID", allow_hyphen_values = true, value_parser = id)]
    pub(crate) visitor: Option<String>,
    /// The user's id
    #[arg(long, value_name = "ID", allow_hyphen_values = true, value_parser = id)]
    pub(crate) user: Option<String>,
    /// A group of the user; repeat for several
    #[arg(long, value_name = "NAME", requires = "user")]
    pub(crate) group: Vec<String>,
    /// A role of the user; repeat for several
    #[arg(long, value_name = "NAME", requires = "user")]
    pub(crate) role: Vec<String>,
    /// A header of the request, from a trusted address; repeat for several. Also cookies: --header Cookie=…
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) header: Vec<(String, String)>,
    /// The method of the request
    #[arg(long, default_value = "GET")]
    pub(crate) method: String,
    /// Path and query of the request, or a full URL
    #[arg(long, default_value = "/")]
    pub(crate) path: String,
    /// The visitor's address
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) ip: std::net::IpAddr,
    /// The visitor's country
    #[arg(long, value_name = "CODE")]
    pub(crate) country: Option<String>,
    /// A variant remembered from before; repeat for several
    #[arg(long, value_name = "FLAG=VARIANT", value_parser = pair)]
    pub(crate) sticky: Vec<(String, String)>,
    /// Assume that the guard of this flag has tripped; repeat for several
    #[arg(long, value_name = "FLAG")]
    pub(crate) tripped: Vec<String>,
    /// Answer as of this revision of the flags: the beginning of its name, as `history` shows it
    #[arg(long, value_name = "REV")]
    pub(crate) revision: Option<String>,
    /// The time of the decision: 2026-11-20T09:00:00Z [default: now; with --revision: when it came]
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<jiff::Timestamp>,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// The flag
    pub(crate) flag: String,
    #[command(flatten)]
    pub(crate) flags: FlagArgs,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
    /// Assume this percentage
    #[arg(long, value_name = "P")]
    pub(crate) percent: Option<f64>,
    /// How many visitors
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(crate) visitors: u64,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
