//! Clauses of rules, and segments.

use crate::input::Node;
use crate::model::{Condition, Matcher, Note};
use crate::options::Options;
use crate::vendors::semver;

/// The name of an attribute of a kind of context: that of a user has no kind before it.
pub(super) fn attribute(kind: &str, reference: &str) -> String {
    let name = reference.strip_prefix('/').map_or_else(|| reference.to_owned(), |path| path.replace('/', "."));
    if matches!(kind, "user" | "") { name } else { format!("{kind}.{name}") }
}

/// All of these.
pub(super) fn all(nodes: &[Node], options: &Options, notes: &mut Vec<Note>) -> Condition {
    nodes.iter().map(|node| one(node, options, notes)).fold(Condition::Always, Condition::and)
}

fn one(node: &Node, options: &Options, notes: &mut Vec<Note>) -> Condition {
    let negate = node.truth_at("negate") == Some(true);
    let operator = node.text_at("op").unwrap_or_default();
    let values = node.items_at("values");
    if operator == "segmentMatch" {
        let segments = words(values, &|words| Condition::Any(words.into_iter().map(Condition::Segment).collect()));
        return segments.negated_if(negate);
    }
    let kind = node.text_at("contextKind").unwrap_or("user");
    let name = node.text_at("attribute").unwrap_or_default();
    if name == "kind" {
        return Condition::Unknown("it asks for the kind of a context".into());
    }
    let key = options.key(&attribute(kind, name), notes);
    let test = test(&key, operator, values);
    match negate {
        // A value that is missing passes no clause there, also none that is negated.
        true => Condition::Test(key, Matcher::Expression(String::new())).and(test.negated()),
        false => test,
    }
}

fn test(key: &str, operator: &str, values: &[Node]) -> Condition {
    let of = |matcher| Condition::Test(key.to_owned(), matcher);
    let unknown = |value: &Node| {
        let value = value.word().unwrap_or_default();
        Condition::Unknown(format!("`{operator}` with `{value}` cannot be said here"))
    };
    let each = |read: &dyn Fn(&Node) -> Option<Condition>| {
        Condition::Any(values.iter().map(|value| read(value).unwrap_or_else(|| unknown(value))).collect())
    };
    match operator {
        "in" => words(values, &|words| of(Matcher::Words(words))),
        "startsWith" => words(values, &|words| of(Matcher::Starts(words))),
        "endsWith" => words(values, &|words| of(Matcher::Ends(words))),
        "contains" => words(values, &|words| of(Matcher::Contains(words))),
        "matches" => each(&|value| Some(of(Matcher::Expression(value.text()?.to_owned())))),
        "lessThan" | "lessThanOrEqual" | "greaterThan" | "greaterThanOrEqual" => {
            each(&|value| semver::number(key, sign(operator), value.number()?))
        }
        "semVerEqual" | "semVerLessThan" | "semVerGreaterThan" => {
            each(&|value| semver::compared(key, sign(operator), value.text()?))
        }
        other => Condition::Unknown(format!("the operator `{other}` cannot be said here")),
    }
}

/// What is made of values that are words.
fn words(values: &[Node], made: &dyn Fn(Vec<String>) -> Condition) -> Condition {
    let words = values.iter().map(Node::word).collect::<Option<Vec<_>>>();
    words.map_or_else(|| Condition::Unknown("a value of a clause is null, a list or a table".into()), made)
}

fn sign(operator: &str) -> &'static str {
    match operator {
        "lessThan" | "semVerLessThan" => "<",
        "lessThanOrEqual" => "<=",
        "greaterThan" | "semVerGreaterThan" => ">",
        "greaterThanOrEqual" => ">=",
        _ => "=",
    }
}

/// Who belongs to a segment.
pub(super) fn segment(node: &Node, options: &Options, notes: &mut Vec<Note>) -> Condition {
    if node.truth_at("unbounded") == Some(true) {
        return Condition::Unknown("its members are not in the data".into());
    }
    let mut named = |list: &str, contexts: &str| {
        let of = |node: &Node, key: &str| node.items_at(key).iter().filter_map(Node::word).collect::<Vec<_>>();
        let mut any = vec![Condition::words(options.key("key", notes), of(node, list))];
        for target in node.items_at(contexts) {
            let kind = target.text_at("contextKind").unwrap_or("user");
            any.push(Condition::words(options.key(&attribute(kind, "key"), notes), of(target, "values")));
        }
        Condition::Any(any)
    };
    let (included, excluded) = (named("included", "includedContexts"), named("excluded", "excludedContexts"));
    let mut rules = Vec::new();
    for rule in node.items_at("rules") {
        let is_drawn = rule.number_at("weight").is_some_and(|weight| weight < 100_000.0);
        rules.push(match is_drawn {
            true => Condition::Unknown("a part of its members is drawn".into()),
            false => all(rule.items_at("clauses"), options, notes),
        });
    }
    if rules.is_empty() {
        return included;
    }
    Condition::Any(vec![included, Condition::All(vec![excluded.negated(), Condition::Any(rules)])])
}
