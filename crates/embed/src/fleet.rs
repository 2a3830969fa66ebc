//! The other programs with the same ledger, and what is wrong between them and this one.

use std::sync::{Arc, Mutex, PoisonError};

use flagstaff_flags::printable;
use flagstaff_ledger::{Location, Presence, Program, SeenProgram};
use flagstaff_operations::fleet::{has_other_flags, strangers};
use flagstaff_rollout::{OutcomeMonitor, SnapshotSender};
use flagstaff_source::{FlagSource, ReloadStatus};
use jiff::Timestamp;

/// The version of this program.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a program says of itself from time to time.
pub(crate) struct SelfPortrait {
    source: FlagSource,
    identity: String,
    reload: ReloadStatus,
    monitor: Arc<OutcomeMonitor>,
    started: Timestamp,
}

impl SelfPortrait {
    pub(crate) fn new(
        source: FlagSource,
        identity: String,
        reload: ReloadStatus,
        monitor: Arc<OutcomeMonitor>,
    ) -> Self {
        Self { source, identity, reload, monitor, started: Timestamp::now() }
    }

    fn program(&self, id: &str) -> Program {
        let health = self.reload.get();
        Program {
            id: id.into(),
            host: host(),
            process: std::process::id(),
            version: VERSION.into(),
            environment: self.source.environment().map(Into::into),
            source: self.source.name(),
            revision: health.revision,
            // its first line: the place and the drawing are in its own log
            problem: health
                .problem
                .map(|problem| problem.lines().next().unwrap_or_default().to_owned())
                .or_else(|| self.monitor.lagging().into_iter().next()),
            identity: self.identity.clone(),
            started: self.started,
        }
    }

    /// Says it from now on, and logs once what is wrong between others and this program. The controller hears when none of them has
    /// other flags.
    pub(crate) fn tell(self, ledger: Location, controller: SnapshotSender) -> std::io::Result<Presence> {
        let told = Mutex::new(Vec::new());
        let on_seen = move |own: &Program, all: &[SeenProgram]| {
            let now = strangers(own, all);
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            for notice in now.iter().filter(|notice| !told.contains(*notice)) {
                tracing::warn!("{}", printable(notice));
            }
            *told = now;
            if !has_other_flags(own, all) {
                controller.is_alone();
            }
        };
        Presence::start(ledger, move |id| self.program(id), on_seen)
    }
}

/// How this machine calls itself.
fn host() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let named = kernel.or_else(|| std::env::var("HOSTNAME").ok()).or_else(|| std::env::var("COMPUTERNAME").ok());
    named.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).unwrap_or_else(|| "unknown".into())
}
