//! Options of `tail`.

use clap::Args;

use crate::cli::values::id;
use crate::cli::{FlagArgs, RemoteArgs};

#[derive(Debug, Args)]
pub(crate) struct Tail {
    /// The flag [default: each that a request meets]
    pub(crate) flag: Option<String>,
    /// Only decisions for this visitor: an id, or a pseudonym that begins with ~
    #[arg(long, value_name = "ID", allow_hyphen_values = true, value_parser = id)]
    pub(crate) visitor: Option<String>,
    /// Begin with so many of the last decisions
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub(crate) last: u16,
    #[command(flatten)]
    pub(crate) flags: FlagArgs,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
    /// Write each decision as a line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}
