//! How often each flag was asked for.

use flagstaff_layer::AskedFlag;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How often a flag was asked for since the start: by requests that count, on which it is met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FlagTraffic {
    /// The flag.
    pub flag: String,
    /// Requests of all variants.
    pub requests: u64,
    /// Requests by variant, in the order of the file.
    pub variants: Vec<VariantTraffic>,
    /// When it was asked for last (RFC 3339); none: never.
    pub last: Option<String>,
    /// Requests in each of the last spans of ten seconds, the oldest first; thirty at most.
    pub history: Vec<u64>,
}

/// How often a variant was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VariantTraffic {
    /// The variant.
    pub variant: String,
    /// Requests that got it.
    pub requests: u64,
}

impl From<AskedFlag> for FlagTraffic {
    fn from(asked: AskedFlag) -> Self {
        Self {
            requests: asked.requests(),
            variants: asked
                .variants
                .into_iter()
                .map(|(variant, requests)| VariantTraffic { variant, requests })
                .collect(),
            flag: asked.flag,
            last: asked.last.map(|last| format!("{last:.0}")),
            history: asked.history,
        }
    }
}
