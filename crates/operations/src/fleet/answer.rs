//! What is answered to the question who runs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The programs that run with a ledger, or ran with it within a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fleet {
    /// Those seen last first.
    pub programs: Vec<FleetProgram>,
}

impl Fleet {
    /// Whether nothing of it needs a person.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.programs.iter().all(|program| program.state == ProgramState::Running && program.notices.is_empty())
    }
}

/// One program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FleetProgram {
    /// The machine, as it calls itself.
    pub host: String,
    /// The number of the process there.
    pub process: u32,
    /// The version of the program.
    pub version: String,
    /// The environment whose overlay counts.
    pub environment: Option<String>,
    /// Where its flags come from.
    pub source: String,
    /// The revision of the flags in force.
    pub revision: String,
    /// In one word.
    pub state: ProgramState,
    /// When it started (RFC 3339).
    pub started: String,
    /// When it was there last (RFC 3339).
    pub seen: String,
    /// How long ago that is, in seconds.
    pub seconds_ago: u64,
    /// What needs a person, each in a sentence.
    pub notices: Vec<String>,
}

/// A program in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProgramState {
    /// It is there.
    Running,
    /// It is there, and serves other flags than were accepted last.
    Lagging,
    /// It was not seen for a while, and did not say that it ends.
    Silent,
}

impl ProgramState {
    /// As it is shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Lagging => "lagging",
            Self::Silent => "silent",
        }
    }
}
