//! Whether it matters.

use clap::Args;

use crate::cli::LedgerArgs;
use crate::cli::values::{count, share};

#[derive(Debug, Args)]
pub(crate) struct Results {
    /// The flag [default: a line for each experiment]
    pub(crate) flag: Option<String>,
    /// All experiments together: those held out against everybody else, on every goal of the file
    #[arg(long, conflicts_with = "flag")]
    pub(crate) holdout: bool,
    #[command(flatten)]
    pub(crate) ledger: LedgerArgs,
    #[command(flatten)]
    pub(crate) certainty: Certainty,
    /// Answer as JSON
    #[arg(long, conflicts_with = "csv")]
    pub(crate) json: bool,
    /// Answer as CSV: a row per goal and variant
    #[arg(long)]
    pub(crate) csv: bool,
}

/// How sure is sure; to be fixed before anyone looks.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct Certainty {
    /// The chance to err [default: 5%]
    #[arg(long, value_name = "CHANCE", value_parser = share)]
    pub(crate) alpha: Option<f64>,
    /// Visitors of all variants at which the test that may be read any day is sharpest [default: 5000]
    #[arg(long, value_name = "N")]
    pub(crate) planned: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct Power {
    /// The rate today: 5% or 0.05
    #[arg(long, value_name = "RATE", value_parser = share)]
    pub(crate) baseline: f64,
    /// The relative lift to be found: 10% makes 5% 5.5%
    #[arg(long, value_name = "LIFT", value_parser = share, allow_hyphen_values = true)]
    pub(crate) lift: f64,
    /// Visitors a day who take part, all variants together
    #[arg(long, value_name = "N")]
    pub(crate) per_day: Option<f64>,
    /// Variants, the control among them
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) variants: u32,
    /// It will be read while it runs: up to twice as many
    #[arg(long)]
    pub(crate) read_daily: bool,
    /// The chance of a false alarm
    #[arg(long, value_name = "CHANCE", value_parser = share, default_value = "5%")]
    pub(crate) alpha: f64,
    /// The chance of finding the lift where it is there
    #[arg(long, value_name = "CHANCE", value_parser = share, default_value = "80%")]
    pub(crate) power: f64,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// The control: conversions of visitors
    #[arg(value_name = "CONVERSIONS/VISITORS", value_parser = count)]
    pub(crate) control: (u64, u64),
    /// The treatment
    #[arg(value_name = "CONVERSIONS/VISITORS", value_parser = count)]
    pub(crate) treatment: (u64, u64),
    #[command(flatten)]
    pub(crate) certainty: Certainty,
    /// The treatment's share of the visitors of both
    #[arg(long, value_name = "SHARE", value_parser = share, default_value = "50%")]
    pub(crate) share: f64,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
