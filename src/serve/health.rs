//! How the running program is, for operators and in the log.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use flagstaff_admin::{FlagsHealth, Health as HealthReport, LedgerHealth, LedgerStatus};
use flagstaff_flags::{Reader, without_userinfo};
use flagstaff_ledger::{Health as Of, Recorder};
use flagstaff_rollout::{OutcomeMonitor, SnapshotSender};
use flagstaff_source::{Loaded, ReloadObserver, ReloadStatus, Report};
use jiff::Timestamp;

/// The version of this program.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is known of the running program. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Health {
    source: Arc<str>,
    flags: ReloadStatus,
    ledger: Option<(Arc<str>, Recorder)>,
    guards: Arc<OutcomeMonitor>,
    draining: Arc<AtomicBool>,
    since: Instant,
    in_force: Reader,
}

impl Health {
    pub(crate) fn new(source: &str, flags: ReloadStatus, guards: Arc<OutcomeMonitor>, in_force: Reader) -> Self {
        let (draining, since) = (Arc::default(), Instant::now());
        Self { source: source.into(), flags, ledger: None, guards, draining, since, in_force }
    }

    /// With a ledger, at its place.
    pub(crate) fn with_ledger(mut self, place: &str, recorder: Recorder) -> Self {
        self.ledger = Some((place.into(), recorder));
        self
    }

    /// It takes no new visitors from now on.
    pub(crate) fn drains(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// How it is now. There is always a good set of flags: without one, nothing is bound.
    pub(crate) fn now(&self) -> HealthReport {
        let flags = self.flags.get();
        let loaded_at = Timestamp::try_from(flags.loaded_at).map(|time| format!("{time:.3}")).unwrap_or_default();
        let flags = FlagsHealth {
            revision: flags.revision,
            source: self.source.to_string(),
            loaded_at,
            problem: flags.problem,
        };
        let mut report = HealthReport::new(VERSION, self.since.elapsed(), flags).with_guards(self.guards.notices());
        if let Some((place, recorder)) = &self.ledger {
            report = report.with_ledger(of(place, recorder));
        }
        let snapshot = self.in_force.load();
        report = report.waiting(snapshot.off_for_want_of_facts().into_iter().map(ToString::to_string).collect());
        self.reasons().into_iter().fold(report, HealthReport::but)
    }

    /// Why no requests should be sent here.
    fn reasons(&self) -> Vec<String> {
        let ailing = flagstaff_supervise::ailing();
        let ended =
            |thread: String| format!("the thread {thread} ended with a panic and starts again; the log says why");
        let draining = self.draining.load(Ordering::Relaxed).then(|| "the program drains".into());
        draining.into_iter().chain(ailing.into_iter().map(ended)).collect()
    }
}

fn of(place: &str, recorder: &Recorder) -> LedgerHealth {
    let status = recorder.status();
    let (word, problem) = match status.health {
        Of::Opening => (LedgerStatus::Opening, None),
        Of::Fine => (LedgerStatus::Ok, None),
        Of::Away { why, .. } => (LedgerStatus::Away, Some(without_userinfo(&why).into_owned())),
    };
    LedgerHealth {
        status: word,
        place: place.into(),
        problem,
        written: status.written,
        queued: status.queued,
        dropped: status.dropped,
    }
}

/// Writes to the log what becomes of each change of the flags, and tells the controller of rollouts.
pub(crate) struct Log(SnapshotSender);

impl Log {
    pub(crate) const fn telling(snapshots: SnapshotSender) -> Self {
        Self(snapshots)
    }
}

impl ReloadObserver for Log {
    fn on_loaded(&self, loaded: &Loaded) {
        self.0.send(&loaded.snapshot);
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
            "the flag file cannot be used ({}), so the last good flags stay in force\n{}",
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
        tracing::warn!(
            "the system does not tell when the flag file changes ({why}), so it is read every {every:?}; on Linux raise \
             fs.inotify.max_user_instances and fs.inotify.max_user_watches"
        );
    }
}

/// Enough of a revision to tell it from others.
pub(crate) fn short(revision: &str) -> &str {
    revision.get(..12).unwrap_or(revision)
}
