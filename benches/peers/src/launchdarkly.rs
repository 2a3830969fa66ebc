//! LaunchDarkly's engine.

use launchdarkly_server_sdk_evaluation::{Context, ContextBuilder, Flag, FlagValue, Segment, Store, evaluate};
use serde_json::{Value, json};

use crate::engine::Engine;
use crate::population::{Kind, VARIANTS};

/// LaunchDarkly's grid for one percent.
const OF_A_PERCENT: u32 = 1000;

/// No other flags and no segments: none of these flags needs one.
struct Nothing;

impl Store for Nothing {
    fn flag(&self, _: &str) -> Option<Flag> {
        None
    }

    fn segment(&self, _: &str) -> Option<Segment> {
        None
    }
}

pub struct LaunchDarkly {
    flags: Vec<Flag>,
    contexts: Vec<Context>,
}

impl LaunchDarkly {
    pub fn new(flags: Vec<Value>, visitors: &[String]) -> Self {
        let flags = flags.into_iter().map(|flag| serde_json::from_value(flag).unwrap()).collect();
        let context = |id: &String| ContextBuilder::new(id.clone()).build().unwrap();
        Self { flags, contexts: visitors.iter().map(context).collect() }
    }
}

impl Engine for LaunchDarkly {
    fn name(&self) -> &'static str {
        "launchdarkly"
    }

    fn decide(&self, visitor: usize) -> usize {
        let context = &self.contexts[visitor];
        let is_on = |flag: &&Flag| {
            let value = evaluate(&Nothing, flag, context, None).value;
            value.is_some_and(|value| *value != FlagValue::Bool(false))
        };
        self.flags.iter().filter(is_on).count()
    }
}

fn flag(name: &str, on: bool, variations: &Value, fallthrough: &Value) -> Value {
    json!({
        "key": name, "version": 1, "on": on, "salt": name, "targets": [], "rules": [], "prerequisites": [],
        "variations": variations, "offVariation": 0, "fallthrough": fallthrough, "clientSide": false,
    })
}

/// The flags as LaunchDarkly sends them.
pub fn flags(flags: &[(String, Kind)]) -> Vec<Value> {
    let off_and_on = json!([false, true]);
    let one = |(name, kind): &(String, Kind)| match kind {
        Kind::Off => flag(name, false, &off_and_on, &json!({ "variation": 1 })),
        Kind::On => flag(name, true, &off_and_on, &json!({ "variation": 1 })),
        Kind::Percent(percent) => {
            let on = json!({ "variation": 1, "weight": percent * OF_A_PERCENT });
            let off = json!({ "variation": 0, "weight": (100 - percent) * OF_A_PERCENT });
            flag(name, true, &off_and_on, &json!({ "rollout": { "variations": [on, off] } }))
        }
        Kind::Variants => {
            let weights: Vec<_> = (0..)
                .zip(VARIANTS)
                .map(|(i, (_, weight)): (usize, _)| json!({ "variation": i, "weight": weight * OF_A_PERCENT }))
                .collect();
            let names = VARIANTS.map(|(variant, _)| variant);
            flag(name, true, &json!(names), &json!({ "rollout": { "variations": weights } }))
        }
    };
    flags.iter().map(one).collect()
}

/// A flag with a rule for each list.
pub fn rules(lists: &[Vec<String>]) -> Vec<Value> {
    let rule = |(i, list): (usize, &Vec<String>)| {
        let clause = json!({ "attribute": "key", "op": "in", "values": list, "negate": false });
        json!({ "id": i.to_string(), "variation": 1, "clauses": [clause], "trackEvents": false })
    };
    let mut flag = flag("listed", true, &json!([false, true]), &json!({ "variation": 0 }));
    flag["rules"] = lists.iter().enumerate().map(rule).collect();
    vec![flag]
}

/// A flag that is on for named users.
pub fn allowed(names: &[String]) -> Vec<Value> {
    let mut flag = flag("allowed", true, &json!([false, true]), &json!({ "variation": 0 }));
    flag["targets"] = json!([{ "values": names, "variation": 1 }]);
    vec![flag]
}
