//! LaunchDarkly: the flag data file that its SDKs read, which is also what its relay and its API give to servers.
//!
//! `clauses` reads clauses and segments, `rollout` reads rollouts.

mod clauses;
mod rollout;

use crate::error::ImportError;
use crate::input::{Node, json_or_yaml};
use crate::model::{Condition, Flag, Imported, Note, Segment};
use crate::options::Options;
use crate::vendors::plan::{Arms, Given, Plan, Step};
use rollout::Rollouts;

const WHAT: &str = "flag data of LaunchDarkly";

/// Reads flag data.
pub(crate) fn read(bytes: &[u8], options: &Options) -> Result<Imported, ImportError> {
    let root = json_or_yaml(bytes)?;
    // The SDKs' polling answer has everything under `data`.
    let root = root.get("data").filter(|data| data.get("flags").is_some()).unwrap_or(&root);
    let (flags, values) = (root.get("flags"), root.get("flagValues"));
    if !flags.or(values).is_some_and(Node::is_table) {
        return Err(ImportError::shape(WHAT, "it has neither `flags` nor `flagValues`"));
    }
    let mut notes = Vec::new();
    let segments = root.entries_at("segments").iter();
    let segments = segments.map(|(key, node)| segment(key, node, options, &mut notes)).collect();
    let mut imported = Imported { segments, notes, ..Imported::default() };
    for (key, node) in root.entries_at("flags") {
        imported.flags.push(flag(key, node, root, options));
    }
    imported.flags.extend(root.entries_at("flagValues").iter().map(|(key, value)| fixed(key, value)));
    Ok(imported)
}

fn segment(key: &str, node: &Node, options: &Options, notes: &mut Vec<Note>) -> Segment {
    Segment { origin: key.to_owned(), title: None, condition: clauses::segment(node, options, notes) }
}

/// A flag that has the same value for everybody.
fn fixed(key: &str, value: &Node) -> Flag {
    let mut flag = Flag::new(key);
    let mut arms = Arms::default();
    let control = arms.of(value);
    Plan { arms, rest: Given::Serve(control.clone()), control, steps: Vec::new() }.put(&mut flag);
    flag
}

/// A flag, and the names of its variations.
pub(super) struct Variations {
    names: Vec<String>,
    values: Vec<Node>,
}

impl Variations {
    fn new(node: &Node, arms: &mut Arms) -> Self {
        let values: Vec<Node> = node.items_at("variations").to_vec();
        let mut names: Vec<String> = Vec::new();
        for value in &values {
            let name = arms.of(value);
            names.push(if names.contains(&name) { arms.another(value) } else { name });
        }
        Self { names, values }
    }

    fn name(&self, index: Option<&Node>) -> Option<String> {
        self.names.get(usize::try_from(index?.whole()?).ok()?).cloned()
    }
}

fn flag(key: &str, node: &Node, root: &Node, options: &Options) -> Flag {
    if node.truth_at("deleted") == Some(true) {
        return Flag::refused(key, "it is deleted");
    }
    let mut flag = Flag::new(key);
    let mut arms = Arms::default();
    let variations = Variations::new(node, &mut arms);
    if variations.names.is_empty() {
        return Flag::refused(key, "it has no variations");
    }
    flag.enabled = node.truth_at("on") == Some(true);
    flag.client = node
        .at(&["clientSideAvailability", "usingEnvironmentId"])
        .or_else(|| node.get("clientSide"))
        .and_then(Node::truth)
        == Some(true);
    needs(&mut flag, node, root);
    let off = variations.name(node.get("offVariation"));
    let mut rollouts = Rollouts::new(key, node, &variations);
    let mut steps = targets(node, &variations, options, &mut flag.notes);
    for rule in node.items_at("rules") {
        let condition = clauses::all(rule.items_at("clauses"), options, &mut flag.notes);
        match rollouts.given(rule, &mut arms, &mut flag.notes) {
            Ok(given) => {
                let comment = rule.text_at("description").filter(|text| !text.is_empty()).map(ToOwned::to_owned);
                steps.push(Step { comment, ..Step::new(condition, given) });
            }
            Err(why) => flag.lost(format!("A rule is not carried: {why}.")),
        }
    }
    let rest = match node.get("fallthrough").map(|rest| rollouts.given(rest, &mut arms, &mut flag.notes)) {
        Some(Ok(given)) => Some(given),
        Some(Err(why)) => {
            flag.lost(format!("What everybody else gets is not carried: {why}."));
            None
        }
        None => None,
    };
    flag.bucket_by = rollouts.unit().map(|attribute| options.unit(&attribute, &mut flag.notes));
    if off.as_deref() == Some("on") && arms.has("off") {
        flag.lost("It gives true while it is off there; here a flag that is off gives false.");
    }
    off_value(&mut arms, off.as_deref(), &variations);
    let control = off.clone().or_else(|| variations.names.first().cloned()).unwrap_or_default();
    let rest = rest.unwrap_or_else(|| Given::Serve(control.clone()));
    Plan { arms, control, steps, rest }.put(&mut flag);
    flag
}

