//! Requests that got their flags and were not counted.

use std::collections::BTreeMap;

use flagstaff_layer::LeftOut;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Requests of one kind that were not counted since the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotCountedRequests {
    /// Why, as `flagstaff_not_counted_total` says it: `bot`, `prefetch`, …
    pub reason: String,
    /// How many.
    pub requests: u64,
}

impl NotCountedRequests {
    /// All reasons, those with most requests first.
    #[must_use]
    pub fn of_all(left_out: &[LeftOut]) -> Vec<Self> {
        let mut all: BTreeMap<&str, u64> = BTreeMap::new();
        for one in left_out {
            *all.entry(one.reason.as_str()).or_default() += one.requests;
        }
        let of = |(reason, requests): (&str, u64)| Self { reason: reason.into(), requests };
        let mut all: Vec<_> = all.into_iter().map(of).filter(|one| one.requests > 0).collect();
        all.sort_by_key(|one| std::cmp::Reverse(one.requests));
        all
    }

    /// The kind in words, as what was left out.
    #[must_use]
    pub fn words(&self) -> &str {
        match self.reason.as_str() {
            "bot" => "of bots",
            "prefetch" => "prefetches",
            "excluded" => "excluded by the settings",
            "consent" => "without consent",
            "endpoint" => "to our own endpoints",
            "cross_site" => "from other sites",
            "no_id" => "without an id",
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use flagstaff_tag::NotCounted;

    use super::*;

    #[test]
    fn patterns_of_one_reason_are_added_up() {
        let of = |reason, pattern: &str, requests| LeftOut { reason, pattern: pattern.into(), requests };
        let all = [
            of(NotCounted::Prefetch, "", 3),
            of(NotCounted::Bot, "^curl", 2),
            of(NotCounted::Bot, "bot", 7),
            of(NotCounted::NoId, "", 0),
        ];
        let told = NotCountedRequests::of_all(&all);
        let told: Vec<_> = told.iter().map(|one| (one.reason.as_str(), one.words(), one.requests)).collect();
        assert_eq!(told, [("bot", "of bots", 9), ("prefetch", "prefetches", 3)]);
    }
}
