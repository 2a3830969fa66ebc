//! What `/healthz` answers.

use std::time::Duration;

use serde::Serialize;

/// Whether the program is well, and why not.
#[derive(Clone, Debug, Serialize)]
pub struct Health {
    /// All of it in one word.
    pub status: Status,
    /// The version of the program.
    pub version: &'static str,
    /// The revision of its sources, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<&'static str>,
    /// How long it has been running, in seconds.
    pub uptime_seconds: u64,
    /// Whether requests should be sent here.
    pub ready: bool,
    /// Why it is not ready, each reason in a sentence; empty while it is ready.
    pub not_ready: Vec<String>,
    /// The flags.
    pub flags: FlagsHealth,
    /// The ledger; none where nothing is recorded.
    pub ledger: Option<LedgerHealth>,
    /// Flags that are off only because the ledger could not be read yet.
    pub waiting_for_ledger: Vec<String>,
    /// What guards of flags say, each in a sentence that begins with the flag.
    pub guards: Vec<String>,
    /// Tells whether another program takes the same visitor for the same: equal where keys and cookies are.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub identity: String,
    /// Programs with the same ledger whose keys or cookies are others, each in a sentence.
    pub fleet: Vec<String>,
}

impl Health {
    /// Well when nothing is wrong with the flags, degraded when the last good ones stay in force.
    #[must_use]
    pub const fn new(version: &'static str, uptime: Duration, flags: FlagsHealth) -> Self {
        let status = if flags.problem.is_some() { Status::Degraded } else { Status::Ok };
        let uptime_seconds = uptime.as_secs();
        Self {
            status,
            version,
            revision: None,
            uptime_seconds,
            ready: true,
            not_ready: Vec::new(),
            flags,
            ledger: None,
            waiting_for_ledger: Vec::new(),
            guards: Vec::new(),
            identity: String::new(),
            fleet: Vec::new(),
        }
    }

    /// The same, built of this revision of the sources.
    #[must_use]
    pub fn with_revision(self, revision: Option<&'static str>) -> Self {
        Self { revision, ..self }
    }

    /// Adds a reason why the program is not ready.
    #[must_use]
    pub fn but(mut self, reason: impl Into<String>) -> Self {
        self.ready = false;
        self.not_ready.push(reason.into());
        self
    }

    /// The same, with flags that are off only because the ledger could not be read yet; degraded while there are some.
    #[must_use]
    pub fn waiting(mut self, flags: Vec<String>) -> Self {
        if !flags.is_empty() {
            self.status = Status::Degraded;
        }
        self.waiting_for_ledger = flags;
        self
    }

    /// The same, with something that needs a person.
    #[must_use]
    pub const fn degraded(mut self) -> Self {
        self.status = Status::Degraded;
        self
    }

    /// The same, with what guards say.
    #[must_use]
    pub fn with_guards(self, guards: Vec<String>) -> Self {
        Self { guards, ..self }
    }

    /// The same, with what tells it from others, and what is wrong between them.
    #[must_use]
    pub fn with_fleet(self, identity: &str, fleet: Vec<String>) -> Self {
        Self { identity: identity.into(), fleet, ..self }
    }

    /// The same, with a ledger; degraded while it or its replica is away, or the replica lags.
    #[must_use]
    pub fn with_ledger(mut self, ledger: LedgerHealth) -> Self {
        let is_odd = ledger.replica.as_ref().is_some_and(|replica| replica.problem.is_some());
        if is_odd || ledger.status == LedgerStatus::Away {
            self.status = Status::Degraded;
        }
        self.ledger = Some(ledger);
        self
    }
}

/// The state of the program in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// All is well.
    Ok,
    /// It serves, but something needs a person.
    Degraded,
}

/// The flags in force.
#[derive(Clone, Debug, Serialize)]
pub struct FlagsHealth {
    /// The revision in force.
    pub revision: String,
    /// Where it came from.
    pub source: String,
    /// Since when (RFC 3339).
    pub loaded_at: String,
    /// What is wrong with the flags that are there now, when they are not in force.
    pub problem: Option<String>,
}

/// The ledger, and what it has lost.
#[derive(Clone, Debug, Serialize)]
pub struct LedgerHealth {
    /// In one word.
    pub status: LedgerStatus,
    /// Where it is.
    pub place: String,
    /// Why it is away, when it is.
    pub problem: Option<String>,
    /// Events written since the start.
    pub written: u64,
    /// Events that are neither written nor lost yet.
    pub queued: u64,
    /// Events lost since the start.
    pub dropped: u64,
    /// The copy from which results are read; none where they are read from the ledger itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replica: Option<ReplicaHealth>,
}

/// A copy of the ledger, as it was when somebody last asked for results.
#[derive(Clone, Debug, Serialize)]
pub struct ReplicaHealth {
    /// Where it is.
    pub place: String,
    /// That it lags or is away, when it does.
    pub problem: Option<String>,
}

/// The state of the ledger in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LedgerStatus {
    /// It is being opened for the first time.
    Opening,
    /// It takes what is written.
    Ok,
    /// It does not; it is tried again and again.
    Away,
}
