//! Options of `flagstaff demo-traffic`.

use clap::Args;

use super::FlagArgs;
use super::values::share;

#[derive(Debug, Args)]
pub(crate) struct DemoTraffic {
    /// The address of the shop: http://HOST:PORT [default: the address the settings listen on]
    #[arg(long, value_name = "URL")]
    pub(crate) to: Option<String>,
    /// The flag [default: the first in the file that has goals]
    #[arg(long, value_name = "FLAG")]
    pub(crate) flag: Option<String>,
    #[command(flatten)]
    pub(crate) flags: FlagArgs,
    /// How many visitors
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(crate) visitors: u64,
    /// The true conversion rate of a variant; repeat for others: on=7% [default: 5% for the control, 6.8% for the others]
    #[arg(long, value_name = "VARIANT=RATE", value_parser = rate)]
    pub(crate) rate: Vec<(String, f64)>,
    /// How often the shop fails for a variant; repeat for others: on=10%
    #[arg(long, value_name = "VARIANT=RATE", value_parser = rate)]
    pub(crate) errors: Vec<(String, f64)>,
    /// How often the shop is slow for a variant; repeat for others: on=20%
    #[arg(long, value_name = "VARIANT=RATE", value_parser = rate)]
    pub(crate) slow: Vec<(String, f64)>,
    /// How long a slow answer takes, up to 10s
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = humantime::parse_duration)]
    pub(crate) slow_by: std::time::Duration,
    /// Bots and prefetches in addition, as a share of the visitors; they must not change the results
    #[arg(long, value_name = "SHARE", default_value = "0%", value_parser = chance)]
    pub(crate) bots: f64,
    /// The most visitors per second [default: no limit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) per_second: Option<u32>,
    /// The seed of what visitors do [default: a new one each time]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Connections at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) connections: u16,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Reads `on=5%`.
fn rate(text: &str) -> Result<(String, f64), String> {
    let (variant, rate) = text.split_once('=').ok_or("write it as on=5%")?;
    Ok((variant.trim().into(), chance(rate)?))
}

/// Reads `40%` or `0.4`, from none to all.
fn chance(text: &str) -> Result<f64, String> {
    share(text).and_then(|share| {
        if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("write a share between 0% and 100%".into()) }
    })
}
