//! JSONLogic as conditions.

use super::Definition;
use crate::input::Node;
use crate::looked_at::{LookedAt, Place};
use crate::model::{Condition, Matcher, Note};
use crate::vendors::semver;

/// How often an evaluator may name another.
const MOST_REFERENCES: usize = 16;

/// The expression, with a named evaluator in place of its name; none when there is none of this name, or it goes in a circle.
pub(super) fn resolved<'n, 'a: 'n>(definition: &Definition<'a>, mut node: &'n Node) -> Option<&'n Node> {
    for _ in 0..MOST_REFERENCES {
        match node.entries() {
            [(key, name)] if key == "$ref" => node = *definition.evaluators.get(name.text()?)?,
            _ => return Some(node),
        }
    }
    None
}

/// The attribute of `{"var": "email"}`.
pub(super) fn variable(definition: &Definition<'_>, node: &Node) -> Option<String> {
    match resolved(definition, node)?.entries() {
        [(operator, name)] if operator == "var" => match name {
            Node::List(items) => items.first().and_then(Node::word),
            name => name.word(),
        },
        _ => None,
    }
}

/// An expression that is true or false.
pub(super) fn condition(definition: &Definition<'_>, node: &Node, notes: &mut Vec<Note>) -> Condition {
    let Some(node) = resolved(definition, node) else {
        return Condition::Unknown("an evaluator is missing, or names itself".into());
    };
    let [(operator, arguments)] = node.entries() else { return constant(node) };
    let one = std::slice::from_ref(arguments);
    let arguments = if matches!(arguments, Node::List(_)) { arguments.items() } else { one };
    let mut each = || arguments.iter().map(|argument| condition(definition, argument, notes)).collect::<Vec<_>>();
    match operator.as_str() {
        "and" => Condition::All(each()),
        "or" => Condition::Any(each()),
        "!" => Condition::All(each()).negated(),
        "!!" => Condition::All(each()),
        "var" => match variable(definition, node) {
            Some(name) => is_set(&definition.options.key(&name, notes)),
            None => unknown("var"),
        },
        operator => Comparing { definition, arguments }.of(operator, notes),
    }
}

/// Truthiness of an attribute: it is there, and none of `false`, `0` and nothing.
fn is_set(key: &str) -> Condition {
    let nothing = Condition::words(key, ["false", "0", ""]);
    let there = Condition::Test(key.to_owned(), Matcher::Expression("(?s)^.".into()));
    Condition::All(vec![there, nothing.negated()])
}

fn constant(node: &Node) -> Condition {
    let holds = match node {
        Node::Null => false,
        Node::Bool(truth) => *truth,
        Node::Number(_) => node.number() != Some(0.0),
        Node::Text(text) => !text.is_empty(),
        Node::List(items) => !items.is_empty(),
        Node::Table(_) => return Condition::Unknown("a table stands where an expression should be".into()),
    };
    if holds { Condition::Always } else { Condition::Never }
}

fn unknown(operator: &str) -> Condition {
    Condition::Unknown(format!("`{operator}` with these arguments cannot be said here"))
}

/// A comparison of an attribute with something written.
struct Comparing<'a, 'b> {
    definition: &'a Definition<'a>,
    arguments: &'b [Node],
}

impl Comparing<'_, '_> {
    fn of(&self, operator: &str, notes: &mut Vec<Note>) -> Condition {
        match operator {
            "==" | "===" => self.equal(notes).unwrap_or_else(|| unknown(operator)),
            "!=" | "!==" => self.equal(notes).map_or_else(|| unknown(operator), Condition::negated),
            "in" => self.within(notes).unwrap_or_else(|| unknown(operator)),
            "starts_with" => self.text(Matcher::Starts, notes).unwrap_or_else(|| unknown(operator)),
            "ends_with" => self.text(Matcher::Ends, notes).unwrap_or_else(|| unknown(operator)),
            "sem_ver" => self.version(notes).unwrap_or_else(|| unknown(operator)),
            "<" | "<=" | ">" | ">=" => self.number(operator, notes).unwrap_or_else(|| unknown(operator)),
            _ => Condition::Unknown(format!("`{operator}` is not known here")),
        }
    }

