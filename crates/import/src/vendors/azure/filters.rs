//! Filters: targeting, windows of time and random percentages.

use super::schema::{filters, get};
use super::{Draw, Get, Hash, ON, Pick, Share, Step, on};
use crate::input::Node;
use crate::model::{Condition, Flag};
use crate::options::Options;

/// Reads the filters of one flag.
pub(super) struct Filters<'a> {
    pub(super) name: &'a str,
    pub(super) options: &'a Options,
    pub(super) flag: &'a mut Flag,
}

fn kind(filter: &Node) -> &str {
    let name = get(filter, "name").and_then(Node::text).unwrap_or_default();
    name.strip_prefix("Microsoft.").unwrap_or(name)
}

/// The percentage of requests, where that is the only filter.
pub(super) fn random(node: &Node) -> Option<f64> {
    match filters(node).0 {
        [filter] if kind(filter) == "Percentage" => Some(percentage(filter)),
        _ => None,
    }
}

fn percentage(filter: &Node) -> f64 {
    let value = get(filter, "parameters").and_then(|parameters| get(parameters, "Value"));
    value.and_then(Node::word).and_then(|word| word.parse().ok()).unwrap_or_default()
}

impl Filters<'_> {
    /// What the filters of a flag of off and on become.
    pub(super) fn steps(&mut self, node: &Node) -> Vec<Step> {
        let (list, all) = filters(node);
        if list.is_empty() {
            return vec![Step::new(Condition::Always, on())];
        }
        if random(node).is_some() {
            return Vec::new();
        }
        if !all {
            return list.iter().flat_map(|filter| self.one(filter)).collect();
        }
        let (targeting, others): (Vec<_>, Vec<_>) = list.iter().partition(|filter| kind(filter) == "Targeting");
        let others = others.into_iter().map(|filter| self.plain(filter)).collect();
        let condition = Condition::All(others);
        match targeting.as_slice() {
            [] => vec![Step::new(condition, on())],
            [filter] => {
                let steps = self.targeting(filter).into_iter();
                steps.map(|step| Step::new(condition.clone().and(step.condition), step.get)).collect()
            }
            _ => vec![Step::new(Condition::Unknown("all of several targeting filters must pass".into()), on())],
        }
    }

    /// The filters of a flag with variants, as one condition: they may not draw.
    pub(super) fn condition(&mut self, node: &Node) -> Condition {
        let (list, all) = filters(node);
        let conditions: Vec<_> = list.iter().map(|filter| self.plain(filter)).collect();
        match (conditions.is_empty(), all) {
            (true, _) => Condition::Always,
            (false, true) => Condition::All(conditions),
            (false, false) => Condition::Any(conditions),
        }
    }

    /// A filter as a condition.
    fn plain(&mut self, filter: &Node) -> Condition {
        match kind(filter) {
            "TimeWindow" => window(filter),
            "AlwaysOn" => Condition::Always,
            "Percentage" => Condition::Unknown("a random percentage stands beside other filters".into()),
            "Targeting" => {
                let mut steps = self.targeting(filter);
                steps.retain(|step| !step.get.is_nothing());
                let draws = steps.iter().any(|step| !matches!(step.get, Get::Pick(_)));
                match draws {
                    true => Condition::Unknown("a targeting filter draws in front of variants that are drawn".into()),
                    false => Condition::Any(steps.into_iter().map(|step| step.condition).collect()),
                }
            }
            other => Condition::Unknown(format!("the filter `{other}` is the app's own")),
        }
    }

    fn one(&mut self, filter: &Node) -> Vec<Step> {
        match kind(filter) {
            "Targeting" => self.targeting(filter),
            _ => vec![Step::new(self.plain(filter), on())],
        }
    }

    /// Users, groups and a percentage, less those who are excluded.
    fn targeting(&mut self, filter: &Node) -> Vec<Step> {
        let audience = get(filter, "parameters").and_then(|parameters| get(parameters, "Audience"));
        let nothing = Node::Null;
        let audience = audience.unwrap_or(&nothing);
        let user = self.options.key("userId", &mut self.flag.notes);
        let excluded = get(audience, "Exclusion").map(|exclusion| named(&user, exclusion));
        let not_excluded = excluded.map_or(Condition::Always, Condition::negated);
        let mut steps = vec![Step::new(Condition::words(user, words(audience, "Users")), on())];
        for group in get(audience, "Groups").map_or(&[][..], Node::items) {
            let Some(name) = get(group, "Name").and_then(Node::word) else { continue };
            let draw = self.draw(Some(&name));
            steps.push(Step::new(Condition::words("group", [name]), below(draw, group, "RolloutPercentage")));
        }
        let draw = self.draw(None);
        steps.push(Step::new(Condition::Always, below(draw, audience, "DefaultRolloutPercentage")));
        steps.into_iter().map(|step| Step::new(not_excluded.clone().and(step.condition), step.get)).collect()
    }

    fn draw(&mut self, group: Option<&str>) -> Draw {
        let hash = Hash::new("azure").text("key", self.name);
        let hash = group.map_or_else(|| hash.clone(), |group| hash.clone().text("group", group));
        Draw { hash, unit: self.options.unit("userId", &mut self.flag.notes) }
    }
}

/// Users and groups of an exclusion.
fn named(user: &str, node: &Node) -> Condition {
    Condition::Any(vec![
        Condition::words(user, words(node, "Users")),
        Condition::words("group", words(node, "Groups")),
    ])
}

fn below(draw: Draw, node: &Node, key: &str) -> Get {
    let percent = get(node, key).and_then(Node::word).and_then(|word| word.parse().ok()).unwrap_or_default();
    Get::below(draw, Share::percent(percent), Pick::Arm(ON))
}

/// Words of a list; .NET's configuration may have it as a table by numbers.
fn words(node: &Node, key: &str) -> Vec<String> {
    match get(node, key) {
        Some(Node::Table(entries)) => entries.iter().filter_map(|(_, node)| node.word()).collect(),
        Some(list) => list.items().iter().filter_map(Node::word).collect(),
        None => Vec::new(),
    }
}

/// A window of time, from and until.
fn window(filter: &Node) -> Condition {
    let nothing = Node::Null;
    let parameters = get(filter, "parameters").unwrap_or(&nothing);
    if get(parameters, "Recurrence").is_some() {
        return Condition::Unknown("a window of time comes again and again".into());
    }
    let time = |key| get(parameters, key).and_then(Node::text).map(|text| parsed(text).ok_or(text));
    let mut all = Vec::new();
    for (time, is_start) in [(time("Start"), true), (time("End"), false)] {
        match time {
            None => {}
            Some(Err(text)) => return Condition::Unknown(format!("`{text}` is no point in time")),
            Some(Ok(time)) if is_start => all.push(Condition::After(time)),
            Some(Ok(time)) => all.push(Condition::Before(time)),
        }
    }
    if all.is_empty() { Condition::Never } else { Condition::All(all) }
}

/// `Wed, 01 May 2019 13:59:59 GMT` or `2019-05-01T13:59:59Z`, as RFC 3339.
fn parsed(text: &str) -> Option<String> {
    let time: Option<jiff::Timestamp> = text.trim().parse().ok();
    let rfc2822 =
        || jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text.trim()).ok();
    time.or_else(rfc2822).map(|time| time.to_string())
}
