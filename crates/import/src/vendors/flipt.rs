//! Flipt: its features file, YAML or JSON, as `flipt export` writes it.

use std::collections::HashMap;

use crate::chain::{Arm, Chain, Draw, Get, OFF, ON, Pick, Step, on_and_off};
use crate::error::ImportError;
use crate::input::{self, Node};
use crate::looked_at::{Compared, LookedAt, Place};
use crate::model::{Condition, Flag, Hash, Imported, Note, Segment, Share};
use crate::options::Options;

/// Reads a file.
pub(crate) fn read(bytes: &[u8], options: &Options) -> Result<Imported, ImportError> {
    let file = input::json_or_yaml(bytes)?;
    let Some(Node::List(flags)) = file.get("flags") else {
        return Err(ImportError::shape(
            "a features file of Flipt",
            "there is no list `flags`; write it with `flipt export`",
        ));
    };
    let segments = file.items_at("segments");
    let known = segments.iter().filter_map(|segment| Some((segment.text_at("key")?, segment))).collect();
    let reading = Reading { known, options };
    let flags = flags.iter().map(|flag| reading.flag(flag)).collect();
    let segments = segments.iter().filter_map(|segment| reading.segment(segment)).collect();
    Ok(Imported { flags, segments, ..Imported::default() })
}

struct Reading<'a> {
    known: HashMap<&'a str, &'a Node>,
    options: &'a Options,
}

impl Reading<'_> {
    fn segment(&self, segment: &Node) -> Option<Segment> {
        // What is not mapped is noted on each flag that asks for the segment.
        let condition = self.constraints(segment, &mut Vec::new());
        let title = segment.text_at("name").filter(|name| !name.is_empty()).map(Into::into);
        Some(Segment { origin: segment.text_at("key")?.into(), title, condition })
    }

    fn flag(&self, node: &Node) -> Flag {
        let Some(key) = node.text_at("key") else { return Flag::refused("?", "It has no key.") };
        let mut flag = Flag::new(key);
        let text = |key| node.text_at(key).filter(|text| !text.is_empty());
        flag.description = text("description").or_else(|| text("name")).map(Into::into);
        let draw = Draw { hash: Hash::new("flipt").text("key", key), unit: "user".into() };
        let chain = match node.text_at("type") {
            Some("BOOLEAN_FLAG_TYPE") => self.boolean(node, &draw, &mut flag),
            _ => self.variants(node, &draw, &mut flag),
        };
        let is_boolean = chain.arms == on_and_off();
        chain.into_flag(&mut flag);
        if is_boolean && !flag.variants.is_empty() {
            flag.lost("Its thresholds lie in more parts than on and off: people are drawn anew.");
        }
        flag
    }

    /// Thresholds and segments, one after the other; at the end, whether it is enabled.
    fn boolean(&self, node: &Node, draw: &Draw, flag: &mut Flag) -> Chain {
        let arm = |node: &Node| if node.truth_at("value") == Some(true) { ON } else { OFF };
        let mut steps = Vec::new();
        for rollout in node.items_at("rollouts") {
            if let Some(threshold) = rollout.get("threshold") {
                // Flipt's grid is whole percents.
                let share = Share::percent(threshold.number_at("percentage").unwrap_or_default().ceil());
                let get = Get::below(draw.clone(), share, Pick::Arm(arm(threshold)));
                steps.push(Step::new(Condition::Always, get));
            } else if let Some(segment) = rollout.get("segment") {
                steps.push(Step::new(self.asked(segment, flag), Get::arm(arm(segment))));
            }
        }
        let default = if node.truth_at("enabled") == Some(true) { ON } else { OFF };
        steps.push(Step::new(Condition::Always, Get::arm(default)));
        Chain { arms: on_and_off(), control: OFF, drawn: Vec::new(), steps }
    }

    /// Rules, the first that matches wins; else the default variant, or none, which is off here.
    fn variants(&self, node: &Node, draw: &Draw, flag: &mut Flag) -> Chain {
        flag.enabled = node.truth_at("enabled") != Some(false);
        let variants = node.items_at("variants");
        let mut arms: Vec<Arm> = on_and_off().into_iter().take(1).collect();
        let named = variants.iter().filter_map(|variant| variant.get("key").and_then(Node::word));
        arms.extend(named.map(|name| Arm { value: Some(Node::Text(name.clone())), name }));
        let place = |name: &str| arms.iter().skip(ON).position(|arm| arm.name == name).map(|place| place + ON);
        let default = variants.iter().find(|variant| variant.truth_at("default") == Some(true));
        let control = default.and_then(|variant| place(variant.text_at("key")?)).unwrap_or(OFF);
        let mut steps = Vec::new();
        for rule in node.items_at("rules") {
            let condition = self.asked(rule, flag);
            let get = match rule.items_at("distributions") {
                [] => Get::arm(control),
                distributions => Get::parts(draw.clone(), parts(distributions, &place)).or_else(Pick::Arm(control)),
            };
            steps.push(Step::new(condition, get));
        }
        if variants.iter().any(|variant| variant.get("attachment").is_some()) {
            let of = |variant: &Node| Some((variant.text_at("key")?.to_owned(), variant.get("attachment")?.clone()));
            flag.metadata.push(("attachments".into(), Node::Table(variants.iter().filter_map(of).collect())));
            flag.remark("Attachments of its variants are under metadata.");
        }
        if control != OFF {
            arms.remove(OFF);
            steps.iter_mut().for_each(|step| step.get.move_arms(1));
            return Chain { arms, control: control - 1, drawn: Vec::new(), steps };
        }
        Chain { arms, control, drawn: Vec::new(), steps }
    }

    /// The segments that a rule or a rollout asks for, one of them or all.
    fn asked(&self, node: &Node, flag: &mut Flag) -> Condition {
        let inner = node.get("segment").filter(|segment| segment.is_table()).unwrap_or(node);
        let one = inner.get("segment").or_else(|| inner.get("key")).and_then(Node::word);
        let lists = inner.items_at("keys").iter().chain(inner.items_at("segments"));
        let names: Vec<String> = one.into_iter().chain(lists.filter_map(Node::word)).collect();
        let operator = inner.text_at("operator").or_else(|| inner.text_at("segmentOperator"));
        let all: Vec<_> = names.into_iter().map(|name| self.named(name, &mut flag.notes)).collect();
        match operator {
            _ if all.is_empty() => Condition::Unknown("a rule names no segment".into()),
            Some("AND_SEGMENT_OPERATOR") => Condition::All(all),
            _ => Condition::Any(all),
        }
    }

    fn named(&self, name: String, notes: &mut Vec<Note>) -> Condition {
        // Reading it says what is not mapped.
        if let Some(segment) = self.known.get(name.as_str()) {
            let _ = self.constraints(segment, notes);
        }
        Condition::Segment(name)
    }

    fn constraints(&self, segment: &Node, notes: &mut Vec<Note>) -> Condition {
        let all: Vec<_> = segment.items_at("constraints").iter().map(|one| self.constraint(one, notes)).collect();
        match segment.text_at("match_type") {
            _ if all.is_empty() => Condition::Always,
            Some("ANY_MATCH_TYPE") => Condition::Any(all),
            _ => Condition::All(all),
        }
    }

    /// A constraint; what is missing passes none but those that ask for it.
    fn constraint(&self, node: &Node, notes: &mut Vec<Note>) -> Condition {
        let property = node.text_at("property").unwrap_or_default();
        let kind = node.text_at("type").unwrap_or_default();
        let is_entity = kind == "ENTITY_ID_COMPARISON_TYPE" || property == "entityId";
        let key = if is_entity { "user".to_owned() } else { self.options.key(property, notes) };
        let (looked_at, value) = (LookedAt(key), node.get("value").and_then(Node::word).unwrap_or_default());
        let operator = node.text_at("operator").unwrap_or_default();
        match kind {
            "NUMBER_COMPARISON_TYPE" => number(&looked_at, operator, &value),
            "BOOLEAN_COMPARISON_TYPE" => truth(&looked_at, operator),
            "DATETIME_COMPARISON_TYPE" => Condition::Unknown(format!("`{property}` is compared as a point in time")),
            _ => text(&looked_at, operator, &value),
        }
    }
}