/// What a flag that is off gives: `off` has its value.
fn off_value(arms: &mut Arms, off: Option<&str>, variations: &Variations) {
    let is_plain = off == Some("off");
    let place = variations.names.iter().position(|name| Some(name.as_str()) == off);
    if let Some(value) = place.and_then(|place| variations.values.get(place)).filter(|_| !is_plain) {
        arms.with_off(value.clone());
    }
}

/// Flags that must have a variation.
fn needs(flag: &mut Flag, node: &Node, root: &Node) {
    for need in node.items_at("prerequisites") {
        let Some(origin) = need.text_at("key") else { continue };
        let other = root.entries_at("flags").iter().find(|(key, _)| key == origin);
        let mut arms = Arms::default();
        let variant = other.and_then(|(_, other)| Variations::new(other, &mut arms).name(need.get("variation")));
        let is_split = other.is_some_and(|(_, other)| rollout::splits(other, need.get("variation")));
        match variant {
            Some(_) if is_split => flag.lost(format!(
                "It needs a variation of `{origin}` that a rollout splits into parts, each of them a variant here; a flag needs one variant, so it is not asked for."
            )),
            Some(variant) => flag.needs_variant(origin, &variant),
            None => flag.lost(format!("It needs a variation of `{origin}`, which is not in the data.")),
        }
    }
}

/// People, and other contexts, who are named one by one.
fn targets(node: &Node, variations: &Variations, options: &Options, notes: &mut Vec<Note>) -> Vec<Step> {
    let of = |target: &Node| target.items_at("values").iter().filter_map(Node::word).collect::<Vec<_>>();
    let mut steps = Vec::new();
    for (kind, target) in in_order(node).into_iter().filter(|(_, target)| !target.items_at("values").is_empty()) {
        let Some(name) = variations.name(target.get("variation")) else {
            Note::add(notes, Note::lost("A target names no variation of the flag."));
            continue;
        };
        let key = options.key(&clauses::attribute(kind, "key"), notes);
        steps.push(Step::new(Condition::words(key, of(target)), Given::Serve(name)));
    }
    steps
}

/// Targets with their kinds of contexts, in the order in which they are asked. Where there are `contextTargets`, they alone say the
/// order: one of users stands for those users whom `targets` has for its variation, and has no values of its own.
fn in_order(node: &Node) -> Vec<(&str, &Node)> {
    let users = node.items_at("targets");
    let contexts = node.items_at("contextTargets");
    if contexts.is_empty() {
        return users.iter().map(|target| ("user", target)).collect();
    }
    let of_variation = |wanted: &Node| users.iter().find(|users| users.get("variation") == wanted.get("variation"));
    let target = |target| match Node::text_at(target, "contextKind").unwrap_or("user") {
        "user" | "" => of_variation(target).map(|users| ("user", users)),
        kind => Some((kind, target)),
    };
    contexts.iter().filter_map(target).collect()
}
