//! Constraints: all of them must hold.

use crate::input::Node;
use crate::model::{Condition, Matcher, Note};
use crate::options::Options;
use crate::vendors::semver;

/// All of these.
pub(super) fn all(nodes: &[Node], options: &Options, notes: &mut Vec<Note>) -> Condition {
    let all = nodes.iter().map(|node| one(node, options, notes));
    all.fold(Condition::Always, Condition::and)
}

fn one(node: &Node, options: &Options, notes: &mut Vec<Note>) -> Condition {
    if node.items_at("values").iter().any(|value| value.word().is_none()) {
        return Condition::Unknown("a value of a constraint is null, a list or a table".into());
    }
    let name = node.text_at("contextName").unwrap_or_default();
    let operator = node.text_at("operator").unwrap_or_default();
    let inverted = node.truth_at("inverted") == Some(true);
    if name == "currentTime" {
        return time(operator, node).negated_if(inverted);
    }
    if let (Some(environment), "environment") = (&options.environment, name) {
        let holds = words(node).contains(environment) != (operator == "NOT_IN");
        return if holds { Condition::Always } else { Condition::Never }.negated_if(inverted);
    }
    let key = options.key(name, notes);
    test(&key, operator, node).negated_if(inverted)
}

fn words(node: &Node) -> Vec<String> {
    node.items_at("values").iter().filter_map(Node::word).collect()
}

/// Dates are compared with the time alone.
fn time(operator: &str, node: &Node) -> Condition {
    let value = node.get("value").and_then(Node::word).unwrap_or_default();
    let Ok(time) = value.parse::<jiff::Timestamp>() else {
        return Condition::Unknown(format!("`{value}` is no point in time"));
    };
    match operator {
        "DATE_AFTER" => Condition::After(time.to_string()),
        "DATE_BEFORE" => Condition::Before(time.to_string()),
        other => Condition::Unknown(format!("the time is compared with `{other}`")),
    }
}

fn test(key: &str, operator: &str, node: &Node) -> Condition {
    let value = node.get("value").and_then(Node::word).unwrap_or_default();
    let of = |matcher| Condition::Test(key.to_owned(), matcher);
    let number = |operator: &str| {
        let number = value.trim().parse().ok().and_then(|number| semver::number(key, operator, number));
        number.unwrap_or_else(|| Condition::Unknown(format!("`{key}` is compared with the number `{value}`")))
    };
    let version = |operator: &str| {
        let version = semver::compared(key, operator, &value);
        version.unwrap_or_else(|| Condition::Unknown(format!("`{value}` is no version")))
    };
    match operator {
        "IN" => of(Matcher::Words(words(node))),
        "NOT_IN" => of(Matcher::Words(words(node))).negated(),
        "STR_STARTS_WITH" | "STR_ENDS_WITH" | "STR_CONTAINS" => of(text(operator, node)),
        "REGEX" => of(Matcher::Expression(insensitive(node, &value))),
        "IN_CIDR" => of(Matcher::Networks(words(node))),
        "NUM_EQ" => number("="),
        "NUM_GT" => number(">"),
        "NUM_GTE" => number(">="),
        "NUM_LT" => number("<"),
        "NUM_LTE" => number("<="),
        "SEMVER_EQ" => version("="),
        "SEMVER_GT" => version(">"),
        "SEMVER_GTE" => version(">="),
        "SEMVER_LT" => version("<"),
        "SEMVER_LTE" => version("<="),
        other => Condition::Unknown(format!("the operator `{other}` is not known here")),
    }
}

fn text(operator: &str, node: &Node) -> Matcher {
    let words = words(node);
    if node.truth_at("caseInsensitive") == Some(true) {
        let one_of = words.iter().map(|word| Matcher::escaped(word)).collect::<Vec<_>>().join("|");
        return Matcher::Expression(match operator {
            "STR_STARTS_WITH" => format!("(?i)^(?:{one_of})"),
            "STR_ENDS_WITH" => format!("(?i)(?:{one_of})$"),
            _ => format!("(?i)(?:{one_of})"),
        });
    }
    match operator {
        "STR_STARTS_WITH" => Matcher::Starts(words),
        "STR_ENDS_WITH" => Matcher::Ends(words),
        _ => Matcher::Contains(words),
    }
}

fn insensitive(node: &Node, expression: &str) -> String {
    let prefix = if node.truth_at("caseInsensitive") == Some(true) { "(?i)" } else { "" };
    format!("{prefix}{expression}")
}
