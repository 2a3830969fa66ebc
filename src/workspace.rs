//! The flags and the ledger that a command is about, as settings, variables and options name them.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use flagstaff_flags::{Problem, RecordedFacts, RevisionSource, Snapshot};
use flagstaff_operations::Error;
use flagstaff_operations::workspace::{InForce, Workspace};
use flagstaff_source::{FlagSource, ParseOptions, pins};
use jiff::Zoned;

use crate::cli::{Certainty, FlagArgs, LedgerArgs};
use crate::settings::{Override, Settings, checked, shown, shown_under, typed};
use crate::terminal::{ODD, err, styled};

/// A command's settings, with the flags and the ledger that they name.
pub(crate) struct Opened {
    pub(crate) settings: Settings,
    pub(crate) workspace: Workspace,
    /// It was not said yet whether the environment has an overlay.
    is_overlay_untold: Cell<bool>,
}

impl Opened {
    /// For a command about flags.
    ///
    /// # Errors
    /// When settings cannot be read or are wrong.
    pub(crate) fn flags(args: &FlagArgs) -> anyhow::Result<Self> {
        Self::new(Settings::load(args.config.as_deref(), flag_options(args))?)
    }

    /// For a command about flags and what was recorded.
    ///
    /// # Errors
    /// As [`Opened::flags`].
    pub(crate) fn ledger(args: &LedgerArgs) -> anyhow::Result<Self> {
        Self::new(Settings::load(args.flags.config.as_deref(), options(args))?)
    }

    /// For a switch: a mistake in the settings that does not concern it keeps nobody from switching a flag off.
    ///
    /// # Errors
    /// When settings are wrong, and it is not clear where flags and ledger are.
    pub(crate) fn switch(args: &LedgerArgs) -> anyhow::Result<Self> {
        let config = args.flags.config.as_deref();
        let error = match Settings::load(config, options(args)) {
            Ok(settings) => return Self::new(settings),
            Err(error) => error,
        };
        let Some(settings) = Settings::of_places(config, options(args)) else {
            return Err(error);
        };
        warn(&format!("the settings are wrong, so only flags, environment and ledger are read from them\n{error:#}"));
        Self::new(settings)
    }

    fn new(settings: Settings) -> anyhow::Result<Self> {
        let (ledger, replica) = match checked::ledger_locations(&settings) {
            Ok(locations) => (Ok(locations.ledger), locations.replica),
            Err(problems) => (Err(problems), None),
        };
        let workspace = Workspace {
            source: source(&settings)?,
            reading: reading(&settings.typed),
            ledger,
            replica,
            edits_by: RevisionSource::Command,
        };
        Ok(Self { settings, workspace, is_overlay_untold: Cell::new(true) })
    }

    /// The same, for a command that says by itself what is odd about the environment.
    pub(crate) fn judging_environment(self) -> Self {
        self.is_overlay_untold.set(false);
        self
    }

    /// Says once that the environment has no overlay: what a command shows or edits is not what is in force where it was meant.
    fn warn_of_overlay(&self, is_answered: bool) {
        // a server that is away is not waited for once more
        if (is_answered || self.workspace.source.file().is_some()) && self.is_overlay_untold.replace(false) {
            self.workspace.source.missing_overlay().into_iter().for_each(|why| warn(&why));
        }
    }

    /// The answer of an operation, or its error as it is shown: at its place in the settings or in the flag file.
    ///
    /// # Errors
    /// When there is no answer.
    pub(crate) fn answer<T>(&self, answer: Result<T, Error>) -> anyhow::Result<T> {
        self.warn_of_overlay(answer.is_ok());
        if let Some(notice) = self.workspace.replica.as_ref().and_then(flagstaff_ledger::Replica::notice) {
            warn(&notice);
        }
        answer.map_err(|error| self.error(error))
    }

