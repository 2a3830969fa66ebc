//! How flags in a service are.

use std::sync::Arc;

use flagstaff_flags::Reader;
use flagstaff_ledger::{Recorder, SeenPrograms};
use flagstaff_operations::fleet::strangers;
use flagstaff_rollout::OutcomeMonitor;
use flagstaff_source::{ReloadHealth, ReloadStatus};

/// How flags in a service are, whenever it is asked.
#[derive(Clone, Debug)]
pub struct FlagstaffStatus {
    pub(crate) reload: ReloadStatus,
    pub(crate) monitor: Arc<OutcomeMonitor>,
    pub(crate) recorder: Option<Recorder>,
    pub(crate) reader: Reader,
    pub(crate) fingerprint: String,
    pub(crate) programs: SeenPrograms,
}

impl FlagstaffStatus {
    /// Whether the flag file that was seen last is in force, and what is wrong with it where it is not.
    #[must_use]
    pub fn flags(&self) -> ReloadHealth {
        self.reload.get()
    }

    /// Whether the ledger takes what happens; `None` without a ledger.
    #[must_use]
    pub fn ledger(&self) -> Option<flagstaff_ledger::WriterStatus> {
        self.recorder.as_ref().map(Recorder::status)
    }

    /// Tells whether another program takes the same visitor for the same.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Programs with the same ledger whose keys or cookies are others, each in a sentence.
    #[must_use]
    pub fn strangers(&self) -> Vec<String> {
        let all = self.programs.get();
        let own = all
            .iter()
            .find(|seen| seen.program.process == std::process::id() && seen.program.identity == self.fingerprint);
        own.map(|own| strangers(&own.program, &all)).unwrap_or_default()
    }

    /// What operators should know of guards, each in a sentence; also of flags that no guard watches here, because other programs
    /// have another state of them.
    #[must_use]
    pub fn guards(&self) -> Vec<String> {
        let mut all = self.monitor.notices();
        all.extend(self.monitor.lagging());
        all
    }

    /// Flags that are off only because the ledger could not be read yet.
    #[must_use]
    pub fn waiting_for_ledger(&self) -> Vec<String> {
        self.reader.load().off_for_want_of_facts().into_iter().map(ToString::to_string).collect()
    }
}
