//! PostHog: the answer of its local evaluation, or its list of feature flags.

mod cohorts;
mod properties;

use crate::chain::{Arm, Arms, Chain, Draw, Get, OFF, ON, Pick, Step, on_and_off};
use crate::error::ImportError;
use crate::input::{self, Node};
use crate::model::{Condition, Flag, Hash, Imported, Requirement, Share, weights};
use crate::options::Options;
use properties::Properties;

/// Reads an export.
pub(crate) fn read(bytes: &[u8], options: &Options) -> Result<Imported, ImportError> {
    let export = input::json(bytes)?;
    let list = [export.get("flags"), export.get("results"), Some(&export)].into_iter().flatten();
    let Some(flags) = list.into_iter().find_map(|node| if let Node::List(flags) = node { Some(flags) } else { None })
    else {
        let why = "there is no list `flags`; fetch /flags/definitions?send_cohorts with a secure API key";
        return Err(ImportError::shape("an answer of PostHog's local evaluation", why));
    };
    let reading =
        Reading { options, groups: export.entries_at("group_type_mapping"), cohorts: export.get("cohorts") };
    let mut imported = Imported::default();
    for flag in flags {
        imported.flags.push(reading.flag(flag, &mut imported.segments));
    }
    Ok(imported)
}

struct Reading<'a> {
    options: &'a Options,
    /// Names of the kinds of groups, by their numbers.
    groups: &'a [(String, Node)],
    cohorts: Option<&'a Node>,
}

impl Reading<'_> {
    fn flag(&self, node: &Node, segments: &mut Vec<crate::model::Segment>) -> Flag {
        let Some(key) = node.text_at("key") else { return Flag::refused("?", "It has no key.") };
        if node.truth_at("deleted") == Some(true) {
            return Flag::refused(key, "It is deleted in PostHog.");
        }
        let mut flag = Flag::new(key);
        flag.description = node.text_at("name").filter(|name| !name.is_empty()).map(Into::into);
        flag.created = node.text_at("created_at").and_then(|time| time.get(..10)).map(Into::into);
        flag.enabled = node.truth_at("active").unwrap_or(true);
        let nothing = Node::Null;
        let filters = node.get("filters").unwrap_or(&nothing);
        notes(node, filters, &mut flag);
        let (arms, drawn) = arms(filters, &mut flag);
        let draw = Draw { hash: Hash::new("posthog").text("key", key), unit: self.unit(node, filters, &mut flag) };
        let groups = filters.items_at("groups");
        flag.requires = requirements(groups);
        let steps = groups.iter().map(|group| self.step(group, filters, &arms, &draw, &mut flag, segments)).collect();
        Chain { arms, control: OFF, drawn, steps }.into_flag(&mut flag);
        flag
    }

    /// A group of conditions: those for whom they hold, up to a percentage.
    fn step(
        &self,
        group: &Node,
        filters: &Node,
        arms: &[Arm],
        draw: &Draw,
        flag: &mut Flag,
        segments: &mut Vec<crate::model::Segment>,
    ) -> Step {
        let mut properties =
            Properties { options: self.options, cohorts: self.cohorts, flag: &mut *flag, segments, read: 0 };
        let mut condition = properties.all(group.items_at("properties"));
        let other_kind = group.get("aggregation_group_type_index") != filters.get("aggregation_group_type_index");
        if other_kind && group.get("aggregation_group_type_index").is_some() {
            condition = Condition::Unknown("it draws by another kind of group than the flag".into());
        }
        let variant = group.text_at("variant").and_then(|name| arms.iter().skip(ON).position(|arm| arm.name == name));
        let pick = match variant {
            Some(place) => Pick::Arm(place + ON),
            None if arms.len() > 2 || is_multivariate(filters) => Pick::Drawn,
            None => Pick::Arm(ON),
        };
        let share =
            group.number_at("rollout_percentage").map_or(Share::EVERYBODY, |percent| exact_share(percent, flag));
        let mut get = Get::below(draw.clone(), share, pick);
        if filters.truth_at("early_exit") == Some(true) {
            get = get.or_else(Pick::Arm(OFF));
        }
        Step::new(condition, get)
    }

    /// Whose id is hashed.
    fn unit(&self, node: &Node, filters: &Node, flag: &mut Flag) -> String {
        let kind = filters.get("aggregation_group_type_index").and_then(Node::word);
        let by_device = [node, filters].iter().any(|node| node.text_at("bucketing_identifier") == Some("device_id"));
        let attribute = match kind {
            Some(kind) => self
                .groups
                .iter()
                .find(|(number, _)| *number == kind)
                .and_then(|(_, name)| name.text())
                .map_or_else(|| format!("group {kind}"), Into::into),
            None if by_device => "device_id".into(),
            None => "distinct_id".into(),
        };
        self.options.unit(&attribute, &mut flag.notes)
    }
}