    /// An operation's error as it is shown.
    pub(crate) fn error(&self, error: Error) -> anyhow::Error {
        match error {
            Error::Settings(problems) => self.settings.report(problems),
            Error::NoFlagFile(path) => no_flag_file(&self.settings, &path),
            Error::Flags(report) => shown(&report),
            Error::NotWritten(report) => {
                shown_under("nothing was written, because the file would be wrong:", &report)
            }
            Error::Overlay { environment, report } => {
                shown_under(&format!("its overlay for `{environment}` cannot be used:"), &report)
            }
            other => other.into(),
        }
    }

    /// The flags as running programs have them, with a warning where these are the last good ones.
    ///
    /// # Errors
    /// When the file cannot be used, and no last good flags are kept.
    pub(crate) fn in_force(&self) -> anyhow::Result<Arc<Snapshot>> {
        let InForce { snapshot, fallback } = self.answer(self.workspace.in_force())?;
        if let Some(error) = fallback {
            err(&format!("{:#}\n", self.error(error)));
            warn("the flag file cannot be used, so this is about the last good flags");
        }
        Ok(snapshot)
    }

    /// Steps, trips and switches, as the ledger has them. One that gives no answer keeps nobody from looking at flags.
    pub(crate) fn recorded_facts(&self) -> RecordedFacts {
        let facts = block_on(self.workspace.recorded_facts()).and_then(|facts| self.answer(facts));
        facts.unwrap_or_else(|error| {
            warn(&format!("steps and rollbacks are not known: {error:#}"));
            RecordedFacts::default()
        })
    }
}

/// Says what is odd, and does not keep a command from going on.
pub(crate) fn warn(text: &str) {
    err(&format!("{}: {text}\n", styled(ODD, "warning")));
}

/// Runs an operation to its end.
///
/// # Errors
/// When the system gives no runtime.
pub(crate) fn block_on<T>(operation: impl Future<Output = T>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    Ok(runtime.context("the ledger cannot be asked")?.block_on(operation))
}

fn options(args: &LedgerArgs) -> Vec<Override> {
    let ledger = args.ledger.clone();
    let ledger = ledger.map(|text| Override { key: "ledger".into(), place: "--ledger".into(), text });
    flag_options(&args.flags).into_iter().chain(ledger).collect()
}

/// What `--flags` and `--environment` say.
pub(crate) fn flag_options(args: &FlagArgs) -> Vec<Override> {
    let said = [("flags", "--flags", &args.flags), ("environment", "--environment", &args.environment)];
    let of = |(key, place, text): (&str, &str, &Option<String>)| {
        text.clone().map(|text| Override { key: key.into(), place: place.into(), text })
    };
    said.into_iter().filter_map(of).collect()
}

/// Where the flags come from, and the folder of the last good ones.
///
/// # Errors
/// When they are named by neither a file nor an address of flags.
pub(crate) fn source(settings: &Settings) -> anyhow::Result<FlagSource> {
    checked::source(&settings.typed).map_err(|problems| settings.report(problems))
}

/// A flag file that is not there, with the line, variable or option that names it.
pub(crate) fn no_flag_file(settings: &Settings, path: &Path) -> anyhow::Error {
    let help = "name the flag file here; a path in the settings is relative to the folder of the settings file";
    settings.report(vec![Problem::new(["flags"], format!("there is no file {}", path.display())).help(help)])
}

/// How the flag file is read here, now.
pub(crate) fn reading(settings: &typed::SettingsFile) -> ParseOptions {
    ParseOptions {
        environment: settings.environment.clone(),
        pins: pins(),
        today: Some(Zoned::now().date()),
        one_header: settings.headers.send == flagstaff_tag::SendFlags::Compact,
    }
}

/// How sure results must be.
///
/// # Errors
/// When a value makes no sense.
pub(crate) fn certainty(args: Certainty) -> anyhow::Result<flagstaff_experiment::AnalysisSettings> {
    Ok(flagstaff_experiment::AnalysisSettings::new(args.alpha, args.planned.map(f64::from), None)?)
}
