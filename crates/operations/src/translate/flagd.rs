//! flagd: JSON Logic, and `fractional` for shares.

use serde::Serialize;
use serde_json::{Map, Value};

use super::plan::{Gives, Plan};
use super::test::Test;
use super::{Named, text};

#[derive(Serialize)]
struct Document {
    #[serde(rename = "$schema")]
    schema: &'static str,
    flags: Named<Definition>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    state: &'static str,
    variants: Map<String, Value>,
    default_variant: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    targeting: Option<Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    metadata: Map<String, Value>,
}

/// The file of these flags.
pub(super) fn written(plans: &mut [Plan<'_>]) -> String {
    let flags = plans.iter_mut().map(|plan| (plan.flag.name.to_string(), definition(plan))).collect();
    text(&Document { schema: "https://flagd.dev/schema/v0/flags.json", flags })
}

fn definition(plan: &mut Plan<'_>) -> Definition {
    let off = plan.off();
    let targeting = targeting(plan);
    let texts = [("description", super::description(plan.flag)), ("owner", plan.flag.owner.clone())];
    let texts = texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), Value::String(text?))));
    Definition {
        state: "ENABLED",
        variants: plan.values().into_iter().collect(),
        // a static answer needs no targeting
        default_variant: targeting.as_ref().and_then(Value::as_str).map_or(off, ToOwned::to_owned),
        targeting: targeting.filter(|targeting| !targeting.is_string()),
        metadata: texts.collect(),
    }
}

/// `if` with a branch for each step; nothing where everybody is off.
fn targeting(plan: &mut Plan<'_>) -> Option<Value> {
    let steps = std::mem::take(&mut plan.steps);
    let mut branches = Vec::new();
    let mut last = None;
    for step in &steps {
        let gives = gives(plan, &step.gives);
        match &step.test {
            Test::Always => {
                last = Some(gives);
                break;
            }
            test => branches.extend([logic(test), gives]),
        }
    }
    if branches.is_empty() {
        return last;
    }
    branches.extend(last);
    Some(op("if", branches))
}

fn gives(plan: &mut Plan<'_>, gives: &Gives) -> Value {
    let drawn = match gives {
        Gives::Variant(name) => return name.as_str().into(),
        Gives::Drawn(drawn) => drawn,
    };
    let Some(unit) = plan.unit.clone() else {
        plan.lost.push("it is drawn anew for each request, which flagd cannot do: everybody is off".into());
        return plan.off().into();
    };
    let key = plan.kept().map_or_else(|| plan.flag.name.to_string(), |kept| kept.key);
    let mut arguments = Vec::new();
    if key.is_empty() {
        arguments.push(var(&unit));
    } else if key != plan.flag.name.as_str() || unit != "targetingKey" {
        arguments.push(op("cat", vec![key.into(), var(&unit)]));
    }
    let total = plan.kept().map_or(100_000, |kept| kept.total);
    for (name, cells) in plan.cells(&plan.parts(drawn), total) {
        arguments.push(Value::Array(vec![name.into(), cells.into()]));
    }
    op("fractional", arguments)
}

fn op(name: &str, arguments: Vec<Value>) -> Value {
    Value::Object(Map::from_iter([(name.to_owned(), Value::Array(arguments))]))
}

/// The value of an attribute. A dot in its name would be a way into an object.
fn var(name: &str) -> Value {
    Value::Object(Map::from_iter([("var".to_owned(), name.into())]))
}

fn words(words: &[String]) -> Value {
    Value::Array(words.iter().map(|word| word.as_str().into()).collect())
}

fn logic(test: &Test) -> Value {
    let all = |list: &[Test]| list.iter().map(logic).collect();
    match test {
        Test::Always => true.into(),
        Test::Cannot(_) => false.into(),
        Test::In(name, list) => op("in", vec![var(name), words(list)]),
        // a missing list holds nothing
        Test::Has(name, list) => {
            let has = |word: &String| op("in", vec![word.as_str().into(), var(name)]);
            op("and", vec![known(name), op("or", list.iter().map(has).collect())])
        }
        Test::Starts(name, word) => {
            op("and", vec![known(name), op("starts_with", vec![var(name), word.as_str().into()])])
        }
        Test::Ends(name, word) => {
            op("and", vec![known(name), op("ends_with", vec![var(name), word.as_str().into()])])
        }
        Test::Contains(name, word) => op("and", vec![known(name), op("in", vec![word.as_str().into(), var(name)])]),
        Test::AtLeast(name, version) => op("sem_ver", vec![var(name), ">=".into(), version.as_str().into()]),
        Test::Below(name, version) => op("sem_ver", vec![var(name), "<".into(), version.as_str().into()]),
        Test::Known(name) => known(name),
        Test::After(time) => op(">=", vec![var("$flagd.timestamp"), (*time).into()]),
        Test::Before(time) => op("<", vec![var("$flagd.timestamp"), (*time).into()]),
        Test::AnyCase(inner) => logic(inner),
        Test::Not(inner) => op("!", vec![logic(inner)]),
        Test::All(list) => op("and", all(list)),
        Test::Any(list) => op("or", all(list)),
    }
}

fn known(name: &str) -> Value {
    op("!!", vec![var(name)])
}
