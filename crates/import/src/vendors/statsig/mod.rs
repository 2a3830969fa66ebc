//! Statsig: what its servers send to SDKs (`download_config_specs`), the first and the second version.

mod allocation;
mod bucket;
mod conditions;

use std::collections::HashMap;

use crate::chain::{Arm, Arms, Chain, Draw, Get, OFF, ON, Pick, Step, on_and_off};
use crate::error::ImportError;
use crate::input::{self, Node};
use crate::known_id;
use crate::model::{Condition, Flag, Hash, Imported, Layer, Share};
use crate::options::Options;
use conditions::Conditions;

/// Reads specs.
pub(crate) fn read(bytes: &[u8], options: &Options) -> Result<Imported, ImportError> {
    let specs = input::json(bytes)?;
    if specs.get("feature_gates").is_none() && specs.get("dynamic_configs").is_none() {
        let why = "there are neither `feature_gates` nor `dynamic_configs`; fetch https://api.statsigcdn.com/v2/download_config_specs/SECRET_KEY.json";
        return Err(ImportError::shape("specs of Statsig", why));
    }
    let reading = Reading { known: Known::of(&specs), options };
    let mut imported = Imported::default();
    for (name, gate) in named(&specs, "feature_gates") {
        // Segments are gates that other gates ask for: they are written where they are asked for.
        if !name.starts_with("segment:") {
            imported.flags.push(reading.flag(&name, gate, true, &mut imported.layers));
        }
    }
    for (name, config) in named(&specs, "dynamic_configs") {
        imported.flags.push(reading.flag(&name, config, false, &mut imported.layers));
    }
    for (name, _) in named(&specs, "layer_configs") {
        let why = "It is a layer: its parameters come from experiments, which are carried on their own.";
        imported.flags.push(Flag::refused(name, why));
    }
    Ok(imported)
}

/// Specs with their names: a list, or a table by name.
fn named<'a>(specs: &'a Node, key: &str) -> Vec<(String, &'a Node)> {
    match specs.get(key) {
        Some(Node::Table(entries)) => entries.iter().map(|(name, spec)| (name.clone(), spec)).collect(),
        Some(Node::List(list)) => {
            list.iter().filter_map(|spec| Some((spec.text_at("name")?.to_owned(), spec))).collect()
        }
        _ => Vec::new(),
    }
}

/// Gates and conditions by their names.
struct Known<'a> {
    gates: HashMap<String, &'a Node>,
    conditions: HashMap<&'a str, &'a Node>,
}

impl<'a> Known<'a> {
    fn of(specs: &'a Node) -> Self {
        let conditions = specs.entries_at("condition_map").iter().map(|(name, node)| (name.as_str(), node)).collect();
        Self { gates: named(specs, "feature_gates").into_iter().collect(), conditions }
    }
}

struct Reading<'a> {
    known: Known<'a>,
    options: &'a Options,
}

impl Reading<'_> {
    fn flag(&self, name: &str, spec: &Node, is_gate: bool, layers: &mut Vec<Layer>) -> Flag {
        let mut flag = Flag::new(name);
        let nothing = Node::Null;
        let default = spec.get("defaultValue").unwrap_or(&nothing);
        let is_on = spec.truth_at("enabled") != Some(false);
        let mut arms = if is_gate { Arms(on_and_off()) } else { Arms::default() };
        let control = if is_gate { truth(default) } else { arms.named("default", default.clone()) };
        if !is_on && is_gate && control == OFF {
            flag.enabled = false;
        }
        let mut steps = Vec::new();
        for rule in spec.items_at("rules").iter().filter(|_| is_on) {
            let pick = if is_gate { gate_pick(rule) } else { config_pick(rule, &mut arms) };
            steps.push(self.step(rule, spec, Pick::Arm(pick), control, &mut flag));
        }
        if let Some(layer) = allocation::layer(name, &mut steps, control) {
            flag.remark("Who takes part at all is drawn apart: the layer of its name has their part.");
            layers.push(layer);
        }
        Chain { arms: arms.0, control, drawn: Vec::new(), steps }.into_flag(&mut flag);
        flag
    }

    /// A rule: those for whom its conditions hold, a share of them, or those in certain buckets.
    fn step(&self, rule: &Node, spec: &Node, pick: Pick, control: usize, flag: &mut Flag) -> Step {
        let mut conditions =
            Conditions { known: &self.known, options: self.options, notes: &mut flag.notes, read: 0 };
        let (buckets, others) = conditions.of_rule(rule);
        let condition = conditions.all(&others);
        let get = self.share(rule, spec, pick, control, flag);
        let Some(bucket) = buckets.first() else { return Step::new(condition, get) };
        let refuse = |why: &str| Step::new(Condition::Unknown(why.into()), Get::arm(control));
        let Get::Pick(pick) = get else { return refuse("a rule has buckets and a percentage") };
        if buckets.len() > 1 {
            return refuse("a rule has buckets of two draws");
        }
        let unit = self.options.unit(id_type(bucket), &mut flag.notes);
        hashes_nothing(id_type(bucket), &unit, flag);
        match bucket::get(bucket, unit, pick) {
            Ok(get) => Step::new(condition, get),
            Err(why) => refuse(&why),
        }
    }

    fn share(&self, rule: &Node, spec: &Node, pick: Pick, control: usize, flag: &mut Flag) -> Get {
        let percent = rule.number_at("passPercentage").unwrap_or(100.0);
        if percent >= 100.0 {
            return Get::Pick(pick);
        }
        let text = |node: &Node, key: &str| node.get(key).and_then(Node::word);
        let salt = text(rule, "salt").or_else(|| text(rule, "id")).unwrap_or_default();
        let salt = format!("{}.{salt}", text(spec, "salt").unwrap_or_default());
        let unit = self.options.unit(id_type(rule), &mut flag.notes);
        hashes_nothing(id_type(rule), &unit, flag);
        let draw = Draw { hash: Hash::new("statsig").text("salt", salt), unit };
        // A share of a bucket is the whole bucket.
        let share = Share::percent((percent * 100.0 - 1e-9).ceil() / 100.0);
        Get::below(draw, share, pick).or_else(Pick::Arm(control))
    }
}

/// Statsig draws those whose id is not known, all alike, by the salt alone.
fn hashes_nothing(id: &str, unit: &str, flag: &mut Flag) {
    if known_id::unknown(unit).is_some() {
        flag.lost(format!(
            "Who has no `{id}` is drawn by the salt alone there, and here gets what those get whom a rule leaves out. With --unit {id}=visitor (or session) everybody has an id."
        ));
    }
}

fn id_type(node: &Node) -> &str {
    node.text_at("idType").filter(|id| !id.is_empty()).unwrap_or("userID")
}

fn truth(value: &Node) -> usize {
    if value.truth() == Some(true) { ON } else { OFF }
}

/// What a rule of a gate gives: on, unless it says false.
fn gate_pick(rule: &Node) -> usize {
    if rule.truth_at("returnValue") == Some(false) { OFF } else { ON }
}

fn config_pick(rule: &Node, arms: &mut Arms) -> usize {
    let value = rule.get("returnValue").cloned().unwrap_or(Node::Null);
    let name =
        rule.text_at("groupName").or_else(|| rule.text_at("name")).filter(|name| !name.is_empty()).unwrap_or("value");
    let same = |arm: &Arm| arm.value.as_ref() == Some(&value);
    arms.0.iter().position(same).unwrap_or_else(|| arms.named(name, value.clone()))
}
