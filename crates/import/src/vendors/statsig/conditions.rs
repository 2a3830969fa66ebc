//! Conditions of Statsig. Its negations hold for what is missing.

use super::Known;
use crate::input::Node;
use crate::looked_at::{Compared, LookedAt, Place};
use crate::model::{Condition, Note};
use crate::options::Options;

/// Gates in gates are followed so far.
const DEEPEST: usize = 8;
/// Gates with more rules are not asked for.
const MOST_RULES: usize = 100;
/// More conditions of gates are not read for one rule.
const MOST_CONDITIONS: usize = 5_000;

/// Reads conditions.
pub(super) struct Conditions<'a, 'n> {
    pub(super) known: &'a Known<'a>,
    pub(super) options: &'a Options,
    pub(super) notes: &'n mut Vec<Note>,
    /// How many were read, so that gates in gates stay bounded.
    pub(super) read: usize,
}

impl<'a> Conditions<'a, '_> {
    /// The conditions of a rule: those that draw, and the others. The second version has them in a table by name.
    pub(super) fn of_rule(&self, rule: &'a Node) -> (Vec<&'a Node>, Vec<&'a Node>) {
        let one = |node: &'a Node| match node {
            Node::Text(name) => self.known.conditions.get(name.as_str()).copied().unwrap_or(node),
            node => node,
        };
        let all = rule.items_at("conditions").iter().map(one);
        all.partition(|condition| condition.text_at("type") == Some("user_bucket"))
    }

    /// All of these hold.
    pub(super) fn all(&mut self, list: &[&'a Node]) -> Condition {
        self.all_at(list, 0)
    }

    fn all_at(&mut self, list: &[&'a Node], depth: usize) -> Condition {
        let all: Vec<_> = list.iter().map(|condition| self.one(condition, depth)).collect();
        if all.is_empty() { Condition::Always } else { Condition::All(all) }
    }

    fn one(&mut self, condition: &'a Node, depth: usize) -> Condition {
        self.read += 1;
        if self.read > MOST_CONDITIONS {
            return Condition::Unknown(format!("the gates it asks for have more than {MOST_CONDITIONS} conditions"));
        }
        let gate = || condition.get("targetValue").and_then(Node::word).unwrap_or_default();
        match condition.text_at("type").unwrap_or("unknown").to_ascii_lowercase().as_str() {
            "public" => Condition::Always,
            "pass_gate" => self.gate(&gate(), depth),
            "fail_gate" => self.gate(&gate(), depth).negated(),
            "environment_field" => self.environment(condition),
            "current_time" => time(condition),
            "user_field" | "ip_based" | "ua_based" => {
                let field = condition.text_at("field").unwrap_or("userID");
                self.value(field, condition)
            }
            "unit_id" => self.value(super::id_type(condition), condition),
            other => Condition::Unknown(format!("a condition is of the kind `{other}`")),
        }
    }

    /// Whether a gate passes: its rules, one after the other, as one condition. A gate that draws cannot be one.
    fn gate(&mut self, name: &str, depth: usize) -> Condition {
        let gate = self.known.gates.get(name).copied();
        let Some(gate) = gate.filter(|gate| depth < DEEPEST && gate.items_at("rules").len() <= MOST_RULES) else {
            return Condition::Unknown(format!(
                "it asks for the gate `{name}`, which is not there, or has too many rules"
            ));
        };
        let is = |truth| if truth { Condition::Always } else { Condition::Never };
        let mut passes = is(gate.truth_at("defaultValue") == Some(true));
        if gate.truth_at("enabled") == Some(false) {
            return passes;
        }
        for rule in gate.items_at("rules").iter().rev() {
            let (buckets, others) = self.of_rule(rule);
            let percent = rule.number_at("passPercentage").unwrap_or(100.0);
            if !buckets.is_empty() || (percent > 0.0 && percent < 100.0) {
                return Condition::Unknown(format!("it asks for the gate `{name}`, which draws"));
            }
            let condition = self.all_at(&others, depth + 1);
            let gives = if percent > 0.0 {
                rule.truth_at("returnValue") != Some(false)
            } else {
                gate.truth_at("defaultValue") == Some(true)
            };
            passes = if gives {
                Condition::Any(vec![condition, passes])
            } else {
                Condition::All(vec![condition.negated(), passes])
            };
        }
        passes
    }

    /// The environment is the same for everybody: that of `--environment`.
    fn environment(&self, condition: &Node) -> Condition {
        let Some(environment) = self.options.environment.as_deref() else {
            return Condition::Unknown("it asks for the environment: say which with --environment".into());
        };
        let is_one = texts(condition).iter().any(|text| text.eq_ignore_ascii_case(environment));
        let holds = match condition.text_at("operator") {
            Some("any" | "any_case_sensitive" | "eq") => is_one,
            Some("none" | "none_case_sensitive" | "neq") => !is_one,
            other => {
                return Condition::Unknown(format!("the environment is compared by `{}`", other.unwrap_or_default()));
            }
        };
        if holds { Condition::Always } else { Condition::Never }
    }

    fn value(&mut self, field: &str, condition: &Node) -> Condition {
        let looked_at = LookedAt(self.options.key(field, self.notes));
        let operator = condition.text_at("operator").unwrap_or_default();
        let has = |place, any_case| match any_case {
            true => looked_at.has_any_case(place, texts(condition)),
            false => looked_at.has(place, texts(condition)),
        };
        match operator {
            "any" => has(Place::Whole, true),
            "none" => has(Place::Whole, true).negated(),
            "any_case_sensitive" | "eq" => has(Place::Whole, false),
            "none_case_sensitive" | "neq" => has(Place::Whole, false).negated(),
            "str_starts_with_any" => has(Place::Start, true),
            "str_ends_with_any" => has(Place::End, true),
            "str_contains_any" => has(Place::Anywhere, true),
            "str_contains_none" => has(Place::Anywhere, true).negated(),
            "str_matches" => looked_at.matches(texts(condition).first().map_or("", String::as_str)),
            _ => compared(&looked_at, operator, condition),
        }
    }
}

/// Comparisons of numbers and versions.
fn compared(looked_at: &LookedAt, operator: &str, condition: &Node) -> Condition {
    let target = texts(condition).into_iter().next().unwrap_or_default();
    let (is_version, word) = match operator.strip_prefix("version_") {
        Some(word) => (true, word),
        None => (false, operator),
    };
    let compared = match word {
        "gt" => Compared::Above,
        "gte" => Compared::AtLeast,
        "lt" => Compared::Below,
        "lte" => Compared::UpTo,
        "eq" if is_version => Compared::Is,
        "neq" if is_version => return looked_at.but_not(looked_at.version(Compared::Is, &target)),
        "in_segment_list" | "not_in_segment_list" => {
            return Condition::Unknown(format!("the list of ids `{target}` is not in the export"));
        }
        other => return Condition::Unknown(format!("`{}` is compared by `{other}`", looked_at.0)),
    };
    match target.trim().parse() {
        _ if is_version => looked_at.version(compared, &target),
        Ok(number) => looked_at.number(compared, number),
        Err(_) => Condition::Unknown(format!("`{}` is compared with `{target}`, which is no number", looked_at.0)),
    }
}

/// What it is compared with: one text, or a list of them.
fn texts(condition: &Node) -> Vec<String> {
    match condition.get("targetValue") {
        Some(Node::List(list)) => list.iter().filter_map(Node::word).collect(),
        Some(one) => one.word().into_iter().collect(),
        None => Vec::new(),
    }
}

/// A point in time, in milliseconds since 1970.
fn time(condition: &Node) -> Condition {
    let target =
        condition.get("targetValue").and_then(|target| target.whole().or_else(|| target.text()?.parse().ok()));
    let time = target
        .and_then(|milliseconds| jiff::Timestamp::from_millisecond(milliseconds).ok())
        .map(|time| time.to_string());
    match (condition.text_at("operator"), time) {
        (Some("after"), Some(time)) => Condition::After(time),
        (Some("before"), Some(time)) => Condition::Before(time),
        (operator, _) => Condition::Unknown(format!("the time is compared by `{}`", operator.unwrap_or_default())),
    }
}
