//! `user_bucket`: conditions that draw, as experiments do.

use crate::chain::{Draw, Get, Pick};
use crate::input::Node;
use crate::model::Hash;

/// So many buckets there are, each of so many thousandths of a percent.
const BUCKETS: u32 = 1000;
const WIDTH: u32 = 100;

/// What those in certain buckets get; the others go on.
///
/// # Errors
/// With the comparison, when it is not known.
pub(super) fn get(condition: &Node, unit: String, pick: Pick) -> Result<Get, String> {
    let salt = condition.at(&["additionalValues", "salt"]).and_then(Node::word).unwrap_or_default();
    let draw = Draw { hash: Hash::new("statsig").text("salt", salt).number("buckets", BUCKETS.into()), unit };
    let holds = of(condition)?;
    let parts = (0..BUCKETS).map(|bucket| ((bucket + 1) * WIDTH, holds(bucket).then_some(pick)));
    Ok(Get::parts(draw, parts))
}

/// Whether a bucket passes.
fn of(condition: &Node) -> Result<Box<dyn Fn(u32) -> bool + '_>, String> {
    let target = condition.get("targetValue");
    let bound = target.and_then(|target| target.number().or_else(|| target.text()?.trim().parse().ok()));
    let operator = condition.text_at("operator").unwrap_or_default();
    let listed: std::collections::HashSet<u32> =
        target.map_or(&[][..], Node::items).iter().filter_map(|one| one.word()?.parse().ok()).collect();
    Ok(match (operator, bound) {
        ("lt", Some(bound)) => Box::new(move |bucket| f64::from(bucket) < bound),
        ("lte", Some(bound)) => Box::new(move |bucket| f64::from(bucket) <= bound),
        ("gt", Some(bound)) => Box::new(move |bucket| f64::from(bucket) > bound),
        ("gte", Some(bound)) => Box::new(move |bucket| f64::from(bucket) >= bound),
        ("any" | "any_case_sensitive", _) => Box::new(move |bucket| listed.contains(&bucket)),
        ("none" | "none_case_sensitive", _) => Box::new(move |bucket| !listed.contains(&bucket)),
        (other, _) => return Err(format!("buckets are compared by `{other}`")),
    })
}
