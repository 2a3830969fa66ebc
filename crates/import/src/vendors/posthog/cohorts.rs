//! Cohorts of PostHog: groups of conditions, in groups. They become segments.

use super::properties::Properties;
use crate::input::Node;
use crate::model::{Condition, Segment};

/// Cohorts in cohorts are followed so far.
const DEEPEST: usize = 10;
/// More conditions of cohorts are not read for one group of conditions.
const MOST_CONDITIONS: usize = 10_000;

/// People in a cohort, or people who are not in it.
pub(super) fn condition(property: &Node, properties: &mut Properties<'_>) -> Condition {
    let Some(id) = property.get("value").and_then(Node::word) else {
        return Condition::Unknown("a cohort has no number".into());
    };
    let origin = format!("cohort {id}");
    if !properties.segments.iter().any(|segment| segment.origin == origin) {
        let condition = of(&id, properties, 0);
        properties.segments.push(Segment { origin: origin.clone(), title: None, condition });
    }
    Condition::Segment(origin).negated_if(property.text_at("operator") == Some("not_in"))
}

/// What a cohort asks for.
fn of(id: &str, properties: &mut Properties<'_>, depth: usize) -> Condition {
    let Some(group) = properties.cohorts.and_then(|cohorts| cohorts.get(id)).filter(|_| depth < DEEPEST) else {
        return Condition::Unknown(format!("the conditions of cohort {id} are not in the export"));
    };
    nested(group, properties, depth)
}

fn nested(group: &Node, properties: &mut Properties<'_>, depth: usize) -> Condition {
    let parts: Vec<_> = group.items_at("values").iter().map(|entry| part(entry, properties, depth)).collect();
    match group.text_at("type") {
        _ if parts.is_empty() => Condition::Always,
        Some("OR") => Condition::Any(parts),
        Some("AND") | None => Condition::All(parts),
        Some(other) => Condition::Unknown(format!("a cohort joins its conditions with `{other}`")),
    }
}

fn part(entry: &Node, properties: &mut Properties<'_>, depth: usize) -> Condition {
    properties.read += 1;
    if properties.read > MOST_CONDITIONS {
        return Condition::Unknown(format!("its cohorts have more than {MOST_CONDITIONS} conditions"));
    }
    if entry.get("values").is_some() || matches!(entry.text_at("type"), Some("AND" | "OR")) {
        return nested(entry, properties, depth);
    }
    let negated = entry.truth_at("negation") == Some(true);
    let condition = match (entry.text_at("type"), entry.get("value").and_then(Node::word)) {
        // A segment cannot name another one: the inner cohort is written out.
        (Some("cohort"), Some(id)) => {
            of(&id, properties, depth + 1).negated_if(entry.text_at("operator") == Some("not_in"))
        }
        _ => properties.one(entry),
    };
    condition.negated_if(negated)
}
