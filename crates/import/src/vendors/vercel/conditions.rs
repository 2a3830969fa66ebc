//! Conditions of Vercel Flags, packed as lists: what is looked at, how it is compared, with what.

use crate::input::Node;
use crate::looked_at::{Compared, LookedAt, Place};
use crate::model::{Condition, Note};
use crate::options::Options;

/// Reads conditions.
pub(super) struct Conditions<'a> {
    pub(super) options: &'a Options,
    pub(super) notes: &'a mut Vec<Note>,
}

/// The path of an attribute: `user`, `id`.
pub(super) fn path(node: Option<&Node>) -> Vec<String> {
    node.map_or(&[][..], Node::items).iter().filter_map(Node::word).collect()
}

/// The unit of a path.
pub(super) fn unit(path: &[String], options: &Options, notes: &mut Vec<Note>) -> String {
    options.unit(&name(path), notes)
}

/// By what an attribute is mapped: `user.plan`, and the id of a user as `user`.
fn name(path: &[String]) -> String {
    match path {
        [kind, id] if kind == "user" && (id == "id" || id == "key") => "user".into(),
        path => path.join("."),
    }
}

impl Conditions<'_> {
    /// All of these hold.
    pub(super) fn all(&mut self, list: &[Node]) -> Condition {
        let all: Vec<_> = list.iter().map(|condition| self.one(condition)).collect();
        if all.is_empty() { Condition::Always } else { Condition::All(all) }
    }

    /// Those named one by one: a table by kind and attribute.
    pub(super) fn targets(&mut self, targets: &Node) -> Condition {
        let mut any = Vec::new();
        for (kind, attributes) in targets.entries() {
            for (attribute, values) in attributes.entries() {
                let key = self.options.key(&name(&[kind.clone(), attribute.clone()]), self.notes);
                any.push(LookedAt(key).has(Place::Whole, values.items().iter().filter_map(Node::word)));
            }
        }
        Condition::Any(any)
    }

    /// Who is in a segment: named, or by the first rule that matches.
    pub(super) fn segment(&mut self, segment: &Node) -> Condition {
        let mut rules = Condition::Never;
        for rule in segment.items_at("rules").iter().rev().take(100) {
            let condition = self.all(rule.items_at("conditions"));
            rules = match rule.get("outcome").and_then(Node::whole) {
                Some(1) => Condition::Any(vec![condition, rules]),
                _ => Condition::Unknown("a segment draws".into()),
            };
        }
        let list =
            |segment: &Node, key: &str, reading: &mut Self| segment.get(key).map(|targets| reading.targets(targets));
        let included = list(segment, "include", self).unwrap_or(Condition::Never);
        let not_excluded = list(segment, "exclude", self).map_or(Condition::Always, Condition::negated);
        Condition::Any(vec![included, not_excluded.and(rules)])
    }

    fn one(&mut self, condition: &Node) -> Condition {
        let [left, comparator, others @ ..] = condition.items() else {
            return Condition::Unknown("a condition is no list".into());
        };
        let comparator = comparator.text().unwrap_or_default();
        let nothing = Node::Null;
        let right = others.first().unwrap_or(&nothing);
        if left.text() == Some("segment") {
            return of_segments(comparator, right);
        }
        let any_case = match others.get(1) {
            Some(Node::Text(text)) => text.contains('i'),
            Some(options) => options.truth_at("i") == Some(true),
            None => false,
        };
        let looked_at = LookedAt(self.options.key(&name(&path(Some(left))), self.notes));
        Compare { looked_at, right, any_case }.by(comparator)
    }
}

fn of_segments(comparator: &str, right: &Node) -> Condition {
    let named = |node: &Node| node.word().map(Condition::Segment);
    let list = || Condition::Any(right.items().iter().filter_map(named).collect());
    match comparator {
        "eq" => named(right).unwrap_or(Condition::Never),
        "!eq" => named(right).unwrap_or(Condition::Never).negated(),
        "oneOf" => list(),
        "!oneOf" => list().negated(),
        other => Condition::Unknown(format!("segments are compared by `{other}`")),
    }
}

struct Compare<'a> {
    looked_at: LookedAt,
    right: &'a Node,
    any_case: bool,
}

impl Compare<'_> {
    fn by(&self, comparator: &str) -> Condition {
        let but_not = |condition| self.looked_at.but_not(condition);
        match comparator {
            "eq" | "oneOf" => self.has(Place::Whole),
            "!eq" => self.has(Place::Whole).negated(),
            "!oneOf" => but_not(self.has(Place::Whole)),
            "startsWith" => self.has(Place::Start),
            "!startsWith" => but_not(self.has(Place::Start)),
            "endsWith" => self.has(Place::End),
            "!endsWith" => but_not(self.has(Place::End)),
            "contains" => self.has(Place::Anywhere),
            "!contains" => but_not(self.has(Place::Anywhere)),
            "ex" => self.looked_at.present(),
            "!ex" => self.looked_at.present().negated(),
            "gt" => self.number(Compared::Above),
            "gte" => self.number(Compared::AtLeast),
            "lt" => self.number(Compared::Below),
            "lte" => self.number(Compared::UpTo),
            "regex" => self.regex(),
            "!regex" => but_not(self.regex()),
            "containsAnyOf" if self.looked_at.is_list() => self.has(Place::Whole),
            "containsNoneOf" if self.looked_at.is_list() => self.has(Place::Whole).negated(),
            other => Condition::Unknown(format!("`{}` is compared by `{other}`", self.looked_at.0)),
        }
    }

    fn has(&self, place: Place) -> Condition {
        let texts: Vec<String> = match self.right {
            Node::List(list) => list.iter().filter_map(Node::word).collect(),
            one => one.word().into_iter().collect(),
        };
        if self.any_case { self.looked_at.has_any_case(place, texts) } else { self.looked_at.has(place, texts) }
    }

    fn number(&self, compared: Compared) -> Condition {
        match self.right.number() {
            Some(number) => self.looked_at.number(compared, number),
            None => Condition::Unknown(format!("`{}` is compared by the alphabet", self.looked_at.0)),
        }
    }

    fn regex(&self) -> Condition {
        let flags: String =
            self.right.text_at("flags").unwrap_or_default().chars().filter(|c| "ims".contains(*c)).collect();
        let pattern = self.right.text_at("pattern").unwrap_or_default();
        match flags.is_empty() {
            true => self.looked_at.matches(pattern),
            false => self.looked_at.matches(&format!("(?{flags}){pattern}")),
        }
    }
}
