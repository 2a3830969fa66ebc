//! How the running program is, for operators and in the log.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flagstaff_admin::{FlagsHealth, Health as Told};
use flagstaff_source::{Loaded, Observer, Report, Status};
use jiff::Timestamp;

/// What is known of the running program. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Health {
    source: Arc<str>,
    flags: Status,
    draining: Arc<AtomicBool>,
}

impl Health {
    pub(crate) fn new(source: &str, flags: Status) -> Self {
        Self {
            source: source.into(),
            flags,
            draining: Arc::default(),
        }
    }

    /// It takes no new visitors from now on.
    pub(crate) fn drains(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// How it is now. There is always a good set of flags: without one, nothing is bound.
    pub(crate) fn now(&self) -> Told {
        let flags = self.flags.get();
        let loaded_at = Timestamp::try_from(flags.loaded_at)
            .map(|time| format!("{time:.3}"))
            .unwrap_or_default();
        let flags = FlagsHealth {
            revision: flags.revision,
            source: self.source.to_string(),
            loaded_at,
            problem: flags.problem,
        };
        Told::new(!self.draining.load(Ordering::Relaxed), flags)
    }
}

/// Writes to the log what becomes of each change of the flags.
pub(crate) struct Log;

impl Observer for Log {
    fn on_loaded(&self, loaded: &Loaded) {
        tracing::info!(
            revision = short(loaded.snapshot.revision()),
            flags = loaded.snapshot.flags().len(),
            "flags loaded"
        );
        for warning in loaded.report.warnings() {
            tracing::warn!(file = &*warning.file, line = warning.line, "{}", warning.message);
        }
    }

    fn on_rejected(&self, report: &Report) {
        tracing::error!(
            "the flags were not taken ({}), the last good ones stay\n{}",
            report.summary(),
            report.only_errors().render(false)
        );
    }
}

/// Enough of a revision to tell it from others.
pub(crate) fn short(revision: &str) -> &str {
    revision.get(..12).unwrap_or(revision)
}
