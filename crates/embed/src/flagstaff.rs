//! Flags at work in a service.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flagstaff_flags::{Reader, RevisionSource, publisher};
use flagstaff_layer::{Answers, ChangeLayer, ChangeStreams, EndpointLayer, FlagLayer, Stack, Tagger, Traffic};
use flagstaff_ledger::{Keeper, LedgerSettings, Presence, Recorder};
use flagstaff_rollout::{RunningController, Start};
use flagstaff_source::{FlagSource, Loaded, ParseOptions, Reloader, StateFolder};
use flagstaff_webhook::Hook;

use crate::fleet::SelfPortrait;
use crate::history::{RevisionLog, history};
use crate::observer::{FileObserver, warn_of_unread};
use crate::{Builder, FlagstaffStatus};

/// How long what waits for the ledger may take at the end.
const LEDGER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long webhooks may take at the end.
const WEBHOOKS_TIMEOUT: Duration = Duration::from_secs(2);

/// What flags are started with, read and checked. [`Builder`] makes it for a service; a program that has settings of its own, as the
/// proxy has, makes it itself.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Who visitors are, and what their requests and answers carry.
    pub tagger: Arc<Tagger>,
    /// Where they come from, which is followed.
    pub source: FlagSource,
    /// How they are read.
    pub reading: ParseOptions,
    /// What they say now.
    pub loaded: Loaded,
    /// They cannot be used now, so these are the last good flags.
    pub is_last_good: bool,
    /// Where facts are kept as they were last known; none: nowhere.
    pub state: Option<StateFolder>,
    /// Where what happens is kept; none: nowhere.
    pub ledger: Option<LedgerSettings>,
    /// Receivers that are told what happens to flags.
    pub hooks: Vec<Hook>,
    /// Where answers are counted, by flag and variant.
    pub answers: Option<Answers>,
    /// What learns from the traffic, for people.
    pub traffic: Option<Traffic>,
    /// How many pages may wait for changes of flags at once.
    pub change_streams: usize,
}

/// Flags at work in a service: the file is followed, what happens is recorded, rollouts go on and guards roll back. Keep it as long as the
/// service runs, and [`close`](Self::close) it at the end.
#[derive(Debug)]
pub struct Flagstaff {
    layer: FlagLayer,
    changes: ChangeStreams,
    status: FlagstaffStatus,
    threads: Option<Threads>,
}

/// What ends in this order: facts first, as webhooks tell what is left of them.
#[derive(Debug)]
struct Threads {
    watch: Arc<Reloader>,
    history: Option<RevisionLog>,
    controller: RunningController,
    keeper: Option<Keeper>,
    presence: Option<Presence>,
}

impl Flagstaff {
    /// Begins to say what a service wants; `flags` is the path of the flag file, or an address such as `redis://host/0` or
    /// `https://host/flags.toml`.
    pub fn builder(flags: impl AsRef<Path>) -> Builder {
        Builder::new(flags.as_ref())
    }

