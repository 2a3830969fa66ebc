//! What one set of flags changes of another: which flags, in which keys. The overlay counts as it does for visitors: laid over, key by key.

use std::collections::BTreeMap;

use flagstaff_flags::FlagTexts;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

/// Sections whose tables have names.
const NAMED: [&str; 4] = ["flags", "goals", "segments", "layers"];

/// The longest value that is shown, in characters.
const LONGEST_VALUE: usize = 200;

/// What became of a part of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartFate {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Some of its keys say something else.
    Changed,
}

/// A part of a document that one set of flags changes of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartChange {
    /// The section it is in: `flags`, `goals`, `segments`, `layers` or `holdout`.
    pub section: String,
    /// Its name; none for `holdout`.
    pub name: Option<String>,
    /// What became of it.
    pub change: PartFate,
    /// The keys that changed; of a part that is new or gone none is listed.
    pub keys: Vec<KeyChange>,
}

/// A key that says something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyChange {
    /// The key, as a path with dots.
    pub key: String,
    /// What it said, as TOML; none where it was not there. A long value is cut.
    pub before: Option<String>,
    /// What it says; none where it is gone.
    pub after: Option<String>,
}

impl PartChange {
    /// The flag, where the part is one.
    #[must_use]
    pub fn flag(&self) -> Option<&str> {
        self.name.as_deref().filter(|_| self.section == "flags")
    }
}

/// What one set of flags changes of another, by the order of sections and names; of the first one there is, nothing comes before. A text that is no
/// TOML counts as empty.
#[must_use]
pub fn changes(before: Option<&FlagTexts>, after: &FlagTexts) -> Vec<PartChange> {
    let (before, after) = (before.map(parts).unwrap_or_default(), parts(after));
    let mut all: Vec<&PartKey> = before.keys().chain(after.keys()).collect();
    all.sort_unstable();
    all.dedup();
    all.into_iter().filter_map(|key| change(key, before.get(key), after.get(key))).collect()
}

/// The rank of a section, and a name in it.
type PartKey = (usize, String);

/// The named tables of a document, and the rest of its sections whole.
fn parts(texts: &FlagTexts) -> BTreeMap<PartKey, Value> {
    let mut root: Table = toml::from_str(without_mark(&texts.definitions)).unwrap_or_default();
    let above: Option<Table> = texts.overlay.as_deref().and_then(|text| toml::from_str(without_mark(text)).ok());
    overlay(&mut root, above.unwrap_or_default());
    let mut parts = BTreeMap::new();
    for (rank, section) in NAMED.into_iter().enumerate() {
        if let Some(Value::Table(named)) = root.remove(section) {
            parts.extend(named.into_iter().map(|(name, part)| ((rank, name), part)));
        }
    }
    parts.extend(root.into_iter().map(|(section, part)| ((NAMED.len(), section), part)));
    parts
}

fn without_mark(text: &str) -> &str {
    text.trim_start_matches('\u{feff}')
}

fn overlay(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(there)), Value::Table(new)) => overlay(there, new),
            (_, value) => drop(below.insert(key, value)),
        }
    }
}

fn change((rank, name): &PartKey, before: Option<&Value>, after: Option<&Value>) -> Option<PartChange> {
    let (change, keys) = match (before, after) {
        (Some(before), Some(after)) => (PartFate::Changed, keys(before, after)),
        (None, Some(_)) => (PartFate::Added, Vec::new()),
        _ => (PartFate::Removed, Vec::new()),
    };
    if change == PartFate::Changed && keys.is_empty() {
        return None;
    }
    let (section, name) = match NAMED.get(*rank) {
        Some(section) => ((*section).to_owned(), Some(name.clone())),
        None => (name.clone(), None),
    };
    Some(PartChange { section, name, change, keys })
}

