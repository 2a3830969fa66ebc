//! Segments of Flagsmith: rules in rules, each with conditions. What is missing passes none of them.

use crate::input::Node;
use crate::looked_at::{Compared, LookedAt, Place};
use crate::model::{Condition, Note};
use crate::options::Options;

/// Reads conditions.
pub(super) struct Conditions<'a> {
    pub(super) document: &'a Node,
    pub(super) options: &'a Options,
    pub(super) notes: &'a mut Vec<Note>,
}

/// A share of the people of a segment, by a draw of its own.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Split {
    pub(super) percent: f64,
    /// The trait whose value is hashed; none for the identity.
    pub(super) property: Option<String>,
}

/// The shares that a segment asks for beside its other conditions.
pub(super) fn splits(segment: &Node) -> Vec<Split> {
    let mut found = Vec::new();
    segment.items_at("rules").iter().for_each(|rule| collect(rule, &mut found));
    found
}

fn collect(rule: &Node, found: &mut Vec<Split>) {
    found.extend(rule.items_at("conditions").iter().filter_map(split));
    rule.items_at("rules").iter().for_each(|rule| collect(rule, found));
}

fn split(condition: &Node) -> Option<Split> {
    if condition.text_at("operator") != Some("PERCENTAGE_SPLIT") {
        return None;
    }
    let percent = condition.get("value").and_then(Node::word)?.trim().parse().ok()?;
    let property = property(condition).filter(|name| *name != "$.identity.key").map(Into::into);
    Some(Split { percent, property })
}

fn property(condition: &Node) -> Option<&str> {
    condition.text_at("property_").or_else(|| condition.text_at("property")).filter(|name| !name.is_empty())
}

impl Conditions<'_> {
    /// Who is in a segment, whatever share of them.
    pub(super) fn of(&mut self, segment: &Node) -> Condition {
        let rules: Vec<_> = segment.items_at("rules").iter().map(|rule| self.rule(rule, true)).collect();
        if rules.is_empty() { Condition::Never } else { Condition::All(rules) }
    }

    /// A rule. A share can be taken out of it only where everything around it must hold (`all`).
    fn rule(&mut self, rule: &Node, all: bool) -> Condition {
        let kind = rule.text_at("type").unwrap_or("ALL");
        let list = rule.items_at("conditions");
        let rules = rule.items_at("rules");
        // A rule of one condition is that condition, whatever its type.
        let plain = all && (kind == "ALL" || (kind == "ANY" && list.len() + rules.len() == 1));
        let conditions: Vec<_> = list.iter().map(|condition| self.condition(condition, plain)).collect();
        let rules: Vec<_> = rules.iter().map(|rule| self.rule(rule, plain)).collect();
        let joined = |parts: Vec<Condition>| match kind {
            _ if parts.is_empty() => Condition::Always,
            "ALL" => Condition::All(parts),
            "ANY" => Condition::Any(parts),
            "NONE" => Condition::Any(parts).negated(),
            other => Condition::Unknown(format!("a rule joins its conditions with `{other}`")),
        };
        joined(conditions).and(joined(rules))
    }

    fn condition(&mut self, condition: &Node, plain: bool) -> Condition {
        let operator = condition.text_at("operator").unwrap_or_default();
        if operator == "PERCENTAGE_SPLIT" {
            return match split(condition) {
                Some(_) if plain => Condition::Always,
                Some(_) => {
                    Condition::Unknown("a percentage split stands among conditions of which one is enough".into())
                }
                None => Condition::Never,
            };
        }
        let property = property(condition).unwrap_or_default();
        let values = values(condition);
        if let Some(of_environment) = self.environment(property) {
            return constant(operator, of_environment.as_deref(), &values);
        }
        let attribute = if property == "$.identity.identifier" { "identifier" } else { property };
        if attribute.starts_with("$.") {
            return Condition::Unknown(format!("it looks at `{attribute}`"));
        }
        let looked_at = LookedAt(self.options.key(attribute, self.notes));
        test(&looked_at, operator, values)
    }

    /// A value of the environment itself, which is the same for everybody.
    fn environment(&self, property: &str) -> Option<Option<String>> {
        match property {
            "$.environment.name" => Some(self.document.get("name").and_then(Node::word)),
            "$.environment.key" => Some(self.document.get("api_key").and_then(Node::word)),
            _ => None,
        }
    }
}

/// A condition on what is the same for everybody.
fn constant(operator: &str, value: Option<&str>, wanted: &[String]) -> Condition {
    let is_one = value.is_some_and(|value| wanted.iter().any(|wanted| wanted == value));
    let holds = match operator {
        "EQUAL" | "IN" => is_one,
        "NOT_EQUAL" => value.is_some() && !is_one,
        "IS_SET" => value.is_some(),
        "IS_NOT_SET" => value.is_none(),
        other => return Condition::Unknown(format!("the environment is compared by `{other}`")),
    };
    if holds { Condition::Always } else { Condition::Never }
}

/// The values it is compared with. `IN` takes a list, a list as JSON, or words with commas between them.
fn values(condition: &Node) -> Vec<String> {
    let value = condition.get("value");
    if let Some(Node::List(list)) = value {
        return list.iter().filter_map(Node::word).collect();
    }
    let text = value.and_then(Node::word).unwrap_or_default();
    if condition.text_at("operator") != Some("IN") {
        return vec![text];
    }
    let as_json = text.starts_with('[').then(|| crate::input::json(text.as_bytes()).ok()).flatten();
    match as_json {
        Some(Node::List(list)) => list.iter().filter_map(Node::word).collect(),
        _ => text.split(',').map(Into::into).collect(),
    }
}

fn test(looked_at: &LookedAt, operator: &str, values: Vec<String>) -> Condition {
    let first = values.first().cloned().unwrap_or_default();
    match operator {
        "EQUAL" => equal(looked_at, &first),
        "NOT_EQUAL" => looked_at.but_not(equal(looked_at, &first)),
        "IN" => looked_at.has(Place::Whole, values),
        "CONTAINS" => looked_at.has(Place::Anywhere, values),
        "NOT_CONTAINS" => looked_at.but_not(looked_at.has(Place::Anywhere, values)),
        // Python's `match` begins at the start of the text.
        "REGEX" => looked_at.matches(&format!("^(?:{first})")),
        "IS_SET" => looked_at.present(),
        "IS_NOT_SET" => looked_at.present().negated(),
        "GREATER_THAN" => compared(looked_at, Compared::Above, &first),
        "GREATER_THAN_INCLUSIVE" => compared(looked_at, Compared::AtLeast, &first),
        "LESS_THAN" => compared(looked_at, Compared::Below, &first),
        "LESS_THAN_INCLUSIVE" => compared(looked_at, Compared::UpTo, &first),
        other => Condition::Unknown(format!("`{}` is compared by `{other}`", looked_at.0)),
    }
}

fn equal(looked_at: &LookedAt, value: &str) -> Condition {
    match value.strip_suffix(":semver") {
        Some(version) => looked_at.version(Compared::Is, version),
        None => looked_at.has(Place::Whole, [value]),
    }
}

fn compared(looked_at: &LookedAt, compared: Compared, value: &str) -> Condition {
    if let Some(version) = value.strip_suffix(":semver") {
        return looked_at.version(compared, version);
    }
    match value.trim().parse() {
        Ok(number) => looked_at.number(compared, number),
        Err(_) => Condition::Unknown(format!("`{}` is compared with `{value}` by the alphabet", looked_at.0)),
    }
}
