//! How flags in a service are.

use std::sync::Arc;

use flagstaff_flags::Reader;
use flagstaff_ledger::Recorder;
use flagstaff_rollout::OutcomeMonitor;
use flagstaff_source::{ReloadHealth, ReloadStatus};

/// How flags in a service are, whenever it is asked.
#[derive(Clone, Debug)]
pub struct FlagstaffStatus {
    pub(crate) reload: ReloadStatus,
    pub(crate) monitor: Arc<OutcomeMonitor>,
    pub(crate) recorder: Option<Recorder>,
    pub(crate) reader: Reader,
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

    /// What operators should know of guards, each in a sentence.
    #[must_use]
    pub fn guards(&self) -> Vec<String> {
        self.monitor.notices()
    }

    /// Flags that are off only because the ledger could not be read yet.
    #[must_use]
    pub fn waiting_for_ledger(&self) -> Vec<String> {
        self.reader.load().off_for_want_of_facts().into_iter().map(ToString::to_string).collect()
    }
}
