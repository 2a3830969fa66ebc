//! GO Feature Flag: variations, targeting with queries, a default rule.

use serde::Serialize;
use serde_json::{Map, Value};

use super::plan::{Gives, Plan};
use super::rules::query;
use super::test::Test;
use super::{Named, text};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    variations: Map<String, Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    targeting: Vec<Rule>,
    default_rule: Rule,
    #[serde(skip_serializing_if = "Option::is_none")]
    bucketing_key: Option<String>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    metadata: Map<String, Value>,
}

#[derive(Default, Serialize)]
struct Rule {
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    variation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    percentage: Option<Named<f64>>,
}

/// The file of these flags.
pub(super) fn written(plans: &mut [Plan<'_>]) -> String {
    let flags: Named<Definition> =
        plans.iter_mut().map(|plan| (plan.flag.name.to_string(), definition(plan))).collect();
    text(&flags)
}

fn definition(plan: &mut Plan<'_>) -> Definition {
    let mut targeting = Vec::new();
    let mut default_rule = Rule { variation: Some(plan.off()), ..Rule::default() };
    let steps = std::mem::take(&mut plan.steps);
    for step in &steps {
        let gives = rule(plan, &step.gives);
        if step.test == Test::Always {
            default_rule = gives;
            break;
        }
        match query(&step.test) {
            Ok(query) => targeting.push(Rule { query: Some(query), ..gives }),
            Err(why) => plan.lost.push(format!("a rule needs {why}")),
        }
    }
    let texts = [("description", super::description(plan.flag)), ("owner", plan.flag.owner.clone())];
    let texts = texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), Value::String(text?))));
    Definition {
        variations: plan.values().into_iter().collect(),
        targeting,
        default_rule,
        bucketing_key: plan.unit.clone().filter(|unit| unit != "targetingKey"),
        metadata: texts.collect(),
    }
}

fn rule(plan: &mut Plan<'_>, gives: &Gives) -> Rule {
    let drawn = match gives {
        Gives::Variant(name) => return Rule { variation: Some(name.clone()), ..Rule::default() },
        Gives::Drawn(drawn) => drawn,
    };
    if plan.unit.is_none() {
        plan.lost.push("it is drawn anew for each request, which GO Feature Flag cannot do: everybody is off".into());
        return Rule { variation: Some(plan.off()), ..Rule::default() };
    }
    let mut percentage = Named::new();
    let parts = plan.parts(drawn);
    for (name, weight) in &parts {
        *percentage.entry(name.clone()).or_default() += f64::from(*weight) / 1000.0;
    }
    // it has the variants lie in the contrary order of their names
    let lies_so = parts.windows(2).all(|pair| matches!(pair, [(a, _), (b, _)] if a > b));
    if !lies_so && plan.kept().is_some() {
        plan.redrawn = true;
        plan.lost
            .push("its visitors are drawn anew: there variants lie in another order, and each in one piece".into());
    }
    Rule { percentage: Some(percentage), ..Rule::default() }
}
