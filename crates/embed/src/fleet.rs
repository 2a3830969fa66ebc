//! The other programs with the same ledger, and what is wrong between them and this one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use flagstaff_flags::printable;
use flagstaff_ledger::{Location, PRESENCE_BEAT, Presence, Program, SeenProgram};
use flagstaff_operations::fleet::{MISSED_BEATS, has_other_flags, strangers};
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
        let (told, alone) = (Mutex::new(Vec::new()), Mutex::new(Alone::default()));
        let on_seen = move |own: &Program, all: &[SeenProgram]| {
            let now = strangers(own, all);
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            for notice in now.iter().filter(|notice| !told.contains(*notice)) {
                tracing::warn!("{}", printable(notice));
            }
            *told = now;
            let mut alone = alone.lock().unwrap_or_else(PoisonError::into_inner);
            if alone.look(has_other_flags(own, all), Instant::now()) {
                controller.is_alone();
            }
        };
        Presence::start(ledger, move |id| self.program(id), on_seen)
    }
}

/// How long no program with other flags has been seen. One look says little: after the ledger was away nobody has been there for long, and
/// a program that starts again is not there for a moment.
#[derive(Debug, Default)]
struct Alone {
    last: Option<Instant>,
    looks: u32,
}

impl Alone {
    /// Takes in a look that the ledger answered. Returns whether there were enough in a row without others.
    fn look(&mut self, has_others: bool, now: Instant) -> bool {
        // between two answered looks lies a beat, and no failed one
        let is_next = self.last.is_some_and(|last| now.duration_since(last) < 2 * PRESENCE_BEAT);
        self.last = Some(now);
        self.looks = match (has_others, is_next) {
            (true, _) => 0,
            (false, true) => self.looks + 1,
            (false, false) => 1,
        };
        self.looks > MISSED_BEATS
    }
}

/// How this machine calls itself.
fn host() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let named = kernel.or_else(|| std::env::var("HOSTNAME").ok()).or_else(|| std::env::var("COMPUTERNAME").ok());
    named.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).unwrap_or_else(|| "unknown".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_alone_after_looks_in_a_row() {
        let start = Instant::now();
        let mut alone = Alone::default();
        // of each look: after how many beats, whether others are there, and whether it is alone
        let looks = [
            (0, false, false),
            (1, false, false),
            (2, false, false),
            (3, false, true),
            (4, true, false),
            (5, false, false),
            (6, false, false),
            (7, false, false),
            // the ledger was away
            (12, false, false),
            (13, false, false),
            (14, false, false),
            (15, false, true),
            (16, false, true),
        ];
        for (beats, others, is_alone) in looks {
            assert_eq!(alone.look(others, start + beats * PRESENCE_BEAT), is_alone, "after {beats} beats");
        }
    }
}
