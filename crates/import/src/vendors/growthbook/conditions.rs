//! Targeting conditions, in the way of MongoDB's queries.

use std::collections::HashMap;

use crate::input::Node;
use crate::model::{Condition, Matcher, Note};
use crate::options::Options;
use crate::vendors::semver;

/// What conditions are read with.
pub(super) struct Reading<'a> {
    pub(super) options: &'a Options,
    pub(super) groups: HashMap<&'a str, &'a Node>,
}

impl Reading<'_> {
    /// A table of conditions that must all hold.
    pub(super) fn condition(&self, node: &Node, notes: &mut Vec<Note>) -> Condition {
        let mut all = Vec::new();
        for (key, node) in node.entries() {
            let mut each = || node.items().iter().map(|one| self.condition(one, notes)).collect::<Vec<_>>();
            all.push(match key.as_str() {
                "$and" => Condition::All(each()),
                "$or" if node.items().is_empty() => Condition::Always,
                "$or" => Condition::Any(each()),
                "$nor" => Condition::Any(each()).negated(),
                "$not" => self.condition(node, notes).negated(),
                attribute => self.attribute(&self.options.key(attribute, notes), node),
            });
        }
        all.into_iter().fold(Condition::Always, Condition::and)
    }

    fn attribute(&self, key: &str, node: &Node) -> Condition {
        match node {
            Node::Null => there(key).negated(),
            Node::List(_) => Condition::Unknown("a list is compared as a whole".into()),
            Node::Table(entries) if entries.iter().any(|(name, _)| name.starts_with('$')) => {
                let all = entries.iter().map(|(operator, value)| self.operator(key, operator, value));
                all.fold(Condition::Always, Condition::and)
            }
            Node::Table(_) => Condition::Unknown("a table is compared as a whole".into()),
            node => Condition::words(key, node.word()),
        }
    }

    fn operator(&self, key: &str, operator: &str, value: &Node) -> Condition {
        let unknown = || Condition::Unknown(format!("`{operator}` with this value cannot be said here"));
        match operator {
            "$eq" => self.attribute(key, value),
            "$ne" => self.attribute(key, value).negated(),
            "$in" => is_in(key, value).unwrap_or_else(unknown),
            "$nin" => is_in(key, value).map_or_else(unknown, Condition::negated),
            "$inGroup" => self.in_group(key, value).unwrap_or_else(unknown),
            "$notInGroup" => self.in_group(key, value).map_or_else(unknown, Condition::negated),
            "$not" => self.attribute(key, value).negated(),
            "$exists" => there(key).negated_if(value.truth() == Some(false)),
            "$regex" => match value.text() {
                Some(text) => Condition::Test(key.to_owned(), Matcher::Expression(text.to_owned())),
                None => unknown(),
            },
            "$lt" | "$lte" | "$gt" | "$gte" => {
                value.number().and_then(|number| compared(key, operator, number)).unwrap_or_else(unknown)
            }
            "$veq" | "$vne" | "$vlt" | "$vlte" | "$vgt" | "$vgte" => {
                let version = value.word().unwrap_or_default();
                semver::compared(key, sign(operator), &version).unwrap_or_else(unknown)
            }
            _ => unknown(),
        }
    }

    /// A member of a saved group: a list, or since the second version a table with one. A group that is not there has no members.
    fn in_group(&self, key: &str, name: &Node) -> Option<Condition> {
        match self.groups.get(name.text()?) {
            None => Some(Condition::Never),
            Some(group) if group.text_at("type") == Some("list") => is_in(key, group.get("values")?),
            Some(group) => is_in(key, group),
        }
    }
}

/// One of these values. `null` is a value that is missing.
fn is_in(key: &str, list: &Node) -> Option<Condition> {
    let Node::List(members) = list else { return None };
    let (missing, members): (Vec<_>, Vec<_>) = members.iter().cloned().partition(|member| *member == Node::Null);
    let is_one = Condition::words(key, Node::List(members).words()?);
    Some(if missing.is_empty() { is_one } else { Condition::Any(vec![is_one, there(key).negated()]) })
}

/// A comparison with a number. A value that is missing counts as 0 there.
fn compared(key: &str, operator: &str, number: f64) -> Option<Condition> {
    let condition = semver::number(key, sign(operator), number)?;
    let holds_for_zero = match operator {
        "$lt" => 0.0 < number,
        "$lte" => 0.0 <= number,
        "$gt" => 0.0 > number,
        _ => 0.0 >= number,
    };
    Some(if holds_for_zero { Condition::Any(vec![condition, there(key).negated()]) } else { condition })
}

/// A value that is there, whatever it is.
fn there(key: &str) -> Condition {
    Condition::Test(key.to_owned(), Matcher::Expression(String::new()))
}

fn sign(operator: &str) -> &'static str {
    match operator {
        "$lt" | "$vlt" => "<",
        "$lte" | "$vlte" => "<=",
        "$gt" | "$vgt" => ">",
        "$gte" | "$vgte" => ">=",
        "$vne" => "!=",
        _ => "=",
    }
}
