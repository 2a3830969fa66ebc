//! Unleash: an export, a state file, or what SDKs are given by `/api/client/features`.
//!
//! `document` finds the parts of the three kinds, `constraints` reads constraints and segments, `strategy` reads strategies, `variants`
//! reads variants.

mod constraints;
mod document;
mod strategy;
mod variants;

use crate::error::ImportError;
use crate::input::{Node, json};
use crate::model::{Condition, Flag, Imported, Note, Requirement, Segment, Share};
use crate::options::Options;
use crate::vendors::beyond_ascii;
use crate::vendors::plan::{Arms, Draw, Given, Plan, Step, one_unit};
use document::{Document, Feature};
use strategy::Strategy;
use variants::Variants;

/// Reads an export.
pub(crate) fn read(bytes: &[u8], options: &Options) -> Result<Imported, ImportError> {
    let root = json(bytes)?;
    let document = Document::new(&root, options.environment.as_deref())?;
    let mut notes = Vec::new();
    let segments = root.items_at("segments").iter().map(|node| segment(node, options, &mut notes)).collect();
    let mut imported = Imported { segments, notes, ..Imported::default() };
    for feature in document.features() {
        imported.flags.push(flag(&feature, &document, options));
    }
    Ok(imported)
}

fn segment(node: &Node, options: &Options, notes: &mut Vec<Note>) -> Segment {
    let origin = node.get("id").and_then(Node::word).unwrap_or_default();
    let title = node.text_at("name").map(ToOwned::to_owned);
    Segment { origin, title, condition: constraints::all(node.items_at("constraints"), options, notes) }
}

fn flag(feature: &Feature<'_>, document: &Document<'_>, options: &Options) -> Flag {
    let mut flag = Flag::new(feature.name);
    let text = |key: &str| feature.node.text_at(key).map(ToOwned::to_owned);
    flag.description = text("description");
    flag.created = text("createdAt").and_then(|time| time.get(..10).map(ToOwned::to_owned));
    flag.enabled = feature.enabled;
    for key in ["project", "type"] {
        flag.metadata.extend(feature.node.get(key).map(|node| (key.to_owned(), node.clone())));
    }
    if feature.node.truth_at("stale") == Some(true) {
        flag.remark("Unleash calls it stale.");
    }
    needs(&mut flag, &document.dependencies(feature));
    let strategies: Vec<_> = feature
        .strategies
        .iter()
        .filter(|node| node.truth_at("disabled") != Some(true))
        .map(|node| Strategy::read(node, feature, document, options, &mut flag.notes))
        .collect();
    let own = Variants::read(feature.variants);
    let (called_off, without_payload) = names(&own, &strategies);
    for name in called_off {
        flag.remark(format!(
            "The variant `off` is `{name}` here, and code is told that name: a flag that is off is `off`."
        ));
    }
    let plan = plan(strategies, &own, feature, options, &mut flag);
    beyond_ascii::remark(&mut flag, "Unleash's SDK for Node");
    plan.put(&mut flag);
    for variant in flag.variants.iter_mut().filter(|variant| without_payload.contains(&variant.name)) {
        variant.value = None;
    }
    flag
}

/// The names here of variants that are called `off` there, and of those without a payload.
fn names(own: &Variants, strategies: &[Strategy]) -> (Vec<String>, Vec<String>) {
    let all = || std::iter::once(own).chain(strategies.iter().map(|strategy| &strategy.variants));
    let called_off = all().filter_map(Variants::called_off).map(ToOwned::to_owned);
    let without_payload = all().flat_map(Variants::without_payload).map(ToOwned::to_owned);
    (called_off.collect(), without_payload.collect())
}

/// Flags that this one depends on.
fn needs(flag: &mut Flag, dependencies: &[&Node]) {
    for dependency in dependencies {
        let Some(origin) = dependency.text_at("feature") else { continue };
        let wanted = dependency.items_at("variants");
        let variant = match (dependency.truth_at("enabled"), wanted) {
            // That flag must not be on: `off` is what it gives then.
            (Some(false), _) => Some("off".to_owned()),
            (_, []) => None,
            (_, [one]) => {
                flag.needs_variant(origin, &one.word().unwrap_or_default());
                continue;
            }
            _ => {
                flag.lost(format!("It needs one of several variants of `{origin}`; here that flag must be on."));
                None
            }
        };
        flag.requires.push(Requirement { origin: origin.to_owned(), variant });
    }
}

/// Strategies, of which one is enough: those whom one leaves out go on to the next.
fn plan(
    mut strategies: Vec<Strategy>,
    own: &Variants,
    feature: &Feature<'_>,
    options: &Options,
    flag: &mut Flag,
) -> Plan {
    strategies.retain(|strategy| strategy.condition != Condition::Never && strategy.share > Share::NOBODY);
    let mut arms = Arms::default();
    let mut unit = None;
    let mut steps = Vec::new();
    let has_strategies = !feature.strategies.is_empty();
    if !has_strategies {
        let all = Strategy::everybody(feature.name);
        strategies.push(all);
    }
    for strategy in &strategies {
        let variants = if strategy.variants.is_empty() { own } else { &strategy.variants };
        let is_drawn = strategy.share < Share::EVERYBODY || variants.drawn() > 1;
        if is_drawn {
            one_unit(&mut unit, strategy.drawn_by(variants), &mut flag.notes);
            if strategy.share < Share::EVERYBODY && variants.stickiness().is_some_and(|of| of != strategy.stickiness)
            {
                flag.lost("Its variants go by another id than its rollout; here both go by that of the rollout.");
            }
        }
        let group = if strategy.variants.is_empty() { feature.name } else { &strategy.group };
        steps.extend(variants.overridden(strategy, group, &mut arms, options, &mut flag.notes));
        steps.push(Step { comment: strategy.title.clone(), ..step(strategy, variants, group, &mut arms) });
    }
    flag.bucket_by = unit.as_deref().map(|attribute| strategy::unit(attribute, options, &mut flag.notes));
    arms.with_off(Node::Bool(false));
    let control = "off".to_owned();
    Plan { rest: Given::Serve(control.clone()), arms, control, steps }
}

fn step(strategy: &Strategy, variants: &Variants, variant_group: &str, arms: &mut Arms) -> Step {
    let weights = variants.weights(arms);
    let given = match weights.as_slice() {
        _ if strategy.share == Share::EVERYBODY && variants.drawn() == 1 => {
            Given::Serve(variants.only(arms).unwrap_or_default())
        }
        _ => {
            let hash = strategy.hash(variants, variant_group);
            let without_id = strategy.without_id(strategy.drawn_by(variants));
            Given::Draw(Draw { share: strategy.share, weights, hash, without_id })
        }
    };
    Step { goes_on: true, ..Step::new(strategy.condition.clone(), given) }
}
