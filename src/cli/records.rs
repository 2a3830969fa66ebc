//! Options of `export` and `forget`.

use clap::Args;
use flagstaff_flags::BucketBy;

use crate::cli::LedgerArgs;
use crate::cli::values::id;

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Format {
    /// RFC 4180, with a line of names first
    Csv,
    /// One JSON object per line
    Jsonl,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Per {
    /// A row per visitor
    Visitor,
    /// A row per day (UTC) and variant
    Day,
}

/// A system whose file is written.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum System {
    /// A flag definition of flagd
    Flagd,
    /// What Unleash tells its clients: for a bootstrap, or a file of Unleash Edge
    Unleash,
    /// A file of flags of GO Feature Flag
    Goff,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Export the flags of the file instead, as another system's file; what cannot be said there is told on standard error
    #[arg(long = "as", value_name = "SYSTEM", value_enum, conflicts_with_all = ["flag", "format", "per"])]
    pub(crate) system: Option<System>,
    /// With --as: fail when something cannot be said there; the file is written all the same
    #[arg(long, requires = "system")]
    pub(crate) strict: bool,
    /// The flag [default: all as JSON lines, or the only one as CSV]
    #[arg(long, value_name = "FLAG")]
    pub(crate) flag: Option<String>,
    /// How rows are written
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    pub(crate) format: Format,
    /// What a row is
    #[arg(long, value_enum, default_value_t = Per::Visitor)]
    pub(crate) per: Per,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Forget {
    /// The visitor's id
    #[arg(required_unless_present = "unit", allow_hyphen_values = true, value_parser = id)]
    pub(crate) visitor: Option<String>,
    /// Another id that flags are drawn by (bucket_by); repeat for several: user=42, session=ID, header.x-account=42, cookie.org=7
    #[arg(long, value_name = "KIND=ID", value_parser = unit)]
    pub(crate) unit: Vec<String>,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Reads `user=42` as the ledger names it, `user:42`.
fn unit(text: &str) -> Result<String, String> {
    let (kind, id) = text.split_once('=').filter(|(_, id)| !id.is_empty()).ok_or("write KIND=ID, such as user=42")?;
    match BucketBy::new(kind.trim()) {
        Some(BucketBy::Request) => Err("nothing is kept about single requests".into()),
        Some(kind) => Ok(kind.key(id).into_owned()),
        None => Err("the kind is visitor, user, session, header.NAME or cookie.NAME".into()),
    }
}
