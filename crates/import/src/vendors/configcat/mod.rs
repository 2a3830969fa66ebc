//! ConfigCat: the config JSON that its SDKs fetch, version 6.

mod conditions;

use crate::chain::{Arms, Chain, Draw, Get, Step};
use crate::error::ImportError;
use crate::input::{self, Node};
use crate::model::{Condition, Flag, Hash, Imported, Segment, Share};
use crate::options::Options;
use conditions::Conditions;

/// Reads a config.
pub(crate) fn read(bytes: &[u8], options: &Options) -> Result<Imported, ImportError> {
    let config = input::json(bytes)?;
    let Some(Node::Table(settings)) = config.get("f") else {
        let why = "there is no table `f` of settings; fetch https://cdn-global.configcat.com/configuration-files/SDK_KEY/config_v6.json";
        return Err(ImportError::shape("a config JSON of ConfigCat, version 6", why));
    };
    let segments = config.items_at("s");
    let mut imported = Imported::default();
    for (key, setting) in settings {
        imported.flags.push(flag(key, setting, segments, options));
    }
    imported.segments =
        segments.iter().enumerate().map(|(place, segment)| read_segment(place, segment, options)).collect();
    Ok(imported)
}

/// The name of a segment: its config has only its first letters.
fn segment_name(place: usize) -> String {
    format!("segment {}", place + 1)
}

fn read_segment(place: usize, segment: &Node, options: &Options) -> Segment {
    // What is not mapped is noted on each flag that asks for the segment.
    let mut unheard = Flag::default();
    let mut reading = Conditions { options, segments: &[], flag: &mut unheard };
    let all = segment.items_at("r").iter().map(|condition| reading.of_user(condition)).collect();
    let title = segment.text_at("n").map(|name| format!("{name}…"));
    Segment { origin: segment_name(place), title, condition: Condition::All(all) }
}

fn flag(key: &str, setting: &Node, segments: &[Node], options: &Options) -> Flag {
    let mut flag = Flag::new(key);
    let mut arms = Arms::default();
    let Some(control) = value(setting).map(|value| arms.of(&value)) else {
        return Flag::refused(key, "It has no value.");
    };
    let unit = options.unit(setting.text_at("a").unwrap_or("Identifier"), &mut flag.notes);
    let draw = Draw { hash: Hash::new("configcat").text("key", key), unit };
    let mut steps = Vec::new();
    for rule in setting.items_at("r") {
        let condition = Conditions { options, segments, flag: &mut flag }.all(rule.items_at("c"));
        match get(rule, &draw, &mut arms) {
            Some(get) => steps.push(Step::new(condition, get)),
            None => flag.lost("A rule has neither a value nor percentages."),
        }
    }
    if let Some(get) = percentages(setting, &draw, &mut arms) {
        steps.push(Step::new(Condition::Always, get));
    }
    Chain { arms: arms.0, control, drawn: Vec::new(), steps }.into_flag(&mut flag);
    flag
}

/// What a rule serves: one value, or values by percentage.
fn get(rule: &Node, draw: &Draw, arms: &mut Arms) -> Option<Get> {
    match rule.get("s").and_then(value) {
        Some(value) => Some(Get::arm(arms.of(&value))),
        None => percentages(rule, draw, arms),
    }
}

fn percentages(node: &Node, draw: &Draw, arms: &mut Arms) -> Option<Get> {
    let options = node.items_at("p");
    if options.is_empty() {
        return None;
    }
    let weight = |option: &Node| Some((arms.of(&value(option)?), Share::percent(option.number_at("p")?)));
    let weights: Option<Vec<_>> = options.iter().map(weight).collect();
    weights.map(|weights| Get::weighted(draw.clone(), weights))
}

/// The value of a setting, a rule or a percentage: a truth value, a text or a number.
fn value(node: &Node) -> Option<Node> {
    let value = node.get("v")?;
    ["b", "s", "i", "d"].into_iter().find_map(|kind| value.get(kind)).cloned()
}
