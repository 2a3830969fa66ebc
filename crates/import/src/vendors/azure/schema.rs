//! Where flags stand in the schemas, and how their keys are written.

use crate::input::{self, Node};
use crate::options::Options;

/// What stands before the names of flags in a store of key-values.
const KEY_OF_FLAGS: &str = ".appconfig.featureflag/";

/// The value of a key, as Microsoft's schema writes it (`client_filters`) or as .NET does (`ClientFilters`).
pub(super) fn get<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    let plain = |text: &str| text.replace('_', "").to_ascii_lowercase();
    let wanted = plain(key);
    let (_, node) = node.entries().iter().find(|(name, _)| name == key || plain(name) == wanted)?;
    (*node != Node::Null).then_some(node)
}

/// Flags with their names; none where the file has no place for them.
pub(super) fn flags(file: &Node, options: &Options) -> Option<Vec<(String, Node)>> {
    let management = get(file, "feature_management");
    let found = key_values(file, options);
    if management.is_none() && found.is_empty() {
        return None;
    }
    let mut flags = found;
    for (name, node) in management.map_or(&[][..], Node::entries) {
        match node {
            Node::List(list) if name == "feature_flags" => flags.extend(list.iter().map(with_name)),
            node => flags.push((name.clone(), node.clone())),
        }
    }
    Some(flags)
}

fn with_name(node: &Node) -> (String, Node) {
    (get(node, "id").and_then(Node::word).unwrap_or_default(), node.clone())
}

/// Flags in an export of a store: items whose values are JSON.
fn key_values(file: &Node, options: &Options) -> Vec<(String, Node)> {
    let items = if let Node::List(items) = file { items } else { file.items_at("items") };
    let label = |item: &Node| item.text_at("label").unwrap_or_default().to_owned();
    let wanted = |item: &&Node| options.environment.as_ref().is_none_or(|wanted| label(item) == *wanted);
    let flag = |item: &Node| {
        let name = item.text_at("key")?.strip_prefix(KEY_OF_FLAGS)?.to_owned();
        Some((name, input::json(item.text_at("value")?.as_bytes()).ok()?))
    };
    items.iter().filter(wanted).filter_map(flag).collect()
}

/// Whether a flag is enabled, whatever its filters say.
pub(super) fn is_enabled(node: &Node) -> bool {
    match node {
        Node::Bool(truth) => *truth,
        Node::Text(text) => text.eq_ignore_ascii_case("true"),
        // .NET's schema has filters, or is on.
        node => match get(node, "enabled") {
            Some(enabled) => enabled.word().is_some_and(|word| word.eq_ignore_ascii_case("true")),
            None => get(node, "EnabledFor").is_some_and(|filters| !filters.items().is_empty()),
        },
    }
}

/// The filters of a flag, and whether all of them must pass.
pub(super) fn filters(node: &Node) -> (&[Node], bool) {
    let conditions = get(node, "conditions");
    let list =
        conditions.and_then(|conditions| get(conditions, "client_filters")).or_else(|| get(node, "EnabledFor"));
    let kind = conditions
        .and_then(|conditions| get(conditions, "requirement_type"))
        .or_else(|| get(node, "requirement_type"));
    let all = kind.and_then(Node::text).is_some_and(|kind| kind.eq_ignore_ascii_case("All"));
    (list.map_or(&[][..], Node::items), all)
}
