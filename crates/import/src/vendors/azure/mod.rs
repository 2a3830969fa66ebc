//! Azure App Configuration: feature management JSON of Microsoft's schema and of .NET's, and exports of key-values.

mod filters;
mod schema;

use crate::chain::{Arm, Arms, Chain, Draw, Get, OFF, ON, Pick, Step, on_and_off};
use crate::error::ImportError;
use crate::input::{self, Node};
use crate::model::{Condition, Flag, Hash, Imported, Share};
use crate::options::Options;
use filters::Filters;
use schema::get;

/// Reads a configuration.
pub(crate) fn read(bytes: &[u8], options: &Options) -> Result<Imported, ImportError> {
    let file = input::json(bytes)?;
    let Some(flags) = schema::flags(&file, options) else {
        let why = "there is neither `feature_management.feature_flags` nor `FeatureManagement`, nor an item whose key begins with \
                   .appconfig.featureflag/";
        return Err(ImportError::shape("feature management of Azure App Configuration", why));
    };
    let flags = flags.iter().map(|(name, node)| flag(name, node, options)).collect();
    Ok(Imported { flags, ..Imported::default() })
}

fn flag(name: &str, node: &Node, options: &Options) -> Flag {
    let mut flag = Flag::new(name);
    flag.description = get(node, "description").and_then(Node::text).filter(|text| !text.is_empty()).map(Into::into);
    let variants = get(node, "variants").map_or(&[][..], Node::items);
    if variants.is_empty() {
        flag.enabled = schema::is_enabled(node);
        let steps = Filters { name, options, flag: &mut flag }.steps(node);
        let is_random = filters::random(node);
        Chain { arms: on_and_off(), control: OFF, drawn: Vec::new(), steps }.into_flag(&mut flag);
        if let Some(percent) = is_random {
            flag.percent = Some(Share::percent(percent));
            flag.bucket_by = Some("request".into());
        }
    } else {
        allocated(name, node, variants, options, &mut flag);
    }
    flag
}

/// A flag with variants: who is named, then groups, then parts of a number, then the default.
fn allocated(name: &str, node: &Node, variants: &[Node], options: &Options, flag: &mut Flag) {
    let mut reading = Variants { arms: Arms::default() };
    for variant in variants {
        reading.add(variant);
    }
    let allocation = get(node, "allocation").cloned().unwrap_or(Node::Null);
    let disabled = reading.named(get(&allocation, "default_when_disabled"), false);
    let enabled = reading.named(get(&allocation, "default_when_enabled"), true);
    let mut steps = Vec::new();
    if schema::is_enabled(node) {
        match (Filters { name, options, flag: &mut *flag }).condition(node) {
            Condition::Always => {}
            condition => steps.push(Step::new(condition.negated(), Get::arm(disabled))),
        }
        steps.extend(reading.steps(name, &allocation, options, flag));
        steps.push(Step::new(Condition::Always, Get::arm(enabled)));
    } else {
        steps.push(Step::new(Condition::Always, Get::arm(disabled)));
    }
    let control = if schema::is_enabled(node) { enabled } else { disabled };
    Chain { arms: reading.arms.0, control, drawn: Vec::new(), steps }.into_flag(flag);
}

struct Variants {
    arms: Arms,
}

impl Variants {
    fn add(&mut self, variant: &Node) {
        let name = get(variant, "name").and_then(Node::word).unwrap_or_default();
        let value = get(variant, "configuration_value").cloned().unwrap_or_else(|| Node::Text(name.clone()));
        self.arms.named(&name, value);
    }

    /// The arm of a variant; without one the flag is on or off.
    fn named(&mut self, name: Option<&Node>, truth: bool) -> usize {
        let name = name.and_then(Node::word);
        let is_it = |arm: &Arm| Some(&arm.name) == name.as_ref();
        self.arms.0.iter().position(is_it).unwrap_or_else(|| self.arms.of(&Node::Bool(truth)))
    }

    fn steps(&mut self, name: &str, allocation: &Node, options: &Options, flag: &mut Flag) -> Vec<Step> {
        let list = |key: &str| get(allocation, key).map_or(&[][..], Node::items);
        let words = |node: &Node, key: &str| -> Vec<String> {
            get(node, key).map_or(&[][..], Node::items).iter().filter_map(Node::word).collect()
        };
        let user = options.key("userId", &mut flag.notes);
        let mut steps = Vec::new();
        for one in list("user") {
            let arm = self.named(get(one, "variant"), true);
            steps.push(Step::new(Condition::words(user.clone(), words(one, "users")), Get::arm(arm)));
        }
        for one in list("group") {
            let arm = self.named(get(one, "variant"), true);
            steps.push(Step::new(Condition::words("group", words(one, "groups")), Get::arm(arm)));
        }
        let seed = get(allocation, "seed").and_then(Node::word).unwrap_or_else(|| format!("allocation\n{name}"));
        let draw = Draw { hash: Hash::new("azure").text("key", seed), unit: options.unit("userId", &mut flag.notes) };
        for one in list("percentile") {
            let arm = self.named(get(one, "variant"), true);
            let end = |key| Share::percent(get(one, key).and_then(Node::number).unwrap_or_default()).as_thousandths();
            let parts = [(end("from"), None), (end("to"), Some(Pick::Arm(arm))), (100_000, None)];
            steps.push(Step::new(Condition::Always, Get::parts(draw.clone(), parts.into_iter())));
        }
        steps
    }
}

/// What a step of a flag of off and on gives.
fn on() -> Get {
    Get::arm(ON)
}