    /// Starts with what was read and checked. It blocks while the ledger is read, three seconds at most.
    ///
    /// # Errors
    /// When the system gives no thread or no random number.
    pub fn start(parts: Parts) -> std::io::Result<Self> {
        let Parts { tagger, source, reading, loaded, is_last_good, state, ledger, hooks, .. } = parts;
        let (publisher, reader) = publisher(loaded.snapshot.clone());
        let publisher = Arc::new(publisher);
        let location = ledger.as_ref().map(|ledger| ledger.location.clone());
        let facts = source.fact_channel();
        let start = Start { ledger: location.clone(), hooks, state, is_last_good, facts };
        let controller = RunningController::start(Arc::clone(&publisher), start)?;
        warn_of_unread(&publisher);
        let (recorder, keeper) = ledger.map(Recorder::start).transpose()?.unzip();
        let (revisions, history) = history(&source, recorder.as_ref())?;
        revisions.send(&loaded, if is_last_good { RevisionSource::LastGood } else { RevisionSource::File });
        let observer = FileObserver { snapshots: controller.snapshots(), revisions };
        let (from, fingerprint) = (source.clone(), tagger.fingerprint().to_owned());
        let watch = Reloader::start(source, reading, publisher, observer)?;
        let portrait = SelfPortrait::new(from, fingerprint.clone(), watch.status(), controller.monitor());
        let presence = location.map(|ledger| portrait.tell(ledger, controller.snapshots())).transpose()?;
        let mut layer = FlagLayer::new(reader.clone(), tagger).watched_by(controller.observer());
        if let Some(answers) = parts.answers {
            layer = layer.measuring(answers);
        }
        if let Some(traffic) = parts.traffic {
            layer = layer.followed_by(traffic);
        }
        if let Some(recorder) = &recorder {
            layer = layer.recording(recorder.clone());
        }
        let changes = ChangeStreams::new(reader.clone(), parts.change_streams);
        let programs = presence.as_ref().map(Presence::seen).unwrap_or_default();
        let monitor = controller.monitor();
        let status = FlagstaffStatus { reload: watch.status(), monitor, recorder, reader, fingerprint, programs };
        let threads = Threads { watch: Arc::new(watch), history, controller, keeper, presence };
        Ok(Self { layer, changes, status, threads: Some(threads) })
    }

    /// The layer that decides the flags of every request, with the visitor's own addresses under `/.flagstaff/`. Cheap to clone.
    #[must_use]
    pub fn layer(&self) -> Stack<EndpointLayer, Stack<ChangeLayer, FlagLayer>> {
        self.layer.clone().with_live_endpoints(self.changes.clone())
    }

    /// The layer that decides the flags of every request, and nothing else: for services whose answers are not pages, and whose bodies
    /// cannot be made of bytes. [`Flags`](flagstaff_layer::Flags) are in the extensions of every request. Cheap to clone.
    #[must_use]
    pub fn bare_layer(&self) -> FlagLayer {
        self.layer.clone()
    }

    /// What tells pages of changes. [Close](ChangeStreams::close) it before a server waits for its last answers: a page that waits for
    /// changes has one that does not end by itself.
    #[must_use]
    pub fn changes(&self) -> ChangeStreams {
        self.changes.clone()
    }

    /// The flags in force, for decisions outside requests.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.status.reader.clone()
    }

    /// How the flags are, for health checks. Cheap to clone and to ask.
    #[must_use]
    pub fn status(&self) -> FlagstaffStatus {
        self.status.clone()
    }

    /// Has the files read again at once, when it is called. After the end it does nothing.
    pub fn reloading(&self) -> impl Fn() + Send + Sync + 'static {
        let watch = self.threads.as_ref().map(|threads| Arc::downgrade(&threads.watch)).unwrap_or_default();
        move || {
            if let Some(watch) = watch.upgrade() {
                watch.look();
            }
        }
    }

    /// Ends everything, after what waits is written and told. Returns whether that was done within 15 seconds; what was not is lost for
    /// the ledger, and told to webhooks after the next start. It blocks. Dropping does the same.
    #[must_use]
    pub fn close(mut self) -> bool {
        self.end()
    }

    fn end(&mut self) -> bool {
        let Some(Threads { watch, history, controller, keeper, presence }) = self.threads.take() else {
            return true;
        };
        drop(presence);
        drop(watch);
        self.changes.close();
        drop(history);
        let is_told = controller.stop(WEBHOOKS_TIMEOUT);
        if !is_told {
            tracing::warn!("a webhook's receiver is slow; its messages wait in the ledger, where there is one");
        }
        let is_written = keeper.is_none_or(|keeper| keeper.close(LEDGER_TIMEOUT));
        if !is_written {
            tracing::warn!("the ledger did not take the waiting events within {LEDGER_TIMEOUT:?}; they are lost");
        }
        is_told && is_written
    }
}

impl Drop for Flagstaff {
    fn drop(&mut self) {
        self.end();
    }
}
