//! Rules: a value that is forced, for some or for all, or an experiment.

use super::Slice;
use super::conditions::Reading;
use super::ranges::{Ranges, of_experiment};
use crate::input::Node;
use crate::model::{Condition, Hash, Note, Share};
use crate::vendors::plan::{Arms, Draw, Given, Step, WithoutId};

/// A rule, and what it says of the flag as a whole.
#[derive(Default)]
pub(super) struct RuleRead {
    pub(super) step: Option<Step>,
    /// The attribute that is hashed.
    pub(super) attribute: Option<String>,
    /// The flag's part of a namespace.
    pub(super) slice: Option<Slice>,
    /// Flags that must be on.
    pub(super) needs: Vec<String>,
}

/// Reads a rule; `last` is the one behind which nothing comes.
///
/// # Errors
/// With the reason, when it cannot be carried.
pub(super) fn read(
    flag: &str,
    node: &Node,
    reading: &Reading<'_>,
    arms: &mut Arms,
    last: bool,
    notes: &mut Vec<Note>,
) -> Result<RuleRead, String> {
    let mut read = RuleRead::default();
    if passes_through(node) {
        return Err("who is in one of its variations goes on to the next rule (`passthrough`)".into());
    }
    let mut condition = match node.get("condition") {
        Some(condition) => reading.condition(condition, notes),
        None => Condition::Always,
    };
    for parent in node.items_at("parentConditions") {
        match parent_needed(parent) {
            Some(name) if parent.truth_at("gate") == Some(true) => read.needs.push(name),
            _ => return Err("it asks for the value of another flag".into()),
        }
    }
    if is_sliced(node) {
        if !last || condition != Condition::Always {
            return Err(
                "it is in a namespace, and is not the last rule for everybody: a flag is in a layer as a whole here"
                    .into(),
            );
        }
        read.slice = Some(slice(node)?);
    }
    if node.get("variations").is_none() && node.get("force").is_none() {
        // A rule that only asks for other flags.
        return if read.needs.is_empty() { Err("it gives no value".into()) } else { Ok(read) };
    }
    let given = given(flag, node, arms)?;
    let share = match &given {
        Given::Draw(draw) => draw.share,
        Given::Serve(_) => Share::EVERYBODY,
    };
    if let Given::Draw(_) = &given {
        read.attribute = Some(hashed(node, "hashAttribute"));
        if let Some(other) = node.text_at("fallbackAttribute").filter(|other| !other.is_empty()) {
            Note::add(
                notes,
                Note::lost(format!(
                    "Where there are sticky buckets, it hashes `{other}` for those who have no `{}`. Here they have no id for it.",
                    hashed(node, "hashAttribute")
                )),
            );
        }
    }
    if share == Share::NOBODY {
        condition = Condition::Never;
    }
    // Whom its coverage leaves out, and who has no id, goes on to the next rule.
    let comment = node.text_at("name").map(ToOwned::to_owned);
    read.step = Some(Step { goes_on: true, comment, ..Step::new(condition, given) });
    Ok(read)
}

/// The variations of an experiment. A rule that forces a value is none, whatever else is in it.
fn variations(node: &Node) -> &[Node] {
    if has(node, "force") { &[] } else { node.items_at("variations") }
}

/// Whether a key is written, even with null.
fn has(node: &Node, key: &str) -> bool {
    node.entries().iter().any(|(name, _)| name == key)
}

/// Whether a variation is not kept: GrowthBook asks the next rule then, as its holdouts do.
fn passes_through(node: &Node) -> bool {
    node.items_at("meta").iter().any(|meta| meta.truth_at("passthrough") == Some(true))
}

/// Whether only a part of a namespace comes to it. GrowthBook looks at `namespace` for experiments alone.
fn is_sliced(node: &Node) -> bool {
    let is_experiment = !variations(node).is_empty();
    node.get("filters").is_some() || (node.get("namespace").is_some() && is_experiment)
}

/// The flag that must be on, in `{"id": "parent", "condition": {"value": true}}`.
fn parent_needed(parent: &Node) -> Option<String> {
    let wanted = parent.at(&["condition", "value"])?;
    let is_on = wanted.truth() == Some(true) || wanted.get("$eq").and_then(Node::truth) == Some(true);
    is_on.then(|| parent.text_at("id").map(ToOwned::to_owned)).flatten()
}

