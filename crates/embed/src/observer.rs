//! What follows when the flag file changes.

use std::time::Duration;

use flagstaff_rollout::SnapshotSender;
use flagstaff_source::{Loaded, ReloadObserver, Report};

/// Tells the controller of new flags, and the log what became of the file.
pub(crate) struct FileObserver(pub(crate) SnapshotSender);

impl ReloadObserver for FileObserver {
    fn on_loaded(&self, loaded: &Loaded) {
        self.0.send(&loaded.snapshot);
        tracing::info!(flags = loaded.snapshot.flags().len(), "flags loaded");
    }

    fn on_rejected(&self, report: &Report) {
        let errors = report.only_errors().render(false);
        tracing::error!("the flags were not taken ({}), the last good ones stay\n{errors}", report.summary());
    }

    fn on_not_kept(&self, why: &str) {
        tracing::warn!("the last good flags cannot be kept ({why}), so a start with a broken flag file fails");
    }

    fn on_polling(&self, why: &str, every: Duration) {
        tracing::warn!("the system does not tell when the flag file changes ({why}), so it is read every {every:?}");
    }
}
