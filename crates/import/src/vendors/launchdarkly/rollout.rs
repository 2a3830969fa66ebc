//! Rollouts and experiments.

use super::{Variations, clauses};
use crate::input::Node;
use crate::model::Share;
use crate::model::{Hash, Note, weights};
use crate::vendors::plan::{Arms, Draw, Given, WithoutId, one_unit};

/// The rollouts of a flag.
pub(super) struct Rollouts<'a> {
    key: &'a str,
    salt: &'a str,
    variations: &'a Variations,
    unit: Option<String>,
}

impl<'a> Rollouts<'a> {
    pub(super) fn new(key: &'a str, node: &'a Node, variations: &'a Variations) -> Self {
        Self { key, salt: node.text_at("salt").unwrap_or_default(), variations, unit: None }
    }

    /// The attribute that is hashed.
    pub(super) fn unit(&self) -> Option<String> {
        self.unit.clone()
    }

    /// What a rule, or the fallthrough, gives.
    ///
    /// # Errors
    /// With the reason, when it cannot be carried.
    pub(super) fn given(&mut self, node: &Node, arms: &mut Arms, notes: &mut Vec<Note>) -> Result<Given, String> {
        if let Some(index) = node.get("variation") {
            let name = self.variations.name(Some(index));
            return name.map(Given::Serve).ok_or_else(|| "it names no variation of the flag".into());
        }
        let Some(rollout) = node.get("rollout") else {
            return Err("it gives neither a variation nor a rollout".into());
        };
        let mut names: Vec<String> = Vec::new();
        let mut numbers = Vec::new();
        for part in rollout.items_at("variations") {
            let name =
                self.variations.name(part.get("variation")).ok_or("a rollout names no variation of the flag")?;
            let weight = part.number_at("weight").unwrap_or(0.0);
            match (names.last() == Some(&name), numbers.last_mut()) {
                (true, Some(number)) => *number += weight,
                _ => {
                    numbers.push(weight);
                    names.push(self.another(name, &names, part, arms));
                }
            }
        }
        if names.is_empty() {
            return Err("a rollout has no variations".into());
        }
        one_unit(&mut self.unit, &unit(rollout), notes);
        let weights: Vec<_> = names.into_iter().zip(shares(&numbers)).collect();
        let without_id = without_id(rollout, &weights);
        Ok(Given::Draw(Draw { share: Share::EVERYBODY, weights, hash: self.hash(rollout), without_id }))
    }

    /// A variation that has several parts of a rollout has a name for each.
    fn another(&self, name: String, names: &[String], part: &Node, arms: &mut Arms) -> String {
        let index = part.get("variation").and_then(Node::whole).and_then(|index| usize::try_from(index).ok());
        match index.and_then(|index| self.variations.values.get(index)).filter(|_| names.contains(&name)) {
            Some(value) => arms.another(value),
            None => name,
        }
    }

    fn hash(&self, rollout: &Node) -> Hash {
        let hash = Hash::new("launchdarkly");
        match rollout.get("seed").and_then(Node::whole) {
            Some(seed) => hash.number("seed", seed),
            None => hash.text("key", self.key).text("salt", self.salt),
        }
    }
}

/// Whether a rollout of a flag has several parts for a variation, with others between them. Each part is a variant here.
pub(super) fn splits(flag: &Node, variation: Option<&Node>) -> bool {
    let rests = flag.items_at("rules").iter().chain(flag.get("fallthrough"));
    rests.filter_map(|rest| rest.get("rollout")).any(|rollout| {
        let mut parts: Vec<_> = rollout.items_at("variations").iter().map(|part| part.get("variation")).collect();
        parts.dedup();
        parts.into_iter().filter(|of| *of == variation).count() > 1
    })
}

/// Weights are of 100,000; what is left over belongs to the last.
fn shares(numbers: &[f64]) -> Vec<Share> {
    let total: f64 = numbers.iter().sum();
    let mut numbers = numbers.to_vec();
    if let Some(last) = numbers.last_mut().filter(|_| total < 100_000.0) {
        *last += 100_000.0 - total;
    }
    weights(&numbers)
}

/// A user without a key is refused, so that code's own default counts. Any other id that is missing is the number 0.
fn without_id(rollout: &Node, weights: &[(String, Share)]) -> WithoutId {
    let first = weights.iter().find(|(_, share)| *share > Share::NOBODY).map(|(name, _)| name.clone());
    match first {
        Some(first) if unit(rollout) != "key" => WithoutId::Serve(first),
        _ => WithoutId::Off,
    }
}

/// The attribute that is hashed. Experiments always go by the key.
fn unit(rollout: &Node) -> String {
    let kind = rollout.text_at("contextKind").unwrap_or("user");
    let is_experiment = rollout.text_at("kind") == Some("experiment");
    let by = rollout.text_at("bucketBy").filter(|by| !by.is_empty() && !is_experiment).unwrap_or("key");
    clauses::attribute(kind, by)
}
