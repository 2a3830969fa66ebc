//! Variants, by weight.

use super::strategy::Strategy;
use crate::input::Node;
use crate::model::{Condition, Note, Share, weights};
use crate::options::Options;
use crate::vendors::plan::{Arms, Draw, Given, Step};

/// The variants of a feature or a strategy.
#[derive(Default)]
pub(super) struct Variants(Vec<Variant>);

struct Variant {
    name: String,
    /// It is called `off` there.
    was_off: bool,
    has_payload: bool,
    weight: u32,
    value: Node,
    stickiness: Option<String>,
    overrides: Vec<(String, Vec<String>)>,
}

impl Variants {
    pub(super) fn read(nodes: &[Node]) -> Self {
        let mut seen = Vec::new();
        let off = name_beside_off(nodes);
        let named = nodes.iter().map(|node| variant(node, &off)).filter(|variant| {
            let is_new = !seen.contains(&variant.name);
            seen.push(variant.name.clone());
            is_new
        });
        Self(named.collect())
    }

    /// Without variants that have a weight none is drawn; without any the flag is off or on.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty() || self.total() == 0
    }

    /// Names of variants without a payload: they mean their names.
    pub(super) fn without_payload(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|variant| !variant.has_payload).map(|variant| variant.name.as_str())
    }

    /// The name here of the variant that is called `off` there, if there is one.
    pub(super) fn called_off(&self) -> Option<&str> {
        self.0.iter().find(|variant| variant.was_off).map(|variant| variant.name.as_str())
    }

    pub(super) fn total(&self) -> i64 {
        self.0.iter().map(|variant| i64::from(variant.weight)).sum()
    }

    /// How many variants can be drawn; on alone, where there are none.
    pub(super) fn drawn(&self) -> usize {
        self.0.iter().filter(|variant| variant.weight > 0).count().max(1)
    }

    pub(super) fn stickiness(&self) -> Option<&str> {
        self.0.first()?.stickiness.as_deref()
    }

    /// Names and weights, in written order.
    pub(super) fn weights(&self, arms: &mut Arms) -> Vec<(String, Share)> {
        if self.is_empty() {
            return vec![(arms.of(&Node::Bool(true)), Share::EVERYBODY)];
        }
        self.0.iter().for_each(|variant| variant.put(arms));
        let numbers: Vec<_> = self.0.iter().map(|variant| f64::from(variant.weight)).collect();
        self.0.iter().map(|variant| variant.name.clone()).zip(weights(&numbers)).collect()
    }

    /// The one variant that can be drawn.
    pub(super) fn only(&self, arms: &mut Arms) -> Option<String> {
        let weights = self.weights(arms);
        weights.into_iter().find(|(_, share)| *share > Share::NOBODY).map(|(name, _)| name)
    }

    /// People who have a variant whatever they are drawn, among those for whom a strategy is.
    pub(super) fn overridden(
        &self,
        strategy: &Strategy,
        group: &str,
        arms: &mut Arms,
        options: &Options,
        notes: &mut Vec<Note>,
    ) -> Vec<Step> {
        let mut steps = Vec::new();
        for variant in &self.0 {
            for (name, values) in &variant.overrides {
                variant.put(arms);
                let key = options.key(name, notes);
                let condition = Condition::words(key, values.clone()).and(strategy.condition.clone());
                let given = match strategy.share == Share::EVERYBODY {
                    true => Given::Serve(variant.name.clone()),
                    false => Given::Draw(Draw {
                        share: strategy.share,
                        weights: vec![(variant.name.clone(), Share::EVERYBODY)],
                        hash: strategy.hash(self, group),
                        without_id: strategy.without_id(&strategy.stickiness),
                    }),
                };
                steps.push(Step { goes_on: true, ..Step::new(condition, given) });
            }
        }
        steps
    }
}

impl Variant {
    fn put(&self, arms: &mut Arms) {
        arms.add(&self.name, &self.value);
    }
}

/// The name here of a variant that is called `off` there: with it the feature is on, and `off` is what a flag gives that is not.
fn name_beside_off(nodes: &[Node]) -> String {
    let is_free = |name: &String| !nodes.iter().any(|node| node.text_at("name") == Some(name));
    (2..=nodes.len() + 2).map(|count| format!("off_{count}")).find(is_free).unwrap_or_default()
}

fn variant(node: &Node, off: &str) -> Variant {
    let there = node.text_at("name").unwrap_or_default();
    let name = if there == "off" { off } else { there }.to_owned();
    let weight = node.get("weight").and_then(Node::whole).and_then(|weight| u32::try_from(weight).ok()).unwrap_or(0);
    let overrides = node.items_at("overrides").iter().filter_map(|one| {
        let values = one.items_at("values").iter().filter_map(Node::word).collect();
        Some((one.text_at("contextName")?.to_owned(), values))
    });
    let stickiness = node.text_at("stickiness").filter(|of| !of.is_empty()).map(ToOwned::to_owned);
    let has_payload = node.at(&["payload", "value"]).and_then(Node::word).is_some();
    Variant {
        has_payload,
        was_off: there == "off",
        weight,
        stickiness,
        overrides: overrides.collect(),
        value: payload(node, there),
        name,
    }
}

/// The payload: JSON and numbers as what they are, everything else as text.
fn payload(node: &Node, name: &str) -> Node {
    let Some(text) = node.at(&["payload", "value"]).and_then(Node::word) else { return Node::Text(name.to_owned()) };
    let parsed = match node.at(&["payload", "type"]).and_then(Node::text) {
        Some("json" | "number") => crate::input::json(text.as_bytes()).ok(),
        _ => None,
    };
    parsed.unwrap_or(Node::Text(text))
}
