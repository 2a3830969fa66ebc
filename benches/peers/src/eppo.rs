//! Eppo's engine.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use eppo_core::eval::get_assignment;
use eppo_core::ufc::UniversalFlagConfig;
use eppo_core::{Attributes, Configuration, SdkMetadata, Str};
use serde_json::{Map, Value, json};

use crate::engine::Engine;
use crate::population::{Kind, VARIANTS};

/// Eppo's grid: hundredths of a percent.
const SHARDS: u32 = 10_000;

pub struct Eppo {
    configuration: Configuration,
    flags: Vec<String>,
    visitors: Vec<(Str, Arc<Attributes>)>,
    now: DateTime<Utc>,
}

impl Eppo {
    pub fn new(flags: Map<String, Value>, visitors: &[String]) -> Self {
        let names = flags.keys().cloned().collect();
        let all = json!({
            "createdAt": "2026-01-01T00:00:00Z", "format": "SERVER", "environment": { "name": "bench" }, "flags": flags,
        });
        let metadata = SdkMetadata { name: "bench", version: "0" };
        let config = UniversalFlagConfig::from_json(metadata, serde_json::to_vec(&all).unwrap()).unwrap();
        let visitors = visitors.iter().map(|id| (Str::new(id), Arc::new(Attributes::new()))).collect();
        let configuration = Configuration::from_server_response(config, None);
        Self { configuration, flags: names, visitors, now: Utc::now() }
    }
}

impl Engine for Eppo {
    fn name(&self) -> &'static str {
        "eppo_core"
    }

    fn decide(&self, visitor: usize) -> usize {
        let (key, attributes) = &self.visitors[visitor];
        let is_on = |flag: &&String| {
            get_assignment(Some(&self.configuration), flag, key, attributes, None, self.now)
                .is_ok_and(|it| it.is_some())
        };
        self.flags.iter().filter(is_on).count()
    }
}

fn flag(name: &str, enabled: bool, variants: &[&str], allocations: &Value) -> (String, Value) {
    let variations: Map<_, _> =
        variants.iter().map(|variant| ((*variant).to_owned(), json!({ "key": variant, "value": variant }))).collect();
    let flag = json!({
        "key": name, "enabled": enabled, "variationType": "STRING", "variations": variations,
        "allocations": allocations, "totalShards": SHARDS,
    });
    (name.to_owned(), flag)
}

/// The variant for those who fall in a range.
fn split(variant: &str, salt: &str, start: u32, end: u32) -> Value {
    json!({ "variationKey": variant, "shards": [{ "salt": salt, "ranges": [{ "start": start, "end": end }] }] })
}

/// The flags as Eppo sends them.
pub fn flags(flags: &[(String, Kind)]) -> Map<String, Value> {
    let everybody = json!([{ "key": "all", "splits": [{ "variationKey": "on", "shards": [] }], "doLog": false }]);
    let one = |(name, kind): &(String, Kind)| match kind {
        Kind::Off => flag(name, false, &["on"], &everybody),
        Kind::On => flag(name, true, &["on"], &everybody),
        Kind::Percent(percent) => {
            let splits = [split("on", name, 0, percent * SHARDS / 100)];
            flag(name, true, &["on"], &json!([{ "key": "share", "splits": splits, "doLog": false }]))
        }
        Kind::Variants => {
            let mut from = 0;
            let splits = VARIANTS.map(|(variant, weight)| {
                let to = from + weight * SHARDS / 100;
                split(variant, name, std::mem::replace(&mut from, to), to)
            });
            let variants = VARIANTS.map(|(variant, _)| variant);
            flag(name, true, &variants, &json!([{ "key": "split", "splits": splits, "doLog": false }]))
        }
    };
    flags.iter().map(one).collect()
}

/// A flag with an allocation for each list.
pub fn rules(lists: &[Vec<String>]) -> Map<String, Value> {
    let allocation = |(i, list): (usize, &Vec<String>)| {
        json!({
            "key": format!("list-{i}"),
            "rules": [{ "conditions": [{ "attribute": "id", "operator": "ONE_OF", "value": list }] }],
            "splits": [{ "variationKey": "on", "shards": [] }],
            "doLog": false,
        })
    };
    let allocations: Vec<_> = lists.iter().enumerate().map(allocation).collect();
    [flag("listed", true, &["on"], &Value::Array(allocations))].into_iter().collect()
}