/// The keys of two values of one part that differ.
fn keys(before: &Value, after: &Value) -> Vec<KeyChange> {
    let (mut old, mut new) = (BTreeMap::new(), BTreeMap::new());
    flatten(before, "", &mut old);
    flatten(after, "", &mut new);
    let mut all: Vec<&String> = old.keys().chain(new.keys()).collect();
    all.sort_unstable();
    all.dedup();
    let differs = all.into_iter().filter(|key| old.get(*key) != new.get(*key));
    let shown = |value: Option<&&Value>| value.map(|value| shown(value));
    differs
        .map(|key| KeyChange { key: key.clone(), before: shown(old.get(key)), after: shown(new.get(key)) })
        .collect()
}

/// Values by their paths. An empty table below the part itself is a value, and so is a list.
fn flatten<'v>(value: &'v Value, path: &str, into: &mut BTreeMap<String, &'v Value>) {
    match value {
        Value::Table(table) if !table.is_empty() || path.is_empty() => {
            for (key, value) in table {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten(value, &path, into);
            }
        }
        value => drop(into.insert(path.to_owned(), value)),
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    let mut short: String = text.chars().take(LONGEST_VALUE).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(definitions: &str, overlay: Option<&str>) -> FlagTexts {
        FlagTexts { definitions: definitions.into(), overlay: overlay.map(Into::into) }
    }

    /// `flags.a: percent 5 → 10`, a line for each part.
    fn told(before: &FlagTexts, after: &FlagTexts) -> Vec<String> {
        let key = |one: &KeyChange| {
            let or_none = |value: &Option<String>| value.clone().unwrap_or("-".into());
            format!(" {} {} {}", one.key, or_none(&one.before), or_none(&one.after))
        };
        let part = |one: &PartChange| {
            let keys: String = one.keys.iter().map(key).collect();
            format!("{:?} {}.{}{keys}", one.change, one.section, one.name.as_deref().unwrap_or_default())
        };
        changes(Some(before), after).iter().map(part).collect()
    }

    #[test]
    fn parts_and_keys() {
        let before = texts(
            "[flags.a]\npercent = 5\nguard = { errors = \"5xx\" }\n[flags.b]\n[goals.g]\nevent = \"x\"\n",
            None,
        );
        let after = texts(
            "# more\n[goals.g]\nevent = 'x'\n[flags.c]\n[flags.a]\nguard.errors = \"500\"\n[holdout]\npercent = 5\n",
            None,
        );
        assert_eq!(
            told(&before, &after),
            [
                "Changed flags.a guard.errors \"5xx\" \"500\" percent 5 -",
                "Removed flags.b",
                "Added flags.c",
                "Added holdout."
            ]
        );
        assert!(told(&after, &after).is_empty());
        let first = changes(None, &before);
        assert!(first.len() == 3 && first.iter().all(|one| one.change == PartFate::Added && one.keys.is_empty()));
    }

    #[test]
    fn the_overlay_is_laid_over() {
        let below = "[flags.a]\npercent = 5\nenabled = true\n";
        let over = |text: &str| texts(below, Some(text));
        assert!(told(&texts(below, None), &over("[flags.a]\npercent = 5\n")).is_empty());
        assert_eq!(
            told(&texts(below, None), &over("[flags.a]\nenabled = false\n")),
            ["Changed flags.a enabled true false"]
        );
        assert_eq!(told(&over("[flags.z]\n"), &over("# no flags\n")), ["Removed flags.z"]);
    }

    #[test]
    fn long_values_are_cut_and_no_toml_is_nothing() {
        let long = texts(&format!("[flags.a]\nallow.users = [{}]\n", "\"somebody\", ".repeat(500)), None);
        let [change] = &changes(Some(&texts("[flags.a]\n", None)), &long)[..] else { panic!() };
        let value = change.keys.iter().find_map(|key| key.after.clone()).unwrap();
        assert_eq!(value.chars().count(), LONGEST_VALUE + 1);
        assert_eq!(told(&texts("[flags.a", None), &texts("[flags.a]\n", None)), ["Added flags.a"]);
    }
}
