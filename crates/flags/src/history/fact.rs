//! What happened to a flag, beside what is written of it.
//!
//! Facts are numbered per flag and only ever added. A writer says which number its fact has, so of several writers that saw the
//! same state exactly one can change it. Everything else follows from the facts.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Definition, Name};

/// One thing that happened to a flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The flag.
    pub flag: Name,
    /// Its place among the facts of the flag, from 1.
    pub number: u64,
    /// The time.
    pub at: Timestamp,
    /// The definition of the flag it is about.
    pub definition: Definition,
    /// What happened.
    pub kind: FactKind,
    /// The step of the rollout after it, from 0; 0 where there is no rollout. The number of steps once all are behind it.
    pub step: usize,
    /// The person, or the part of the program, that did it.
    pub by: String,
    /// The reason, in a sentence; may be empty.
    pub why: String,
    /// The numbers it rests on, as JSON, so that anyone can recompute it.
    pub evidence: Option<String>,
}

/// What can happen to a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// It was seen for the first time.
    Defined,
    /// It was edited: its rollout begins again.
    Changed,
    /// It is no longer in the file.
    Removed,
    /// Its rollout went to a step.
    Step,
    /// Its rollout waits for an approval.
    ApprovalNeeded,
    /// A person keeps its rollout at its step.
    Paused,
    /// A person lets it go on.
    Resumed,
    /// Its step could go on by time, but something else does not allow it.
    Inconclusive,
    /// What kept it from going on is over.
    Recovered,
    /// Its guard rolled it back.
    Tripped,
    /// Its guard holds it where it is.
    Held,
    /// Its guard would have tripped, but only observes.
    Observed,
    /// A person started its rollout again.
    Reset,
    /// All its steps are done.
    Done,
    /// Its expiry date has passed.
    Expired,
    /// A person switched it off beside its file: it is off for everyone, whatever the file says.
    SwitchedOff,
    /// A person switched it on again.
    SwitchedOn,
    /// Its file says `enabled = false` now.
    Disabled,
    /// Its file says `enabled = true` again.
    Enabled,
    /// It goes on as it was, under the fingerprint that this version of the program gives the same definition.
    Continued,
    /// Something that only a later version of this program knows. It has a number, and changes nothing.
    #[serde(other)]
    Unknown,
}

impl FactKind {
    /// All that this version records.
    pub const ALL: [Self; 20] = [
        Self::Defined,
        Self::Changed,
        Self::Removed,
        Self::Step,
        Self::ApprovalNeeded,
        Self::Paused,
        Self::Resumed,
        Self::Inconclusive,
        Self::Recovered,
        Self::Tripped,
        Self::Held,
        Self::Observed,
        Self::Reset,
        Self::Done,
        Self::Expired,
        Self::SwitchedOff,
        Self::SwitchedOn,
        Self::Disabled,
        Self::Enabled,
        Self::Continued,
    ];

    /// As it is recorded and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Defined => "defined",
            Self::Changed => "changed",
            Self::Removed => "removed",
            Self::Step => "step",
            Self::ApprovalNeeded => "approval_needed",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::Inconclusive => "inconclusive",
            Self::Recovered => "recovered",
            Self::Tripped => "tripped",
            Self::Held => "held",
            Self::Observed => "observed",
            Self::Reset => "reset",
            Self::Done => "done",
            Self::Expired => "expired",
            Self::SwitchedOff => "switched_off",
            Self::SwitchedOn => "switched_on",
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::Continued => "continued",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for FactKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no kind of fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FactKindError;

impl fmt::Display for FactKindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such kind of fact")
    }
}

impl std::error::Error for FactKindError {}

impl FromStr for FactKind {
    type Err = FactKindError;

    fn from_str(text: &str) -> Result<Self, FactKindError> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(FactKindError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_as_it_is_written() {
        for kind in FactKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert_eq!("stepped".parse::<FactKind>(), Err(FactKindError));
    }
}
