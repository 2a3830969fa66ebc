//! The three kinds of documents: all have `features`; exports and state files have strategies and environments beside them.

use std::collections::{BTreeSet, HashMap};

use crate::error::ImportError;
use crate::input::Node;

const WHAT: &str = "an export, a state file or the client features of Unleash";

/// A document, with its parts by feature.
pub(super) struct Document<'a> {
    root: &'a Node,
    /// The document of an SDK: strategies are in the features.
    is_for_clients: bool,
    /// Those of the environment.
    environments: HashMap<&'a str, &'a Node>,
    strategies: HashMap<&'a str, Vec<&'a Node>>,
    dependencies: HashMap<&'a str, Vec<&'a Node>>,
    /// Segments by strategy, where they stand beside them.
    segments: HashMap<&'a str, Vec<String>>,
}

/// A feature, with what belongs to it.
pub(super) struct Feature<'a> {
    pub(super) name: &'a str,
    pub(super) node: &'a Node,
    pub(super) enabled: bool,
    pub(super) strategies: Vec<&'a Node>,
    pub(super) variants: &'a [Node],
}

impl<'a> Document<'a> {
    /// # Errors
    /// When it is none, or has several environments and none was chosen.
    pub(super) fn new(root: &'a Node, wanted: Option<&str>) -> Result<Self, ImportError> {
        let Some(Node::List(features)) = root.get("features") else {
            return Err(ImportError::shape(WHAT, "it has no list `features`"));
        };
        let has_strategies = features.iter().any(|feature| feature.get("strategies").is_some());
        let is_for_clients =
            root.get("featureStrategies").is_none() && (has_strategies || root.get("featureEnvironments").is_none());
        let environment = environment(root, wanted)?;
        let is_here = |node: &&Node| match (node.text_at("environment"), environment) {
            (Some(of), Some(wanted)) => of == wanted,
            _ => true,
        };
        let mut document = Self {
            root,
            is_for_clients,
            environments: HashMap::new(),
            strategies: HashMap::new(),
            dependencies: HashMap::new(),
            segments: HashMap::new(),
        };
        for node in root.items_at("featureEnvironments").iter().filter(is_here) {
            let name = node.text_at("featureName").or_else(|| node.text_at("name"));
            document.environments.insert(name.unwrap_or_default(), node);
        }
        for node in root.items_at("featureStrategies").iter().filter(is_here) {
            document.strategies.entry(node.text_at("featureName").unwrap_or_default()).or_default().push(node);
        }
        for list in document.strategies.values_mut() {
            list.sort_by_key(|node| node.get("sortOrder").and_then(Node::whole).unwrap_or(i64::MAX));
        }
        for node in root.items_at("dependencies") {
            let of = document.dependencies.entry(node.text_at("feature").unwrap_or_default()).or_default();
            of.extend(node.items_at("dependencies"));
        }
        for node in root.items_at("featureStrategySegments") {
            let of = document.segments.entry(node.text_at("featureStrategyId").unwrap_or_default()).or_default();
            of.extend(node.get("segmentId").and_then(Node::word));
        }
        Ok(document)
    }

    pub(super) fn features(&self) -> impl Iterator<Item = Feature<'a>> {
        let features = self.root.items_at("features").iter();
        features.filter(|node| node.truth_at("archived") != Some(true)).map(|node| self.feature(node))
    }

    fn feature(&self, node: &'a Node) -> Feature<'a> {
        let name = node.text_at("name").unwrap_or_default();
        if self.is_for_clients {
            let enabled = node.truth_at("enabled").unwrap_or(false);
            let strategies = node.items_at("strategies").iter().collect();
            return Feature { name, node, enabled, strategies, variants: node.items_at("variants") };
        }
        let environment = self.environments.get(name).copied();
        let enabled = environment.and_then(|of| of.truth_at("enabled")).unwrap_or(false);
        let variants = environment.map_or(&[][..], |of| of.items_at("variants"));
        let variants = if variants.is_empty() { node.items_at("variants") } else { variants };
        Feature { name, node, enabled, strategies: self.strategies.get(name).cloned().unwrap_or_default(), variants }
    }

    pub(super) fn dependencies(&self, feature: &Feature<'a>) -> Vec<&'a Node> {
        let beside = self.dependencies.get(feature.name).into_iter().flatten().copied();
        feature.node.items_at("dependencies").iter().chain(beside).collect()
    }

    /// The segments of a strategy, by their ids.
    pub(super) fn segments(&self, strategy: &Node) -> Vec<String> {
        let own = strategy.items_at("segments").iter().filter_map(Node::word);
        let id = strategy.text_at("id").unwrap_or_default();
        own.chain(self.segments.get(id).into_iter().flatten().cloned()).collect()
    }
}

/// The environment that counts.
fn environment<'a>(root: &'a Node, wanted: Option<&str>) -> Result<Option<&'a str>, ImportError> {
    let all = root.items_at("featureEnvironments").iter().chain(root.items_at("featureStrategies"));
    let names: BTreeSet<&str> = all.filter_map(|node| node.text_at("environment")).collect();
    let listed = || names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match (wanted, names.len()) {
        (_, 0) => Ok(None),
        (Some(wanted), _) => match names.get(wanted) {
            Some(name) => Ok(Some(*name)),
            None => Err(ImportError::shape("an export of this environment", format!("there are {}", listed()))),
        },
        (None, 1) => Ok(names.first().copied()),
        (None, _) => Err(ImportError::shape(
            "an export of one environment",
            format!("choose one with --environment: {}", listed()),
        )),
    }
}
