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

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    if key.trim().is_empty() {
        Err("write NAME=VALUE".into())
    } else {
        Ok((key.trim().into(), value.into()))
    }
}