/// The attribute that is hashed; the id where it is not said.
fn hashed(node: &Node, key: &str) -> String {
    node.text_at(key).filter(|attribute| !attribute.is_empty()).unwrap_or("id").to_owned()
}

fn version(node: &Node, default: i64) -> i64 {
    node.get("hashVersion").and_then(Node::whole).unwrap_or(default)
}

fn formula(seed: &str, version: i64) -> Hash {
    let hash = Hash::new("growthbook").text("seed", seed);
    if version == 2 { hash.number("version", 2) } else { hash }
}

fn given(flag: &str, node: &Node, arms: &mut Arms) -> Result<Given, String> {
    let seed = node.text_at("seed").map(ToOwned::to_owned);
    let variations = variations(node);
    if variations.is_empty() {
        let value = node.get("force").unwrap_or(&Node::Null);
        let name = arms.of(value);
        return forced(name, node, &formula(&seed.unwrap_or_else(|| flag.to_owned()), version(node, 1)));
    }
    let key = node.text_at("key").unwrap_or(flag).to_owned();
    let hash = formula(&seed.unwrap_or(key), version(node, 1));
    let mut names: Vec<String> = Vec::new();
    for value in variations {
        let name = arms.of(value);
        names.push(if names.contains(&name) { arms.another(value) } else { name });
    }
    let Ranges { share, weights } = of_experiment(node, variations.len())?;
    Ok(Given::Draw(Draw {
        share,
        weights: names.into_iter().zip(weights).collect(),
        hash,
        without_id: WithoutId::Next,
    }))
}

/// A forced value, for all or for some: `n ≤ coverage`, or `n` in a range.
fn forced(name: String, node: &Node, hash: &Hash) -> Result<Given, String> {
    let grid = if version(node, 1) == 2 { 10_000.0 } else { 1000.0 };
    let share = match (node.get("range"), node.number_at("coverage")) {
        (Some(range), _) => match range.items() {
            [from, to] if from.number() == Some(0.0) => Share::percent(to.number().unwrap_or(0.0) * 100.0),
            _ => return Err("it is for a range that does not begin at 0".into()),
        },
        (None, None) => return Ok(Given::Serve(name)),
        (None, Some(coverage)) if coverage >= 1.0 => return Ok(Given::Serve(name)),
        (None, Some(coverage)) if coverage <= 0.0 => Share::NOBODY,
        // At most, not below: one number more.
        (None, Some(coverage)) => Share::percent(((coverage * grid + 1e-9).floor() + 1.0) / grid * 100.0),
    };
    Ok(Given::Draw(Draw {
        share,
        weights: vec![(name, Share::EVERYBODY)],
        hash: hash.clone(),
        without_id: WithoutId::Next,
    }))
}

/// One filter, or `["pricing", 0, 0.5]` as it was written before there were filters: GrowthBook passes that over where both are.
fn slice(node: &Node) -> Result<Slice, String> {
    if node.get("filters").is_some() {
        return filtered(node);
    }
    let [name, from, to] = node.items_at("namespace") else {
        return Err("its namespace is not a name and two numbers".into());
    };
    let name = name.word().unwrap_or_default();
    let parts = vec![part(from, to)?];
    Ok(Slice { hash: formula(&format!("__{name}"), 1), name, parts, attribute: hashed(node, "hashAttribute") })
}

/// A filter hashes an attribute of its own, whatever the rule behind it draws by.
fn filtered(node: &Node) -> Result<Slice, String> {
    let [filter] = node.items_at("filters") else { return Err("it has several filters".into()) };
    let seed = filter.text_at("seed").unwrap_or_default().to_owned();
    let parts = filter.items_at("ranges").iter().map(|range| match range.items() {
        [from, to] => part(from, to),
        _ => Err("a filter's range is not two numbers".into()),
    });
    let parts = parts.collect::<Result<Vec<_>, String>>()?;
    let attribute = hashed(filter, "attribute");
    Ok(Slice { hash: formula(&seed, version(filter, 2)), name: seed, parts, attribute })
}

fn part(from: &Node, to: &Node) -> Result<(Share, Share), String> {
    let share = |node: &Node| node.number().map(|number| Share::percent(number * 100.0));
    match (share(from), share(to)) {
        (Some(from), Some(to)) if from < to => Ok((from, to)),
        _ => Err("its part of a namespace is empty".into()),
    }
}
