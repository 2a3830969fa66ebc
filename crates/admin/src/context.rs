//! What the routes work on: the running program's flags, its files and its ledger.

use std::panic::resume_unwind;
use std::sync::Arc;

use flagstaff_flags::{Reader, Snapshot};
use flagstaff_operations::Error;
use flagstaff_operations::workspace::Workspace;
use flagstaff_tag::TaggerSettings;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

/// What the routes work on. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    workspace: Arc<Workspace>,
    in_force: Reader,
    reload: Arc<dyn Fn() + Send + Sync>,
    tagger: Arc<TaggerSettings>,
}

impl Context {
    /// The files and the ledger of `workspace`, and the flags that are in force. `reload` has the files read again at once.
    pub fn new(workspace: Workspace, in_force: Reader, reload: impl Fn() + Send + Sync + 'static) -> Self {
        Self { workspace: Arc::new(workspace), in_force, reload: Arc::new(reload), tagger: Arc::default() }
    }

    /// With the settings by which requests are tagged.
    #[must_use]
    pub fn with_tagger_settings(self, settings: TaggerSettings) -> Self {
        Self { tagger: Arc::new(settings), ..self }
    }

    /// The settings by which requests are tagged.
    pub(crate) fn tagger_settings(&self) -> &TaggerSettings {
        &self.tagger
    }

    /// The flags that are in force now, with what the ledger knows of them.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.in_force.load()
    }

    /// Has the files read again at once, after an edit.
    pub(crate) fn reload(&self) {
        (self.reload)();
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
