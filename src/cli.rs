//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueHint};

/// Feature flags, A/B tests and guarded rollouts in front of any web app, with no SDK in the app.
#[derive(Debug, Parser)]
#[command(name = "flagstaff", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the proxy; with no upstream it serves a built-in demo shop (what happens without a command, too)
    Run(Box<Run>),
    /// Check a flag file: 0 fine, 1 problems, 2 could not run
    Check(Check),
    /// List flags with state, percent, owner, expiry and origin
    List(List),
    /// Tell why a visitor gets a variant, step by step
    Explain(Box<Explain>),
    /// Picture visitors falling into variants
    Simulate(Simulate),
    /// Edit a flag in place: flagstaff set FLAG percent=20 enabled=true
    Set(Set),
    /// Switch a flag on for everybody it may be on for: enabled, at 100 percent
    On(Switch),
    /// Switch a flag off for everybody, at once
    Off(Switch),
    /// Tell whether an experiment's variants differ: a table, a picture of the intervals, a verdict
    Results(Results),
    /// Tell how many visitors and days an experiment takes
    Power(Power),
    /// Compare two counts by hand: flagstaff compare 500/10000 615/10000
    Compare(Compare),
    /// Write what was recorded, per visitor or per day, for other programs
    Export(Export),
    /// Delete everything that was recorded of a visitor
    Forget(Forget),
    /// Sign a link that gives its visitor a variant for a browser session
    Link(Link),
    /// Print the JSON Schema of flag files
    Schema,
    /// Print completions for a shell
    Completions {
        /// bash, elvish, fish, powershell or zsh
        shell: clap_complete::Shell,
    },
}

/// Which flag file. Without `--flags`, the one the settings name.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Flags {
    /// The flag file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) flags: Option<String>,
    /// Lay flags.ENVIRONMENT.toml over flags.toml
    #[arg(long, value_name = "NAME")]
    pub(crate) environment: Option<String>,
    /// The settings file [default: config/flagstaff.toml when there]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
}

/// Where what happened is kept. Without `--ledger`, where the settings say.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Facts {
    #[command(flatten)]
    pub(crate) flags: Flags,
    /// The ledger: a file, or postgres://…
    #[arg(long, value_name = "FILE|URL", value_hint = ValueHint::FilePath)]
    pub(crate) ledger: Option<String>,
}

#[derive(Debug, Default, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) flags: Flags,
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

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The flag file [default: the one the settings name]
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<String>,
    #[command(flatten)]
    pub(crate) flags: Flags,
    /// Warnings count as problems
    #[arg(long)]
    pub(crate) strict: bool,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) flags: Flags,
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
pub(crate) struct Explain {
    /// The flag
    pub(crate) flag: String,
    #[command(flatten)]
    pub(crate) flags: Flags,
    /// The visitor's id [default: a new one]
    #[arg(long, value_name = "ID")]
    pub(crate) visitor: Option<String>,
    /// The user's id
    #[arg(long, value_name = "ID")]
    pub(crate) user: Option<String>,
    /// A group of the user, again for several
    #[arg(long, value_name = "NAME", requires = "user")]
    pub(crate) group: Vec<String>,
    /// A role of the user, again for several
    #[arg(long, value_name = "NAME", requires = "user")]
    pub(crate) role: Vec<String>,
    /// A header of the request, from a trusted address; again for several. Cookies too: --header Cookie=…
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) header: Vec<(String, String)>,
    /// The method of the request
    #[arg(long, default_value = "GET")]
    pub(crate) method: String,
    /// Path and query of the request, or a whole URL
    #[arg(long, default_value = "/")]
    pub(crate) path: String,
    /// The visitor's address
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(crate) ip: std::net::IpAddr,
    /// The visitor's country
    #[arg(long, value_name = "CODE")]
    pub(crate) country: Option<String>,
    /// A variant remembered from before, again for several
    #[arg(long, value_name = "FLAG=VARIANT", value_parser = pair)]
    pub(crate) sticky: Vec<(String, String)>,
    /// Suppose that the guard of this flag had tripped, again for several
    #[arg(long, value_name = "FLAG")]
    pub(crate) tripped: Vec<String>,
    /// The time of the decision: 2026-11-20T09:00:00Z [default: now]
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
    pub(crate) flags: Flags,
    /// Suppose this percentage
    #[arg(long, value_name = "P")]
    pub(crate) percent: Option<f64>,
    /// How many visitors
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(crate) visitors: u64,
    /// Answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

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

#[derive(Debug, Args)]
pub(crate) struct Results {
    /// The flag
    pub(crate) flag: String,
    #[command(flatten)]
    pub(crate) facts: Facts,
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

/// Reads `5%` or `0.05`.
fn share(text: &str) -> Result<f64, String> {
    let (number, unit) = match text.strip_suffix('%') {
        Some(number) => (number, 100.0),
        None => (text, 1.0),
    };
    let number: f64 = number.trim().parse().map_err(|_| "write it as 5% or 0.05")?;
    if number.is_finite() { Ok(number / unit) } else { Err("write it as 5% or 0.05".into()) }
}

/// Reads `500/10000`.
fn count(text: &str) -> Result<(u64, u64), String> {
    let read = |text: &str| text.trim().replace('_', "").parse().ok();
    let pair = text.split_once('/').and_then(|(x, n)| Some((read(x)?, read(n)?)));
    pair.ok_or_else(|| "write conversions and visitors as 500/10000".into())
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    if key.trim().is_empty() { Err("write NAME=VALUE".into()) } else { Ok((key.trim().into(), value.into())) }
}