/// Weights of variants on a grid of 1000; what is left over goes on.
fn parts(distributions: &[Node], place: &dyn Fn(&str) -> Option<usize>) -> impl Iterator<Item = (u32, Option<Pick>)> {
    let mut sum = 0.0;
    let part = |distribution: &Node| {
        sum += distribution.number_at("rollout").unwrap_or_default();
        let pick = distribution.text_at("variant").and_then(place).map(Pick::Arm);
        (Share::percent((sum * 10.0 + 1e-4).floor() / 10.0).as_thousandths(), pick)
    };
    let parts: Vec<_> = distributions.iter().map(part).collect();
    parts.into_iter().chain([(Share::EVERYBODY.as_thousandths(), None)])
}

fn text(looked_at: &LookedAt, operator: &str, value: &str) -> Condition {
    let listed = || {
        input::json(value.as_bytes())
            .map_or_else(|_| Vec::new(), |list| list.items().iter().filter_map(Node::word).collect())
    };
    let filled = looked_at.matches(r"\S");
    match operator {
        "eq" => looked_at.has(Place::Whole, [value]),
        "neq" => looked_at.but_not(looked_at.has(Place::Whole, [value])),
        "empty" => filled.negated(),
        "notempty" => filled,
        "prefix" => looked_at.has(Place::Start, [value]),
        "suffix" => looked_at.has(Place::End, [value]),
        "contains" => looked_at.has(Place::Anywhere, [value]),
        "notcontains" => looked_at.but_not(looked_at.has(Place::Anywhere, [value])),
        "isoneof" => looked_at.has(Place::Whole, listed()),
        "isnotoneof" => looked_at.but_not(looked_at.has(Place::Whole, listed())),
        other => Condition::Unknown(format!("`{}` is compared by `{other}`", looked_at.0)),
    }
}

fn number(looked_at: &LookedAt, operator: &str, value: &str) -> Condition {
    let compared = match operator {
        "present" => return looked_at.present(),
        "notpresent" => return looked_at.present().negated(),
        "eq" | "neq" => Compared::Is,
        "lt" => Compared::Below,
        "lte" => Compared::UpTo,
        "gt" => Compared::Above,
        "gte" => Compared::AtLeast,
        other => return Condition::Unknown(format!("`{}` is compared by `{other}`", looked_at.0)),
    };
    let Ok(number) = value.trim().parse() else {
        return Condition::Unknown(format!("`{}` is compared with `{value}`, which is no number", looked_at.0));
    };
    let is = looked_at.number(compared, number);
    if operator == "neq" { looked_at.but_not(is) } else { is }
}

fn truth(looked_at: &LookedAt, operator: &str) -> Condition {
    match operator {
        "true" => looked_at.has_any_case(Place::Whole, ["true", "t", "1"]),
        "false" => looked_at.has_any_case(Place::Whole, ["false", "f", "0"]),
        "present" => looked_at.present(),
        "notpresent" => looked_at.present().negated(),
        other => Condition::Unknown(format!("`{}` is compared by `{other}`", looked_at.0)),
    }
}
