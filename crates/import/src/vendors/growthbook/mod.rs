//! GrowthBook: the features JSON that SDKs are given.
//!
//! `conditions` reads targeting conditions, `rule` reads rules, `ranges` reads coverage and weights.

mod conditions;
mod ranges;
mod rule;

use crate::error::ImportError;
use crate::input::{Node, json};
use crate::model::{Flag, Hash, Imported, Layer, Requirement, Share};
use crate::options::Options;
use crate::vendors::beyond_ascii;
use crate::vendors::plan::{Arms, Given, Plan, one_unit};
use conditions::Reading;

const WHAT: &str = "features of GrowthBook";

/// Reads features: the answer of GrowthBook's API for SDKs, or the table of features alone.
pub(crate) fn read(bytes: &[u8], options: &Options) -> Result<Imported, ImportError> {
    let root = json(bytes)?;
    let features = match root.get("features") {
        Some(features) => features.entries(),
        None => root.entries(),
    };
    let is_feature = |(_, node): &(String, Node)| node.is_table() && (node.entries().is_empty() || has_keys(node));
    if root.get("encryptedFeatures").is_some() {
        return Err(ImportError::shape(WHAT, "they are encrypted; decrypt them first"));
    }
    if (features.is_empty() && root.get("features").is_none()) || !features.iter().all(is_feature) {
        return Err(ImportError::shape(WHAT, "it has no `features` with `defaultValue`"));
    }
    let groups = root.entries_at("savedGroups").iter().map(|(name, node)| (name.as_str(), node)).collect();
    let reading = Reading { options, groups };
    let mut imported = Imported::default();
    for (name, node) in features {
        let (flag, slice) = flag(name, node, &reading);
        if let Some(slice) = slice {
            put(&mut imported, &flag, slice);
        }
        imported.flags.push(flag);
    }
    Ok(imported)
}

fn has_keys(node: &Node) -> bool {
    node.get("defaultValue").is_some()
        || node.get("rules").is_some()
        || node.entries().iter().any(|(key, _)| key == "defaultValue")
}

/// A part of a namespace.
pub(super) struct Slice {
    name: String,
    hash: Hash,
    parts: Vec<(Share, Share)>,
    /// The attribute that is hashed.
    attribute: String,
}

/// Puts a flag into the layer of its namespace. Where parts overlap, or the other flags go by another unit, that is another layer,
/// drawn the same way: all flags of one layer go by one unit.
fn put(imported: &mut Imported, flag: &Flag, slice: Slice) {
    let unit_of =
        |origin: &str| imported.flags.iter().find(|other| other.origin == origin).map(|other| &other.bucket_by);
    let alike = |layer: &Layer| layer.slices.iter().all(|(other, _)| unit_of(other) == Some(&flag.bucket_by));
    let overlaps = |layer: &Layer| {
        let taken = layer.slices.iter().flat_map(|(_, parts)| parts);
        taken.into_iter().any(|(from, to)| slice.parts.iter().any(|(a, b)| a < to && from < b))
    };
    let fits = |layer: &&mut Layer| layer.hash.as_ref() == Some(&slice.hash) && alike(layer) && !overlaps(layer);
    match imported.layers.iter_mut().find(fits) {
        Some(layer) => layer.slices.push((flag.origin.clone(), slice.parts)),
        None => imported.layers.push(Layer {
            origin: slice.name,
            hash: Some(slice.hash),
            slices: vec![(flag.origin.clone(), slice.parts)],
        }),
    }
}

fn flag(name: &str, node: &Node, reading: &Reading<'_>) -> (Flag, Option<Slice>) {
    let mut flag = Flag::new(name);
    let mut arms = Arms::default();
    let default = node.get("defaultValue").cloned().unwrap_or(Node::Null);
    let control = match default {
        Node::Null => {
            arms.with_off(Node::Bool(false));
            flag.remark("Its default value is null; here it is `off`.");
            "off".to_owned()
        }
        value => arms.of(&value),
    };
    let rules = node.items_at("rules");
    let mut unit = None;
    let mut slice = None;
    let mut steps = Vec::new();
    for (place, node) in rules.iter().enumerate() {
        let last = place + 1 == rules.len();
        let mut step = match rule::read(name, node, reading, &mut arms, last, &mut flag.notes) {
            Ok(read) => read,
            Err(why) => {
                flag.lost(format!("A rule is not carried: {why}."));
                continue;
            }
        };
        // A layer goes by the unit of its flags, so that a draw and a namespace hash one attribute here.
        let of_slice = step.slice.as_ref().map(|slice| slice.attribute.clone());
        for attribute in step.attribute.take().into_iter().chain(of_slice) {
            one_unit(&mut unit, &attribute, &mut flag.notes);
        }
        slice = step.slice.take().or(slice);
        for origin in step.needs.iter().filter(|_| !steps.is_empty()) {
            flag.lost(format!("It asks for `{origin}` behind other rules. Here they need that flag too."));
        }
        flag.requires.extend(step.needs.into_iter().map(|origin| Requirement { origin, variant: None }));
        steps.extend(step.step);
    }
    flag.bucket_by = unit.map(|attribute| reading.options.unit(&attribute, &mut flag.notes));
    beyond_ascii::remark(&mut flag, "GrowthBook's SDK for JavaScript");
    Plan { arms, rest: Given::Serve(control.clone()), control, steps }.put(&mut flag);
    (flag, slice)
}
