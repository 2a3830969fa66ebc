//! How the running program is, for operators and in the log.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use flagstaff_admin::{FlagsHealth, Health, LedgerHealth, LedgerStatus, ReplicaHealth};
use flagstaff_embed::{FlagstaffStatus, Parts};
use flagstaff_flags::without_userinfo;
use flagstaff_ledger::{Replica, StoreHealth};
use jiff::Timestamp;

/// The version of this program.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The revision of its sources, where it was named when the program was built.
pub(crate) const REVISION: Option<&str> = option_env!("FLAGSTAFF_REVISION");

/// What is known of the running program. Cheap to clone.
#[derive(Clone)]
pub(crate) struct ProgramHealth {
    /// The flag file.
    source: Arc<str>,
    /// The ledger's location; empty without one.
    ledger: Arc<str>,
    replica: Option<Replica>,
    status: FlagstaffStatus,
    draining: Arc<AtomicBool>,
    since: Instant,
    started_at: Timestamp,
}

impl ProgramHealth {
    pub(crate) fn new(parts: &Parts, replica: Option<Replica>, status: FlagstaffStatus) -> Self {
        let ledger = parts.ledger.as_ref().map(|ledger| ledger.location.to_string()).unwrap_or_default();
        let source = parts.source.name().into();
        Self {
            source,
            ledger: ledger.into(),
            replica,
            status,
            draining: Arc::default(),
            since: Instant::now(),
            started_at: Timestamp::now(),
        }
    }

    /// When the program started, in seconds since 1970.
    #[allow(clippy::cast_precision_loss, reason = "milliseconds since 1970 are few enough")]
    pub(crate) fn started_at(&self) -> f64 {
        self.started_at.as_millisecond() as f64 / 1000.0
    }

    /// It takes no new visitors from now on.
    pub(crate) fn drains(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// How it is now. There is always a good set of flags: without one, nothing is bound.
    pub(crate) fn now(&self) -> Health {
        let flags = self.status.flags();
        let loaded_at = Timestamp::try_from(flags.loaded_at).map(|time| format!("{time:.3}")).unwrap_or_default();
        let flags = FlagsHealth {
            revision: flags.revision,
            source: self.source.to_string(),
            loaded_at,
            problem: flags.problem,
        };
        let mut report = Health::new(VERSION, self.since.elapsed(), flags)
            .with_revision(REVISION)
            .with_guards(self.status.guards())
            .with_fleet(self.status.fingerprint(), self.status.strangers())
            .waiting(self.status.waiting_for_ledger());
        if let Some(status) = self.status.ledger() {
            let replica = self.replica.as_ref().map(replica_health);
            report = report.with_ledger(LedgerHealth { replica, ..ledger_health(&self.ledger, status) });
        }
        self.reasons().into_iter().fold(report, Health::but)
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

fn ledger_health(location: &str, status: flagstaff_ledger::WriterStatus) -> LedgerHealth {
    let (word, problem) = match status.health {
        StoreHealth::Opening => (LedgerStatus::Opening, None),
        StoreHealth::Fine => (LedgerStatus::Ok, None),
        StoreHealth::Away { why, .. } => (LedgerStatus::Away, Some(without_userinfo(&why).into_owned())),
    };
    LedgerHealth {
        status: word,
        place: location.into(),
        problem,
        written: status.written,
        queued: status.pending,
        dropped: status.dropped,
        replica: None,
    }
}

fn replica_health(replica: &Replica) -> ReplicaHealth {
    let problem = replica.notice().map(|notice| without_userinfo(&notice).into_owned());
    ReplicaHealth { place: replica.location().to_string(), problem }
}
