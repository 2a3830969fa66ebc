//! Options of `run`.

use clap::{Args, ValueHint};

use crate::cli::FlagArgs;

#[derive(Debug, Default, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) flags: FlagArgs,
    /// The app: HOST:PORT or https://HOST:PORT; repeat for several
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) upstream: Vec<String>,
    /// The address for visitors; repeat for several
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Vec<String>,
    /// The address for operators
    #[arg(long, value_name = "ADDR")]
    pub(crate) admin: Option<String>,
    /// The ledger: a file, postgres://…, or none
    #[arg(long, value_name = "FILE|URL", value_hint = ValueHint::FilePath)]
    pub(crate) ledger: Option<String>,
    /// The number of threads that serve; 0: one per core
    #[arg(long, value_name = "N")]
    pub(crate) workers: Option<usize>,
    /// Take over the listening sockets from the running process, through its upgrade_socket
    #[arg(long)]
    pub(crate) upgrade: bool,
    /// Check everything, show what would run, and exit
    #[arg(long)]
    pub(crate) dry_run: bool,
}
