//! The command line.

mod adopt;
mod ask;
mod demo;
mod edit;
mod experiment;
mod fleet;
mod history;
mod import;
mod records;
mod rollout;
mod run;
mod tail;
mod transfer;
mod values;
mod webhook;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueHint};

pub(crate) use self::adopt::{Init, Scan};
pub(crate) use self::ask::{Check, Explain, HygieneArgs, List, Simulate, TrafficArgs};
pub(crate) use self::demo::DemoTraffic;
pub(crate) use self::edit::{Add, Delete, EditOf, End, Link, Off, On, Set};
pub(crate) use self::experiment::{Certainty, Compare, Power, Results};
pub(crate) use self::fleet::Fleet;
pub(crate) use self::history::{Diff, History, Rollback};
pub(crate) use self::import::Import;
pub(crate) use self::records::{Export, Forget, Format, Per, System};
pub(crate) use self::rollout::{Action, Rollout};
pub(crate) use self::run::Run;
pub(crate) use self::tail::Tail;
pub(crate) use self::transfer::{Pull, Push};
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
    /// Run the proxy; without an upstream it serves a built-in demo shop (this is the default command)
    Run(Box<Run>),
    /// Write settings, example flags and a key for the app in this folder; what is there already stays as it is
    Init(Init),
    /// Make a flag file of another system's flags, and draw nobody anew: flagstaff import unleash export.json > flags.toml
    Import(Import),
    /// Check a flag file: 0 fine, 1 problems, 2 could not run
    Check(Check),
    /// List flags with state, percent, owner, expiry and origin
    List(List),
    /// Show what to clear away: flags that are expired, stale or without an owner; 0 nothing, 1 something
    Hygiene(HygieneArgs),
    /// Search code for flags, and compare them with the flag file: used but not defined, defined but not used, ended; 0 all fits, 1 not
    Scan(Scan),
    /// Show how often a running program was asked for each flag, when last, and whether the split is as it should be
    Traffic(TrafficArgs),
    /// Explain why a visitor gets a variant, step by step; without a flag: the variant of every flag
    Explain(Box<Explain>),
    /// Show how many visitors get each variant
    Simulate(Simulate),
    /// Show the last decisions of a running program, and each one as it is made
    Tail(Tail),
    /// Add a flag, for nobody yet, or a copy of another: flagstaff add FLAG --like OTHER
    Add(Add),
    /// Edit a flag in place: flagstaff set FLAG percent=20 enabled=true
    Set(Set),
    /// Switch a flag on again, as it was before it was switched off; with --everyone: at 100 percent
    On(On),
    /// Switch a flag off for everyone at once, whatever else is wrong in the file
    Off(Off),
    /// Show which revisions of the flags there were, and what else happened then
    History(History),
    /// Show in what two revisions of the flags differ
    Diff(Diff),
    /// Put an old revision of the flags back, or one flag of it
    Rollback(Rollback),
    /// Put a flag file in place of the flags in Redis; of two pushes at once, one wins and the other is told what changed
    Push(Box<Push>),
    /// Print the flags that are in Redis or on the web, or write them to a file
    Pull(Pull),
    /// Show which programs run with the ledger, their versions and revisions; 0 all is well, 1 something lags or differs
    Fleet(Fleet),
    /// End an experiment: archive it with its results, give everyone the winner, list the code to delete
    End(Box<End>),
    /// Take a flag out of the file; one that was not ended only with --yes
    Delete(Delete),
    /// Show whether an experiment's variants differ: a table, a plot of the intervals, a verdict
    Results(Results),
    /// Show where a rollout stands; advance, pause or reset it
    Rollout(Rollout),
    /// Calculate how many visitors and days an experiment needs
    Power(Power),
    /// Compare two counts by hand: flagstaff compare 500/10000 615/10000
    Compare(Compare),
    /// Export what was recorded, per visitor or per day, for other programs; with --as the flags, for another system
    Export(Export),
    /// Delete everything that was recorded about a visitor
    Forget(Forget),
    /// Send visitors with known conversion rates to the demo shop, to see what `results` says about them
    DemoTraffic(Box<DemoTraffic>),
    /// Sign a link that gives its visitor a variant for a browser session
    Link(Link),
    /// Test the receivers of webhooks
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
    /// The flag file, or an address: redis://HOST/0, https://HOST/flags.toml
    #[arg(long, value_name = "FILE|URL", value_hint = ValueHint::FilePath)]
    pub(crate) flags: Option<String>,
    /// Read flags.ENVIRONMENT.toml on top of flags.toml
    #[arg(long, value_name = "NAME")]
    pub(crate) environment: Option<String>,
    /// The settings file [default: config/flagstaff.toml or flagstaff.toml, where there is one]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
}

/// A running program that is asked in place of files.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct RemoteArgs {
    /// Ask the running program at this address instead of files, such as https://HOST:8081; its token is FLAGSTAFF_ADMIN_TOKEN [default: FLAGSTAFF_URL]
    #[arg(long = "url", id = "program", value_name = "URL")]
    pub(crate) url: Option<String>,
    /// A file with the token for --url [default: FLAGSTAFF_ADMIN_TOKEN]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) token_file: Option<PathBuf>,
}

/// The ledger. Without `--ledger`, the one the settings name.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct LedgerArgs {
    #[command(flatten)]
    pub(crate) flags: FlagArgs,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
    /// The ledger: a file, or postgres://…
    #[arg(long, value_name = "FILE|URL", value_hint = ValueHint::FilePath)]
    pub(crate) ledger: Option<String>,
}