    /// The key of the attribute at a place.
    fn key(&self, place: usize, notes: &mut Vec<Note>) -> Option<String> {
        let name = variable(self.definition, self.arguments.get(place)?)?;
        (!name.starts_with("$flagd")).then(|| self.definition.options.key(&name, notes))
    }

    fn equal(&self, notes: &mut Vec<Note>) -> Option<Condition> {
        let (place, other) = if self.key(0, &mut Vec::new()).is_some() { (0, 1) } else { (1, 0) };
        let key = self.key(place, notes)?;
        match self.arguments.get(other)? {
            Node::Null => Some(Condition::Test(key, Matcher::Expression(String::new())).negated()),
            node => Some(Condition::words(key, [node.word()?])),
        }
    }

    /// A list that has the attribute, or an attribute that has a text: as a member where it is a list, as a part where it is a text.
    fn within(&self, notes: &mut Vec<Note>) -> Option<Condition> {
        match self.arguments {
            [_, Node::List(items)] => {
                let words = items.iter().map(Node::word).collect::<Option<Vec<_>>>()?;
                Some(Condition::words(self.key(0, notes)?, words))
            }
            [Node::Text(text), _] => {
                let looked_at = LookedAt(self.key(1, notes)?);
                let place = if looked_at.is_list() { Place::Whole } else { Place::Anywhere };
                Some(looked_at.has(place, [text.as_str()]))
            }
            _ => None,
        }
    }

    fn text(&self, matcher: fn(Vec<String>) -> Matcher, notes: &mut Vec<Note>) -> Option<Condition> {
        let text = self.arguments.get(1)?.text()?;
        Some(Condition::Test(self.key(0, notes)?, matcher(vec![text.to_owned()])))
    }

    fn version(&self, notes: &mut Vec<Note>) -> Option<Condition> {
        let [_, operator, version] = self.arguments else { return None };
        let (operator, version) = (operator.text()?, version.word()?);
        semver::compared(&self.key(0, notes)?, operator, &version)
    }

    /// `{">": [{"var": "age"}, 18]}`, the other way round, or between.
    fn number(&self, operator: &str, notes: &mut Vec<Note>) -> Option<Condition> {
        match self.arguments {
            [low, middle, high] => {
                let first = [low.clone(), middle.clone()];
                let second = [middle.clone(), high.clone()];
                let part = |arguments, notes: &mut Vec<Note>| {
                    Comparing { definition: self.definition, arguments }.number(operator, notes)
                };
                Some(part(&first, notes)?.and(part(&second, notes)?))
            }
            [attribute, number] => {
                if let Some(time) = self.time(operator) {
                    return Some(time);
                }
                let (key, operator, number) = match variable(self.definition, attribute) {
                    Some(_) => (self.key(0, notes)?, operator, number),
                    None => (self.key(1, notes)?, flipped(operator), attribute),
                };
                semver::number(&key, operator, number.number()?)
            }
            _ => None,
        }
    }

    /// `$flagd.timestamp`, in seconds.
    fn time(&self, operator: &str) -> Option<Condition> {
        let (place, operator) = match (self.name(0)?, self.name(1)?) {
            (Some(_), None) => (1, operator),
            (None, Some(_)) => (0, flipped(operator)),
            _ => return None,
        };
        let seconds = self.arguments.get(place)?.whole()?;
        let time = |seconds: i64| jiff::Timestamp::from_second(seconds).ok().map(|time| time.to_string());
        match operator {
            ">=" => Some(Condition::After(time(seconds)?)),
            ">" => Some(Condition::After(time(seconds.checked_add(1)?)?)),
            "<" => Some(Condition::Before(time(seconds)?)),
            _ => Some(Condition::Before(time(seconds.checked_add(1)?)?)),
        }
    }

    /// Whether the argument at a place is the time.
    fn name(&self, place: usize) -> Option<Option<()>> {
        let name = variable(self.definition, self.arguments.get(place)?);
        Some((name.as_deref() == Some("$flagd.timestamp")).then_some(()))
    }
}

fn flipped(operator: &str) -> &'static str {
    match operator {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        _ => "<=",
    }
}
