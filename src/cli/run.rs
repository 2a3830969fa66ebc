//! `run`.

use clap::{Args, ValueHint};

use crate::cli::FlagArgs;

#[derive(Debug, Default, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) flags: FlagArgs,
    /// The app: HOST:PORT or https://HOST:PORT, again for several
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) upstream: Vec<String>,
    /// Where visitors come in, again for several
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Vec<String>,
    /// Where operators come in
    #[arg(long, value_name = "ADDR")]
    pub(crate) admin: Option<String>,
    /// Where what happens is kept: a file, postgres://…, or none
    #[arg(long, value_name = "FILE|URL", value_hint = ValueHint::FilePath)]
    pub(crate) ledger: Option<String>,
    /// Threads that serve; 0: one per core
    #[arg(long, value_name = "N")]
    pub(crate) workers: Option<usize>,
    /// Take the listening sockets over from the running process, through its upgrade_socket
    #[arg(long)]
    pub(crate) upgrade: bool,
    /// Check everything, say what would run, and end
    #[arg(long)]
    pub(crate) dry_run: bool,
}
