//! The command line.

mod ask;
mod demo;
mod edit;
mod experiment;
mod records;
mod rollout;
mod run;
mod values;
mod webhook;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueHint};

pub(crate) use self::ask::{Check, Explain, List, Simulate};
pub(crate) use self::demo::DemoTraffic;
pub(crate) use self::edit::{EditOf, End, Link, Off, On, Set};
pub(crate) use self::experiment::{Certainty, Compare, Power, Results};
pub(crate) use self::records::{Export, Forget, Format, Per};
pub(crate) use self::rollout::{Action, Rollout};
pub(crate) use self::run::Run;
pub(crate) use self::webhook::{Webhook, WebhookAction, WebhookTest};

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
    /// Tell why a visitor gets a variant, step by step; without a flag, what the visitor gets of each
    Explain(Box<Explain>),
    /// Picture visitors falling into variants
    Simulate(Simulate),
    /// Edit a flag in place: flagstaff set FLAG percent=20 enabled=true
    Set(Set),
    /// Switch a flag on again, as it was before it was off; with --everyone at 100 percent
    On(On),
    /// Switch a flag off for everybody, at once, whatever else is wrong in the file
    Off(Off),
    /// End an experiment: archive it with its results, give everybody the winner, say which code to delete
    End(Box<End>),
    /// Tell whether an experiment's variants differ: a table, a picture of the intervals, a verdict
    Results(Results),
    /// Tell where a rollout stands, and have it advance, wait or begin anew
    Rollout(Rollout),
    /// Tell how many visitors and days an experiment takes
    Power(Power),
    /// Compare two counts by hand: flagstaff compare 500/10000 615/10000
    Compare(Compare),
    /// Write what was recorded, per visitor or per day, for other programs
    Export(Export),
    /// Delete everything that was recorded of a visitor
    Forget(Forget),
    /// Send visitors with known true rates to the demo shop, to see what `results` makes of them
    DemoTraffic(Box<DemoTraffic>),
    /// Sign a link that gives its visitor a variant for a browser session
    Link(Link),
    /// Try out who is told what happens to flags
    Webhook(Webhook),
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
pub(crate) struct FlagArgs {
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
pub(crate) struct LedgerArgs {
    #[command(flatten)]
    pub(crate) flags: FlagArgs,
    /// The ledger: a file, or postgres://…
    #[arg(long, value_name = "FILE|URL", value_hint = ValueHint::FilePath)]
    pub(crate) ledger: Option<String>,
}
