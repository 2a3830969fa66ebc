//! `flagstaff run`: settings and flags are read and checked, then everything is served.

use std::path::Path;

use anyhow::Context;

use super::checked::Checked;
use super::file_rights;
use crate::cli::Run;
use crate::commands::Outcome;
use crate::settings::{Override, Settings};
use crate::terminal::{GOOD, STRONG, out, styled};
use crate::workspace::flag_options;
use crate::{logging, settings};

pub(crate) fn run(args: &Run) -> anyhow::Result<Outcome> {
    let config = args.flags.config.as_deref();
    let settings =
        Settings::load(config, options(args)).inspect_err(|_| logging::expect_json(settings::say_json(config)))?;
    logging::start(&settings.typed.log).context("the log cannot start")?;
    flagstaff_sidecar::pass_over_signals().context("signals cannot be caught")?;
    warn_of_misspelt();
    file_rights::warn(&settings.typed);
    if !args.dry_run {
        example(&settings)?;
    }
    let checked = Checked::new(&settings, args.upgrade, args.dry_run)?;
    if args.dry_run {
        out(&format!("{}: {} would run\n", styled(GOOD, "fine"), checked.summary()))?;
        return Ok(Outcome::Yes);
    }
    checked.serve()
}

/// A variable that nobody reads, or that was not filled in, would otherwise be silent.
fn warn_of_misspelt() {
    for name in settings::empty() {
        tracing::warn!("{name} is empty, so it counts as not set");
    }
    for (name, near) in settings::misspelt() {
        match near {
            Some(near) => {
                tracing::warn!("{name} means nothing here; did you mean {near}?");
            }
            None => {
                tracing::warn!("{name} means nothing here; variables are named after keys of the settings");
            }
        }
    }
}

/// Writes the example flags for a newcomer who has nothing yet: no settings, no app, no flags. Never over a file that is there.
fn example(settings: &Settings) -> anyhow::Result<()> {
    const EXAMPLE: &str = include_str!("../../config/flags.toml");
    let path = Path::new(&settings.typed.flags);
    if settings.names_flags() || !settings.typed.upstream.is_empty() || path.exists() {
        return Ok(());
    }
    // Its first line leads editors to the schema, which is not beside it here.
    let text = EXAMPLE.split_once('\n').map_or(EXAMPLE, |(_, text)| text);
    std::fs::write(path, text).with_context(|| format!("cannot write an example to {}", path.display()))?;
    out(&format!("{} {}, an example to edit\n", styled(STRONG, "wrote    "), path.display()))
}

/// What the options say, as settings.
fn options(args: &Run) -> Vec<Override> {
    let mut options = flag_options(&args.flags);
    let mut say = |key: &str, text: Option<String>| {
        options.extend(text.map(|text| Override { key: key.into(), place: format!("--{key}"), text }));
    };
    say("listen", (!args.listen.is_empty()).then(|| args.listen.join(",")));
    say("upstream", (!args.upstream.is_empty()).then(|| args.upstream.join(",")));
    say("admin", args.admin.clone());
    say("ledger", args.ledger.clone());
    say("workers", args.workers.map(|n| n.to_string()));
    options
}
