//! Flags at work in a service.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flagstaff_flags::{Reader, publisher};
use flagstaff_layer::{EndpointLayer, FlagLayer, Stack, Tagger};
use flagstaff_ledger::{Keeper, Location, Recorder};
use flagstaff_rollout::{RunningController, Start};
use flagstaff_source::{Files, Loaded, POLL, ParseOptions, Reloader, StateFolder};
use flagstaff_webhook::Hook;

use crate::observer::FileObserver;
use crate::{Builder, StartError};

/// How long what waits for the ledger may take at the end.
const LAST_EVENTS: Duration = Duration::from_secs(10);
/// How long webhooks may take at the end.
const LAST_WEBHOOKS: Duration = Duration::from_secs(2);

/// What everything is started with, checked.
pub(crate) struct Parts {
    pub(crate) tagger: Arc<Tagger>,
    pub(crate) files: Files,
    pub(crate) reading: ParseOptions,
    pub(crate) loaded: Loaded,
    pub(crate) is_last_good: bool,
    pub(crate) state: StateFolder,
    pub(crate) ledger: Option<Location>,
    pub(crate) keep: Option<Duration>,
    pub(crate) hooks: Vec<Hook>,
}

/// Flags at work in a service: the file is followed, what happens is recorded, rollouts go on and guards roll back. Keep it as long as the
/// service runs, and [`close`](Self::close) it at the end.
#[derive(Debug)]
pub struct Flagstaff {
    layer: FlagLayer,
    reader: Reader,
    threads: Option<Threads>,
}

/// What ends in this order: facts first, as webhooks tell what is left of them.
#[derive(Debug)]
struct Threads {
    watch: Reloader,
    controller: RunningController,
    keeper: Option<Keeper>,
}

impl Flagstaff {
    /// Begins to say what a service wants; `flags` is the path of the flag file.
    pub fn builder(flags: impl AsRef<Path>) -> Builder {
        Builder::new(flags.as_ref())
    }

    pub(crate) fn start(parts: Parts) -> Result<Self, StartError> {
        let Parts { tagger, files, reading, loaded, is_last_good, state, ledger, keep, hooks } = parts;
        let (publisher, reader) = publisher(loaded.snapshot);
        let publisher = Arc::new(publisher);
        let start = Start { ledger: ledger.clone(), hooks, state: Some(state), is_last_good };
        let controller = RunningController::start(Arc::clone(&publisher), start)?;
        let watch = Reloader::start(files, reading, POLL, publisher, FileObserver(controller.snapshots()))?;
        let layer = FlagLayer::new(reader.clone(), tagger).watched_by(controller.monitor());
        let (recorder, keeper) = ledger.map(|location| start_ledger(location, keep)).transpose()?.unzip();
        let layer = match recorder {
            Some(recorder) => layer.recording(recorder),
            None => layer,
        };
        let threads = Threads { watch, controller, keeper };
        Ok(Self { layer, reader, threads: Some(threads) })
    }

    /// The layer that decides the flags of every request, with the visitor's own addresses under `/.flagstaff/`. Cheap to clone.
    #[must_use]
    pub fn layer(&self) -> Stack<EndpointLayer, FlagLayer> {
        self.layer.clone().with_endpoints()
    }

    /// The flags in force, for decisions outside requests.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// Ends everything, after what waits is written and told. Returns whether that was done within 15 seconds; what was not is lost for
    /// the ledger, and told to webhooks after the next start. It blocks. Dropping does the same.
    #[must_use]
    pub fn close(mut self) -> bool {
        self.end()
    }

    fn end(&mut self) -> bool {
        let Some(Threads { watch, controller, keeper }) = self.threads.take() else {
            return true;
        };
        drop(watch);
        let is_told = controller.stop(LAST_WEBHOOKS);
        keeper.is_none_or(|keeper| keeper.close(LAST_EVENTS)) && is_told
    }
}

impl Drop for Flagstaff {
    fn drop(&mut self) {
        if !self.end() {
            tracing::warn!("the ledger or a webhook's receiver did not take in time what waited for it");
        }
    }
}

fn start_ledger(location: Location, keep: Option<Duration>) -> std::io::Result<(Recorder, Keeper)> {
    flagstaff_ledger::Recorder::start(flagstaff_ledger::LedgerSettings {
        keep,
        ..flagstaff_ledger::LedgerSettings::new(location)
    })
}
