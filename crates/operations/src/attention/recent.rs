//! What happened last, of all flags.

use flagstaff_flags::{Fact, FactKind};
use jiff::Timestamp;
use serde::Serialize;

use crate::json;

/// Something that happened to a flag.
#[derive(Clone, Debug, Serialize)]
pub struct RecentFact {
    /// The flag.
    pub flag: String,
    /// When.
    #[serde(with = "json::time")]
    pub at: Timestamp,
    /// What.
    #[serde(with = "json::text")]
    pub kind: FactKind,
    /// A person, or what did it.
    pub by: String,
    /// Why, in words.
    pub why: String,
}

impl From<Fact> for RecentFact {
    fn from(fact: Fact) -> Self {
        Self { flag: fact.flag.to_string(), at: fact.at, kind: fact.kind, by: fact.by, why: fact.why }
    }
}
