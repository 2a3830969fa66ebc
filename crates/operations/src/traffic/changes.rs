//! What changed of the flags in force.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::flags::ListedFlag;

/// Other flags are in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FlagsChange {
    /// Their revision.
    pub revision: String,
    /// How many there are.
    pub flags: usize,
}

/// A flag's switch, rollout or guard changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FlagChange {
    /// The flag.
    pub flag: String,
    /// What it does now, in one word.
    pub state: String,
    /// The share of visitors that it has now (0 to 100).
    pub percent: f64,
    /// Whether its file says that it is on.
    pub enabled: bool,
}

impl From<&ListedFlag> for FlagChange {
    fn from(flag: &ListedFlag) -> Self {
        Self {
            flag: flag.name.clone(),
            state: flag.state.as_str().into(),
            percent: flag.percent.as_f64(),
            enabled: flag.enabled,
        }
    }
}

/// A listener was too slow: something was not told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Missed {
    /// How many were not told; none where that is not known.
    pub missed: Option<u64>,
}