fn is_multivariate(filters: &Node) -> bool {
    filters.at(&["multivariate", "variants"]).is_some_and(|variants| !variants.items().is_empty())
}

/// What the flag can be, and the weights of its variants. The first arm is off.
fn arms(filters: &Node, flag: &mut Flag) -> (Vec<Arm>, Vec<(usize, Share)>) {
    let variants = filters.at(&["multivariate", "variants"]).map_or(&[][..], Node::items);
    if variants.is_empty() {
        return (on_and_off(), Vec::new());
    }
    let mut arms = Arms(on_and_off().into_iter().take(1).collect());
    let mut percents = Vec::new();
    for variant in variants {
        let key = variant.get("key").and_then(Node::word).unwrap_or_default();
        arms.named(&key, Node::Text(key.clone()));
        percents.push(variant.number_at("rollout_percentage").unwrap_or_default());
    }
    let total: f64 = percents.iter().sum();
    if total < 99.999 {
        // Beyond the variants PostHog says true.
        arms.named("on", Node::Bool(true));
        percents.push(100.0 - total);
    }
    for percent in &percents {
        // Says where it is finer than a flag file's.
        exact_share(*percent, flag);
    }
    let drawn = weights(&percents).into_iter().enumerate().map(|(place, share)| (place + ON, share)).collect();
    (arms.0, drawn)
}

/// A percentage, with a note where it is finer than a flag file's.
fn exact_share(percent: f64, flag: &mut Flag) -> Share {
    let share = Share::percent(percent);
    if (percent * 1000.0 - f64::from(share.as_thousandths())).abs() > 1e-6 && (0.0..=100.0).contains(&percent) {
        flag.lost(format!("{percent} percent is {share} here: a flag file has thousandths of a percent."));
    }
    share
}

/// Flags that every group of conditions asks for; the others are conditions, which the flag file does not have.
fn requirements(groups: &[Node]) -> Vec<Requirement> {
    let of = |group: &Node| -> Vec<Requirement> {
        group.items_at("properties").iter().filter_map(properties::requirement).collect()
    };
    let Some((first, others)) = groups.split_first() else { return Vec::new() };
    of(first).into_iter().filter(|needed| others.iter().all(|group| of(group).contains(needed))).collect()
}

/// What is not carried of the flag as a whole.
fn notes(node: &Node, filters: &Node, flag: &mut Flag) {
    if node.truth_at("ensure_experience_continuity") == Some(true) {
        flag.lost("PostHog remembers what people got before they logged in. That memory is not in the export.");
    }
    if let Some(holdout) = filters.get("holdout") {
        let percent = holdout.number_at("exclusion_percentage").unwrap_or_default();
        flag.lost(format!("{percent} percent are held out of it in PostHog, by a draw of their own. See [holdout]."));
    }
    if filters.truth_at("feature_enrollment") == Some(true) || !filters.items_at("super_groups").is_empty() {
        flag.lost("People who enrolled in it themselves are known to PostHog only.");
    }
    let payloads = filters.entries_at("payloads");
    if !payloads.is_empty() {
        flag.metadata.push(("payloads".into(), Node::Table(payloads.to_vec())));
        flag.remark("Its payloads are under metadata.");
    }
}
