//! How it is.

use serde::Serialize;

/// How the program is.
#[derive(Clone, Debug, Serialize)]
pub struct Health {
    /// In one word.
    pub status: Status,
    /// Whether requests should be sent here.
    pub ready: bool,
    /// The flags.
    pub flags: FlagsHealth,
}

impl Health {
    /// Well when nothing is wrong with the flags, degraded when the last good ones stay in force.
    #[must_use]
    pub const fn new(ready: bool, flags: FlagsHealth) -> Self {
        let status = if flags.problem.is_some() {
            Status::Degraded
        } else {
            Status::Ok
        };
        Self { status, ready, flags }
    }
}

/// How it is, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// All is well.
    Ok,
    /// It serves, but something needs a person.
    Degraded,
}

/// How the flags are.
#[derive(Clone, Debug, Serialize)]
pub struct FlagsHealth {
    /// The revision in force.
    pub revision: String,
    /// Where it came from.
    pub source: String,
    /// Since when (RFC 3339).
    pub loaded_at: String,
    /// What is wrong with what is there now, when it was not taken.
    pub problem: Option<String>,
}
