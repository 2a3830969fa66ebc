//! What the log is told of flags.

use std::time::Duration;

use flagstaff_flags::{Publisher, RevisionSource};
use flagstaff_rollout::SnapshotSender;
use flagstaff_source::{Loaded, ReloadObserver, Report};

use crate::history::RevisionSender;

/// Tells the controller and the history of new flags, and the log what becomes of each change of the file.
pub(crate) struct FileObserver {
    pub(crate) snapshots: SnapshotSender,
    pub(crate) revisions: RevisionSender,
}

impl ReloadObserver for FileObserver {
    fn on_loaded(&self, loaded: &Loaded) {
        self.snapshots.send(&loaded.snapshot);
        self.revisions.send(loaded, RevisionSource::File);
        let revision = loaded.snapshot.revision();
        // enough of it to tell it from others
        let revision = revision.get(..12).unwrap_or(revision);
        tracing::info!(revision, flags = loaded.snapshot.flags().len(), "flags loaded");
        for warning in loaded.report.warnings() {
            tracing::warn!(file = &*warning.file, line = warning.line, "{}", warning.message);
        }
    }

    fn on_rejected(&self, report: &Report) {
        tracing::error!(
            "the flags cannot be used ({}), so the last good flags stay in force\n{}",
            report.summary(),
            report.only_errors().render(false)
        );
    }

    fn on_not_kept(&self, why: &str) {
        tracing::warn!(
            "the last good flags cannot be kept ({why}), so a start with a broken flag file will be refused; name a folder that may be \
             written: state = \"/var/lib/flagstaff\", or state = \"none\""
        );
    }

    fn on_polling(&self, why: &str, every: Duration) {
        tracing::warn!("nobody tells when the flags change ({why}), so they are read every {every:?}");
    }
}

/// Names the flags that depend on a ledger which does not answer yet.
pub(crate) fn warn_of_unread(publisher: &Publisher) {
    if !publisher.recorded().unknown {
        return;
    }
    let current = publisher.current();
    let waiting = current.off_for_want_of_facts();
    for flag in current.flags().iter().filter(|flag| flag.enabled && flag.needs_facts()) {
        let flag_name = flag.name.as_str();
        if waiting.contains(&&flag.name) {
            tracing::warn!(
                flag = flag_name,
                "the ledger does not answer yet, so the flag {flag_name} is off: it may have been rolled back"
            );
        } else {
            tracing::warn!(
                flag = flag_name,
                "the ledger does not answer yet, so the flag {flag_name} is as it was last known; its guard begins when the ledger answers"
            );
        }
    }
}
