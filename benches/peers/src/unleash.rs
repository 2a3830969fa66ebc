//! Unleash's engine, Yggdrasil.

use serde_json::{Value, json};
use unleash_types::client_features::ClientFeatures;
use unleash_yggdrasil::{Context, EngineState, UpdateMessage};

use crate::engine::Engine;
use crate::population::{Kind, VARIANTS};

pub struct Unleash {
    engine: EngineState,
    /// The flags, and whether they have variants.
    flags: Vec<(String, bool)>,
    contexts: Vec<Context>,
}

impl Unleash {
    pub fn new(features: Value, visitors: &[String]) -> Self {
        let engine = EngineState::default();
        let flags = features["features"].as_array().unwrap().iter();
        let flags =
            flags.map(|flag| (flag["name"].as_str().unwrap().to_owned(), flag["variants"].is_array())).collect();
        let features: ClientFeatures = serde_json::from_value(features).unwrap();
        assert!(engine.take_state(UpdateMessage::FullResponse(features)).is_none(), "a warning");
        let context = |id: &String| Context { user_id: Some(id.clone()), ..Context::default() };
        Self { engine, flags, contexts: visitors.iter().map(context).collect() }
    }
}

impl Engine for Unleash {
    fn name(&self) -> &'static str {
        "yggdrasil"
    }

    fn decide(&self, visitor: usize) -> usize {
        let context = &self.contexts[visitor];
        let is_on = |(name, has_variants): &&(String, bool)| {
            if *has_variants {
                self.engine.get_variant(name, context, &None).enabled
            } else {
                self.engine.is_enabled(name, context, &None)
            }
        };
        self.flags.iter().filter(is_on).count()
    }
}

/// The flags as Unleash sends them.
pub fn features(flags: &[(String, Kind)]) -> Value {
    let everybody = json!([{ "name": "default", "parameters": {} }]);
    let one = |(name, kind): &(String, Kind)| match kind {
        Kind::Off => json!({ "name": name, "enabled": false, "strategies": everybody }),
        Kind::On => json!({ "name": name, "enabled": true, "strategies": everybody }),
        Kind::Percent(percent) => json!({ "name": name, "enabled": true, "strategies": [{
            "name": "flexibleRollout",
            "parameters": { "rollout": percent.to_string(), "stickiness": "userId", "groupId": name },
        }] }),
        Kind::Variants => {
            let variants = VARIANTS
                .map(|(variant, weight)| json!({ "name": variant, "weight": weight * 10, "stickiness": "userId" }));
            json!({ "name": name, "enabled": true, "strategies": everybody, "variants": variants })
        }
    };
    json!({ "version": 2, "features": flags.iter().map(one).collect::<Vec<_>>() })
}

/// A flag with a strategy for each list.
pub fn rules(lists: &[Vec<String>]) -> Value {
    let strategy = |list: &Vec<String>| {
        json!({ "name": "default", "parameters": {}, "constraints": [
            { "contextName": "userId", "operator": "IN", "values": list, "caseInsensitive": false, "inverted": false }
        ] })
    };
    let strategies: Vec<_> = lists.iter().map(strategy).collect();
    json!({ "version": 2, "features": [{ "name": "listed", "enabled": true, "strategies": strategies }] })
}

/// A flag that is on for named users.
pub fn allowed(names: &[String]) -> Value {
    let strategies = json!([{ "name": "userWithId", "parameters": { "userIds": names.join(",") } }]);
    json!({ "version": 2, "features": [{ "name": "allowed", "enabled": true, "strategies": strategies }] })
}
