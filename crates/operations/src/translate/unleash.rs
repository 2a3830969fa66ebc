//! Unleash: features with strategies, as its clients are told them. A strategy that does not fit passes on to the next, so what a flag's earlier
//! steps say is repeated as the contrary in the later ones.

use serde::Serialize;
use serde_json::Value;

use super::alternatives::{Atom, alternatives};
use super::plan::{Gives, Plan};
use super::test::Test;
use super::text;

/// Strategies of one feature.
const MOST_STRATEGIES: usize = 60;

#[derive(Serialize)]
struct Document {
    version: u32,
    features: Vec<Feature>,
    segments: [(); 0],
}

#[derive(Serialize)]
struct Feature {
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    strategies: Vec<Strategy>,
    variants: [(); 0],
}

#[derive(Serialize)]
struct Strategy {
    name: &'static str,
    parameters: Parameters,
    constraints: Vec<Constraint>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    variants: Vec<Variant>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    rollout: String,
    stickiness: String,
    group_id: String,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Constraint {
    context_name: String,
    operator: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    values: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    inverted: bool,
    case_insensitive: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Variant {
    name: String,
    weight: u32,
    weight_type: &'static str,
    stickiness: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Payload>,
}

#[derive(Serialize)]
struct Payload {
    #[serde(rename = "type")]
    kind: &'static str,
    value: String,
}

/// The file of these flags.
pub(super) fn written(plans: &mut [Plan<'_>]) -> String {
    let features = plans.iter_mut().map(feature).collect();
    text(&Document { version: 2, features, segments: [] })
}

fn feature(plan: &mut Plan<'_>) -> Feature {
    let flag = plan.flag;
    let strategies = if flag.enabled { strategies(plan) } else { Vec::new() };
    Feature {
        name: flag.name.to_string(),
        kind: if flag.goals.is_empty() { "release" } else { "experiment" },
        // without a strategy an enabled feature is on for everybody
        enabled: !strategies.is_empty(),
        description: super::description(flag),
        strategies,
        variants: [],
    }
}

fn strategies(plan: &mut Plan<'_>) -> Vec<Strategy> {
    let steps = std::mem::take(&mut plan.steps);
    let mut written = Vec::new();
    let mut before: Vec<Test> = Vec::new();
    for step in steps {
        let mut all = before.clone();
        all.push(step.test.clone());
        let Some((parameters, variants)) = gives(plan, &step.gives) else {
            before.push(Test::Not(Box::new(step.test)));
            continue;
        };
        match alternatives(&Test::All(all), MOST_STRATEGIES.saturating_sub(written.len())) {
            Ok(found) => written.extend(found.iter().map(|atoms| Strategy {
                name: "flexibleRollout",
                parameters: parameters.clone(),
                constraints: atoms.iter().map(constraint).collect(),
                variants: variants(),
            })),
            Err(why) => plan.lost.push(format!("a rule needs {why}")),
        }
        before.push(Test::Not(Box::new(step.test)));
    }
    written
}

type Given = (Parameters, Box<dyn Fn() -> Vec<Variant>>);

/// What a strategy says of its share; none for one that would give nobody anything.
fn gives(plan: &mut Plan<'_>, gives: &Gives) -> Option<Given> {
    let named = plan.flag.variants.are_named();
    let group = plan.kept().map_or_else(|| plan.flag.name.to_string(), |kept| kept.key);
    let stickiness = stickiness(plan.unit.as_deref());
    let parameters = |rollout: u32| Parameters {
        rollout: rollout.to_string(),
        stickiness: stickiness.clone(),
        group_id: group.clone(),
    };
    match gives {
        Gives::Variant(name) if *name == plan.off() => None,
        Gives::Variant(_) if !named => Some((parameters(100), Box::new(Vec::new))),
        Gives::Variant(name) => {
            let (variants, name, stickiness) = (plan.values(), name.clone(), stickiness.clone());
            Some((parameters(100), Box::new(move || vec![variant(&variants, &name, 1000, &stickiness)])))
        }
        Gives::Drawn(drawn) => {
            let (share, whole) = (drawn.share, drawn.share / 1000);
            if share % 1000 != 0 {
                plan.lost.push(format!(
                    "{} percent: Unleash has whole percentages, so it is {whole}",
                    f64::from(share) / 1000.0
                ));
            }
            if named && share < 100_000 {
                plan.lost.push("who is not in gets the variant `disabled` there, and the first variant here".into());
            }
            let (variants, stickiness) = (plan.values(), stickiness.clone());
            let total = plan.kept().map_or(1000, |kept| kept.total);
            let weights: Vec<_> =
                plan.cells(&drawn.lies, total).into_iter().filter(|(_, weight)| *weight > 0).collect();
            let all =
                move || weights.iter().map(|(name, weight)| variant(&variants, name, *weight, &stickiness)).collect();
            Some((parameters(whole), Box::new(all)))
        }
    }
}

fn variant(values: &[(String, Value)], name: &str, weight: u32, stickiness: &str) -> Variant {
    let value = values.iter().find(|(of, _)| of == name).map(|(_, value)| value);
    let payload = value.filter(|value| value.as_str() != Some(name)).map(|value| match value {
        Value::String(text) => Payload { kind: "string", value: text.clone() },
        Value::Number(number) => Payload { kind: "number", value: number.to_string() },
        other => Payload { kind: "json", value: other.to_string() },
    });
    Variant { name: name.into(), weight, weight_type: "fix", stickiness: stickiness.into(), payload }
}

/// The property that is hashed. What is drawn by visitor goes by the session's id of a context, as Unleash has no other for a browser.
fn stickiness(unit: Option<&str>) -> String {
    match unit {
        Some("user") => "userId".into(),
        Some("targetingKey" | "session") => "sessionId".into(),
        Some(other) => other.into(),
        None => "random".into(),
    }
}

/// The property of Unleash's context for an attribute.
fn property(name: &str) -> String {
    match name {
        "user" => "userId".into(),
        "ip" => "remoteAddress".into(),
        other => other.into(),
    }
}

fn constraint((test, holds): &Atom) -> Constraint {
    if let Test::AnyCase(inner) = test {
        let written = constraint(&((**inner).clone(), *holds));
        return Constraint { case_insensitive: written.operator.starts_with("STR_"), ..written };
    }
    let (name, operator, values, value) = match test {
        Test::In(name, words) => (name, "IN", words.clone(), None),
        // a list is sent as one text with commas
        Test::Has(name, words) => (name, "STR_CONTAINS", words.clone(), None),
        Test::Starts(name, word) => (name, "STR_STARTS_WITH", vec![word.clone()], None),
        Test::Ends(name, word) => (name, "STR_ENDS_WITH", vec![word.clone()], None),
        Test::Contains(name, word) => (name, "STR_CONTAINS", vec![word.clone()], None),
        Test::Below(name, version) | Test::AtLeast(name, version) => {
            (name, "SEMVER_LT", Vec::new(), Some(version.clone()))
        }
        // it begins with nothing, if it is there
        Test::Known(name) => (name, "STR_STARTS_WITH", vec![String::new()], None),
        _ => return Constraint::time(test, *holds),
    };
    let inverted = !holds ^ matches!(test, Test::AtLeast(..));
    Constraint { context_name: property(name), operator, values, value, inverted, case_insensitive: false }
}

impl Constraint {
    fn time(test: &Test, holds: bool) -> Self {
        let (operator, time) = match test {
            Test::Before(time) => ("DATE_BEFORE", *time),
            Test::After(time) => ("DATE_AFTER", time.saturating_sub(1)),
            _ => ("DATE_BEFORE", 0),
        };
        let value = jiff::Timestamp::from_second(time).ok().map(|time| time.to_string());
        Self {
            context_name: "currentTime".into(),
            operator,
            values: Vec::new(),
            value,
            inverted: !holds,
            case_insensitive: false,
        }
    }
}
