//! Conditions of PostHog.

use super::cohorts;
use crate::input::Node;
use crate::looked_at::{Compared, LookedAt, Place};
use crate::model::{Condition, Flag, Requirement, Segment};
use crate::options::Options;

/// Properties whose meaning is known here.
const KNOWN: [(&str, &str); 3] =
    [("$geoip_country_code", "country"), ("$ip", "ip"), ("$raw_user_agent", "user_agent")];

/// Reads properties for one flag.
pub(super) struct Properties<'a> {
    pub(super) options: &'a Options,
    pub(super) cohorts: Option<&'a Node>,
    pub(super) flag: &'a mut Flag,
    pub(super) segments: &'a mut Vec<Segment>,
    /// How many conditions of cohorts were read, so that cohorts in cohorts stay bounded.
    pub(super) read: usize,
}

impl Properties<'_> {
    /// All of these hold.
    pub(super) fn all(&mut self, properties: &[Node]) -> Condition {
        let all: Vec<_> = properties.iter().map(|property| self.one(property)).collect();
        match all.is_empty() {
            true => Condition::Always,
            false => Condition::All(all),
        }
    }

    /// One of them.
    pub(super) fn one(&mut self, property: &Node) -> Condition {
        match property.text_at("type") {
            Some("cohort") => cohorts::condition(property, self),
            Some("flag") => self.dependency(property),
            _ => self.value(property),
        }
    }

    /// Another flag, which all groups of conditions need, or which the flag file cannot ask for.
    fn dependency(&self, property: &Node) -> Condition {
        match requirement(property) {
            Some(needed) if self.flag.requires.contains(&needed) => Condition::Always,
            Some(_) => Condition::Unknown("it asks for another flag in some of its conditions only".into()),
            None => Condition::Unknown("it asks for another flag in a way that `requires` cannot say".into()),
        }
    }

    fn value(&mut self, property: &Node) -> Condition {
        let Some(key) = property.text_at("key") else { return Condition::Unknown("a condition has no key".into()) };
        let known =
            KNOWN.iter().find(|(name, _)| *name == key && !self.options.maps(key)).map(|(_, key)| (*key).to_owned());
        let looked_at = LookedAt(known.unwrap_or_else(|| self.options.key(key, &mut self.flag.notes)));
        let nothing = Node::Null;
        let value = property.get("value").unwrap_or(&nothing);
        test(&looked_at, property.text_at("operator").unwrap_or("exact"), value)
    }
}

/// A flag that a property asks for, where `requires` can say it.
pub(super) fn requirement(property: &Node) -> Option<Requirement> {
    if property.text_at("type") != Some("flag") {
        return None;
    }
    let origin = property.get("key").and_then(Node::word)?;
    match property.get("value")? {
        Node::Bool(true) => Some(Requirement { origin, variant: None }),
        Node::Text(variant) => Requirement::of_variant(origin, variant),
        _ => None,
    }
}

/// What PostHog's operator asks of a value. Its negations hold for what is missing.
fn test(looked_at: &LookedAt, operator: &str, value: &Node) -> Condition {
    let words = words(value);
    let text = words.first().cloned().unwrap_or_default();
    if let Some(positive) = operator.strip_prefix("not_") {
        return test(looked_at, positive, value).negated();
    }
    if let Some(compared) = operator.strip_prefix("semver_") {
        return version(looked_at, compared, &text);
    }
    match operator {
        "exact" if words.is_empty() => Condition::Unknown(format!("`{}` is compared with nothing", looked_at.0)),
        "exact" => looked_at.has_any_case(Place::Whole, words),
        "is_not" => test(looked_at, "exact", value).negated(),
        "is_set" => looked_at.present(),
        "is_not_set" => looked_at.present().negated(),
        "icontains" => looked_at.has_any_case(Place::Anywhere, words),
        "starts_with" => looked_at.has_any_case(Place::Start, words),
        "ends_with" => looked_at.has_any_case(Place::End, words),
        "regex" => looked_at.matches(&text),
        "gt" | "gte" | "lt" | "lte" => number(looked_at, operator, &text),
        other => Condition::Unknown(format!("`{}` is compared by `{other}`", looked_at.0)),
    }
}

/// The words of a value: one, or a list of them.
fn words(value: &Node) -> Vec<String> {
    match value {
        Node::List(list) => list.iter().filter_map(Node::word).collect(),
        one => one.word().into_iter().collect(),
    }
}

fn number(looked_at: &LookedAt, operator: &str, text: &str) -> Condition {
    let Ok(number) = text.trim().parse() else {
        return Condition::Unknown(format!("`{}` is compared with `{text}`, which is no number", looked_at.0));
    };
    let compared = match operator {
        "gt" => Compared::Above,
        "gte" => Compared::AtLeast,
        "lt" => Compared::Below,
        _ => Compared::UpTo,
    };
    looked_at.number(compared, number)
}

/// PostHog leaves out what stands behind `-` in versions of people; a flag file minds it.
fn version(looked_at: &LookedAt, compared: &str, version: &str) -> Condition {
    let is = |compared| looked_at.version(compared, version);
    match compared {
        "eq" => is(Compared::Is),
        "neq" => is(Compared::Is).negated(),
        "gt" => is(Compared::Above),
        "gte" => is(Compared::AtLeast),
        "lt" => is(Compared::Below),
        "lte" => is(Compared::UpTo),
        "tilde" | "caret" | "wildcard" => range(looked_at, compared, version),
        other => Condition::Unknown(format!("`{}` is compared by `semver_{other}`", looked_at.0)),
    }
}

/// `~1.2.3`, `^1.2.3` and `1.2.*` are a version and one that is too high.
fn range(looked_at: &LookedAt, compared: &str, version: &str) -> Condition {
    let plain = version.trim().trim_start_matches(['v', 'V']).trim_end_matches(['*', '.']);
    let parts: Option<Vec<u64>> = plain.split('.').map(|part| part.parse().ok()).collect();
    let Some(parts) = parts.filter(|parts| (1..=3).contains(&parts.len())) else {
        return Condition::Unknown(format!("`{}` is compared with `{version}`, which is no version", looked_at.0));
    };
    let at = |place: usize| parts.get(place).copied().unwrap_or(0);
    let last = match compared {
        "wildcard" => parts.len() - 1,
        "tilde" => 1,
        // The first number that is not 0 stays.
        _ => (0..2).find(|place| at(*place) > 0).unwrap_or(2),
    };
    let upto: Vec<String> = (0..=last).map(|place| (at(place) + u64::from(place == last)).to_string()).collect();
    let from = looked_at.version(Compared::AtLeast, plain);
    Condition::All(vec![from, looked_at.version(Compared::Below, &upto.join("."))])
}
