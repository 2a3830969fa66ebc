//! What the routes work on: the running program's flags, its files and its ledger.

use std::collections::HashSet;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use flagstaff_flags::{Reader, RevisionSource, Snapshot};
use flagstaff_layer::{Tagger, Traffic};
use flagstaff_operations::Error;
use flagstaff_operations::edit::{Edited, Way};
use flagstaff_operations::hygiene::Watched;
use flagstaff_operations::preview::{RecentVisitors, WhyNoVisitors};
use flagstaff_operations::traffic::{FlagTraffic, NotCountedRequests};
use flagstaff_operations::workspace::{Replica, Workspace};
use flagstaff_tag::TaggerSettings;
use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout_at};

/// How long an edit waits until it is in force here.
const IN_FORCE_TIMEOUT: Duration = Duration::from_secs(2);
/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How many of its looks at the flags in force come with one at the files.
const LOOKS_AT_FILES: usize = 4;

/// What the routes work on. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    workspace: Arc<Workspace>,
    in_force: Reader,
    reload: Arc<dyn Fn() + Send + Sync>,
    traffic: Option<(Traffic, Arc<Tagger>)>,
    tagger_settings: Arc<TaggerSettings>,
}

impl Context {
    /// The files and the ledger of `workspace`, and the flags that are in force. `reload` has the files read again at once.
    pub fn new(workspace: Workspace, in_force: Reader, reload: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            workspace: Arc::new(workspace),
            in_force,
            reload: Arc::new(reload),
            traffic: None,
            tagger_settings: Arc::default(),
        }
    }

    /// The same, for edits that come otherwise.
    pub(crate) fn edited(self, by: RevisionSource) -> Self {
        let workspace = Workspace { edits_by: by, ..Workspace::clone(&self.workspace) };
        Self { workspace: Arc::new(workspace), ..self }
    }

    /// The same, with what the layer learns from its traffic, and its tagger.
    #[must_use]
    pub fn with_traffic(self, traffic: Traffic, tagger: Arc<Tagger>) -> Self {
        Self { traffic: Some((traffic, tagger)), ..self }
    }

    /// What those who read results and history should know of the ledger's replica.
    pub(crate) fn replica(&self) -> Option<&Replica> {
        self.workspace.replica.as_ref()
    }

    /// What the layer learns from its traffic; none where no layer is followed.
    pub(crate) fn traffic(&self) -> Option<&Traffic> {
        self.traffic.as_ref().map(|(traffic, _)| traffic)
    }

    /// What was asked for and what was not, for hygiene; none where no layer is followed.
    pub(crate) fn watched(&self) -> Option<Watched> {
        let (traffic, tagger) = self.traffic.as_ref()?;
        let asked = self.flag_traffic(&self.snapshot());
        Some(Watched { since: traffic.since(), asked, unknown: tagger.unknown_names() })
    }

    /// Requests that were not counted.
    pub(crate) fn not_counted(&self) -> Vec<NotCountedRequests> {
        self.traffic.as_ref().map(|(_, tagger)| NotCountedRequests::of_all(&tagger.left_out())).unwrap_or_default()
    }

    /// How often the flags of a snapshot were asked for.
    pub(crate) fn flag_traffic(&self, snapshot: &Arc<Snapshot>) -> Vec<FlagTraffic> {
        let asked = self.traffic().map(|traffic| traffic.asked(snapshot)).unwrap_or_default();
        FlagTraffic::of_all(snapshot, asked, Timestamp::now())
    }

    /// The last visitors and the flags in force for them, to see what an edit would do.
    pub(crate) fn recent_visitors(&self) -> RecentVisitors {
        let traffic = self.traffic();
        RecentVisitors {
            visitors: traffic.map(Traffic::recent).unwrap_or_default(),
            why_none: match traffic {
                Some(traffic) if traffic.keeps_visitors() => WhyNoVisitors::NoneCame,
                _ => WhyNoVisitors::NotKept,
            },
            in_force: Some(self.snapshot()),
        }
    }

    /// With the settings by which requests are tagged.
    #[must_use]
    pub fn with_tagger_settings(self, settings: TaggerSettings) -> Self {
        Self { tagger_settings: Arc::new(settings), ..self }
    }

    /// The settings by which requests are tagged.
    pub(crate) fn tagger_settings(&self) -> &TaggerSettings {
        &self.tagger_settings
    }

    /// The flags that are in force now, with what the ledger knows of them.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.in_force.load()
    }

    /// Has the files read again at once, after an edit.
    pub(crate) fn reload(&self) {
        (self.reload)();
    }

    /// Has the files read again, and waits until this revision of theirs is in force here, or one that came after it. Says whether it is,
    /// in time.
    pub(crate) async fn takes_up(&self, revision: &str) -> bool {
        self.reload();
        // the next edit may take its place before it is read: what the files say from now on was written over it
        let mut since = HashSet::from([revision.to_owned()]);
        let end = Instant::now() + IN_FORCE_TIMEOUT;
        for look in 1_usize.. {
            if since.contains(self.snapshot().revision()) {
                return true;
            }
            if Instant::now() > end {
                break;
            }
            sleep(LOOK_EVERY).await;
            if look.is_multiple_of(LOOKS_AT_FILES) {
                let files = self.run(async |workspace: &Workspace| workspace.revision());
                since.extend(timeout_at(end, files).await.into_iter().flatten());
            }
        }
        false
    }

    /// Has an edit taken up, in whichever way it was made. Says whether it is in force here, in time.
    pub(crate) async fn takes(&self, edited: &Edited) -> bool {
        match (&edited.way, &edited.revision) {
            (_, Some(revision)) => self.takes_up(revision).await,
            (Way::Ledger { refused: None, .. }, None) => {
                self.reload();
                self.comes(|snapshot| is_switched(snapshot, edited)).await
            }
            // what was not written is not waited for
            (_, None) => {
                self.reload();
                true
            }
        }
    }

    /// As [`Context::takes_up`], for the files as they are now.
    pub(crate) async fn takes_up_files(&self) {
        match self.run(async |workspace: &Workspace| workspace.revision()).await {
            Ok(revision) => {
                self.takes_up(&revision).await;
            }
            // what is wrong with them is told where they are watched
            Err(_) => self.reload(),
        }
    }

    /// Whether the flags in force come to be like this in time.
    pub(crate) async fn comes(&self, is_like_this: impl Fn(&Snapshot) -> bool) -> bool {
        let end = Instant::now() + IN_FORCE_TIMEOUT;
        while !is_like_this(&self.snapshot()) {
            if Instant::now() > end {
                return false;
            }
            sleep(LOOK_EVERY).await;
        }
        true
    }

    /// Runs an operation to its end, on a thread of its own: operations read files, and none may keep a visitor waiting.
    ///
    /// # Errors
    /// The operation's error.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        operation: impl AsyncFnOnce(&Workspace) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (workspace, runtime) = (Arc::clone(&self.workspace), Handle::current());
        let done = spawn_blocking(move || runtime.block_on(operation(&workspace))).await;
        done.unwrap_or_else(|error| match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(error) => Err(Error::Io(std::io::Error::other(error))),
        })
    }
}

/// Whether a flag is as a fact in the ledger says. One that is not there is off.
fn is_switched(snapshot: &Snapshot, edited: &Edited) -> bool {
    let Some(id) = snapshot.find(&edited.flag) else { return !edited.enabled };
    let is_held_off = snapshot.switched_off(id).is_some();
    let is_off_in_file = snapshot.flag(id).is_some_and(|flag| !flag.enabled);
    if edited.enabled { !is_held_off } else { is_held_off || is_off_in_file }
}
