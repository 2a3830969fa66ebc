//! What was recorded.

use clap::Args;

use crate::cli::Facts;

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Format {
    /// RFC 4180, names first
    Csv,
    /// A JSON object a line
    Jsonl,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Per {
    /// A row per visitor
    Visitor,
    /// A row per day (UTC) and variant
    Day,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The flag [default: all, as JSON lines; the only one, as CSV]
    #[arg(long, value_name = "FLAG")]
    pub(crate) flag: Option<String>,
    /// How rows are written
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    pub(crate) format: Format,
    /// What a row is
    #[arg(long, value_enum, default_value_t = Per::Visitor)]
    pub(crate) per: Per,
    #[command(flatten)]
    pub(crate) facts: Facts,
}

#[derive(Debug, Args)]
pub(crate) struct Forget {
    /// The visitor's id; of other units with their kind, as in user:42
    pub(crate) visitor: String,
    #[command(flatten)]
    pub(crate) facts: Facts,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
