//! Options of `results`, `power` and `compare`.

use clap::Args;

use crate::cli::LedgerArgs;
use crate::cli::values::{count, share};

#[derive(Debug, Args)]
pub(crate) struct Results {
    /// The flag [default: a line for each experiment]
    pub(crate) flag: Option<String>,
    /// All experiments together: visitors who are held out against everyone else, on every goal of the file
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

/// How sure results must be; to be fixed before anyone looks.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct Certainty {
    /// The chance of a wrong result [default: 5%]
    #[arg(long, value_name = "CHANCE", value_parser = share)]
    pub(crate) alpha: Option<f64>,
    /// The number of visitors, all variants together, at which the test for every day is most precise [default: 5000]
    #[arg(long, value_name = "N")]
    pub(crate) planned: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct Power {
    /// The conversion rate today: 5% or 0.05
    #[arg(long, value_name = "RATE", value_parser = share)]
    pub(crate) baseline: f64,
    /// The relative lift to find: 10% turns 5% into 5.5%
    #[arg(long, value_name = "LIFT", value_parser = share, allow_hyphen_values = true)]
    pub(crate) lift: f64,
    /// Visitors per day who take part, all variants together
    #[arg(long, value_name = "N")]
    pub(crate) per_day: Option<f64>,
    /// The number of variants, including the control
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) variants: u32,
    /// The number of goals: all of them share the chance of a false alarm
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) goals: u32,
    /// The results will be read while it runs: this needs two to three times as many visitors
    #[arg(long)]
    pub(crate) read_daily: bool,
    /// With --read-daily: the --planned that `results` will be given
    #[arg(long, value_name = "N", default_value_t = 5000, requires = "read_daily")]
    pub(crate) planned: u32,
    /// The chance of a false alarm
    #[arg(long, value_name = "CHANCE", value_parser = share, default_value = "5%")]
    pub(crate) alpha: f64,
    /// The chance of finding the lift if it is there
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
