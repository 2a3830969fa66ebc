//! What a service says of its flags before they start.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use flagstaff_layer::{Answers, Tagger, TaggerSettings};
use flagstaff_ledger::{LedgerSettings, Location};
use flagstaff_source::{FlagSource, Loaded, ParseOptions, StateFolder, pins};
use flagstaff_webhook::Hook;

use crate::{Flagstaff, Parts, StartError};

/// Options before start. Only the flag file is required.
#[derive(Debug)]
#[must_use = "nothing starts before `start`"]
pub struct Builder {
    flags: PathBuf,
    environment: Option<String>,
    ledger: Option<String>,
    keep: Option<Duration>,
    state: Option<PathBuf>,
    settings: TaggerSettings,
    hooks: Vec<Hook>,
    answers: Option<Answers>,
    change_streams: usize,
}

impl Builder {
    pub(crate) fn new(flags: &Path) -> Self {
        Self {
            flags: flags.into(),
            environment: None,
            ledger: None,
            keep: None,
            state: None,
            settings: TaggerSettings::default(),
            hooks: Vec::new(),
            answers: None,
            change_streams: 0,
        }
    }

    /// Lays the file of an environment over the flag file: `flags.production.toml` over `flags.toml`. Without it there is none.
    pub fn environment(mut self, name: impl Into<String>) -> Self {
        self.environment = Some(name.into());
        self
    }

    /// Keeps what happens in a ledger: the path of a SQLite file, or `postgres://user:password@host/database`. Without it nothing is
    /// measured, guards work but what they decide does not outlive the process, and no rollout goes to its next step.
    pub fn ledger(mut self, address: impl Into<String>) -> Self {
        self.ledger = Some(address.into());
        self
    }

    /// Deletes what happened longer ago than this. Without it, all is kept.
    pub fn ledger_keep(mut self, keep: Duration) -> Self {
        self.keep = Some(keep);
        self
    }

    /// Keeps the last good flags and the last known facts in this folder, for a start with a broken file or without a ledger. Without it
    /// the folder is `flagstaff-state` beside the ledger's file, or else beside the flag file.
    pub fn state(mut self, folder: impl Into<PathBuf>) -> Self {
        self.state = Some(folder.into());
        self
    }

    /// Visitors, users, headers, caches and keys. Without keys, cookies that are signed end with the process.
    pub fn settings(mut self, settings: TaggerSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Tells a receiver what happens to flags. May be called more than once.
    pub fn webhook(mut self, hook: Hook) -> Self {
        self.hooks.push(hook);
        self
    }

    /// Counts answers by flag and variant, and how long they took. Displayed, `answers` is text as Prometheus reads it.
    pub fn measuring(mut self, answers: Answers) -> Self {
        self.answers = Some(answers);
        self
    }

    /// Tells pages of changes of flags, so many at once: OpenFeature's web provider waits for them. Without it none is told. Close
    /// [`Flagstaff::changes`] before the server waits for its last answers.
    pub fn change_streams(mut self, most: usize) -> Self {
        self.change_streams = most;
        self
    }

    fn source(&self) -> Result<FlagSource, StartError> {
        let environment = self.environment.as_deref();
        match self.flags.to_str() {
            Some(text) => FlagSource::new(text, environment).map_err(StartError::Source),
            None => Ok(FlagSource::files(&self.flags, environment)),
        }
    }

    /// Reads the flags, and starts to follow them, to record and to guard. It blocks while flags come over a network, five seconds at most, and
    /// while the ledger is read, three seconds at most, so call it before the service takes requests.
    ///
    /// # Errors
    /// When the flags cannot be used and there are no last good ones, when settings are wrong, or when the system gives no thread.
    pub fn start(self) -> Result<Flagstaff, StartError> {
        let tagger = Tagger::new(&self.settings).map_err(StartError::Settings)?;
        let location = self.ledger.as_deref().map(Location::new).transpose();
        let location = location.map_err(|error| StartError::Ledger(error.to_string()))?;
        let source = self.source()?;
        let state = match &self.state {
            Some(folder) => StateFolder::new(folder),
            None => {
                let file = location.as_ref().and_then(Location::path).or(source.file());
                StateFolder::beside(file.unwrap_or(Path::new("flags.toml")))
            }
        };
        let source = source.keeping(state.clone());
        let reading = reading(self.environment);
        let (loaded, is_last_good) = load(&source, &reading)?;
        let ledger = location.map(|location| LedgerSettings { keep: self.keep, ..LedgerSettings::new(location) });
        let (tagger, state, hooks, answers) = (Arc::new(tagger), Some(state), self.hooks, self.answers);
        let change_streams = self.change_streams;
        let parts = Parts {
            tagger,
            source,
            reading,
            loaded,
            is_last_good,
            state,
            ledger,
            hooks,
            answers,
            traffic: None,
            change_streams,
        };
        Ok(Flagstaff::start(parts)?)
    }
}

/// How the flags are read here, now.
fn reading(environment: Option<String>) -> ParseOptions {
    ParseOptions { environment, pins: pins(), today: Some(jiff::Zoned::now().date()), ..ParseOptions::default() }
}

/// The flags, or the last good ones where they cannot be used.
fn load(source: &FlagSource, reading: &ParseOptions) -> Result<(Loaded, bool), StartError> {
    match source.load(reading) {
        Ok(loaded) => Ok((loaded, false)),
        Err(report) => match source.last_good(reading) {
            Some((loaded, _)) => {
                tracing::error!("the flags cannot be used, so the last good flags are served: {}", report.summary());
                Ok((loaded, true))
            }
            None => Err(StartError::Flags(Box::new(report))),
        },
    }
}
