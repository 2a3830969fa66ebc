//! What keeps a flag from being ended.

use flagstaff_flags::Problem;
use toml::de::{DeTable, DeValue};

use crate::decode::text::{Text, readable};
use crate::decode::tree::{self, Value};
use crate::findings::{Finding, Report, Severity, Sources};
use crate::store::{Contents, FlagSource};

/// A flag that is to be ended.
struct EndCheck<'a> {
    flag: &'a str,
    winner: &'a str,
    remove: bool,
}

/// Whether nothing holds on to a flag: overlays say nothing of it, of any environment, flags that require it stay as they are, and
/// it keeps nothing closed.
///
/// # Errors
/// With everything that does, at its place.
pub(super) fn check_free_to_end(
    source: &FlagSource,
    contents: &Contents,
    flag: &str,
    winner: &str,
    remove: bool,
) -> Result<(), Report> {
    let check = EndCheck { flag, winner, remove };
    let mut sources = Sources::default();
    let mut findings = Vec::new();
    let name = source.name();
    let definitions = read(&name, contents.definitions())?;
    let base = sources.add(&name, &definitions);
    let root = tree::parse(&definitions, base, &mut Vec::new());
    findings.extend(check.requirements(&root).chain(check.gate(&root)));
    for (name, bytes) in source.overlays()? {
        let text = read(&name, &bytes)?;
        let base = sources.add(&name, &text);
        let root = tree::parse(&text, base, &mut Vec::new());
        findings.extend(check.requirements(&root).chain(check.overlaid(&root)));
    }
    if findings.is_empty() { Ok(()) } else { Err(Report::new(sources, findings)) }
}

fn read(name: &str, bytes: &[u8]) -> Result<String, Report> {
    readable(Text { name, bytes }).map(str::to_owned)
}

fn table<'a, 't>(root: &'a Value<'t>, path: &[&str]) -> Option<&'a DeTable<'t>> {
    path.iter().try_fold(root.get_ref().as_table()?, |table, key| table.get(*key)?.get_ref().as_table())
}

fn error(root: &Value<'_>, at: &[&str], message: String, help: String) -> Finding {
    tree::finding_of(root, Problem::new(at.iter().copied(), message).help(help), Severity::Error)
}

impl EndCheck<'_> {
    /// Flags that require it, and would not be met or would name nothing.
    fn requirements<'a>(&'a self, root: &'a Value<'_>) -> impl Iterator<Item = Finding> + 'a {
        let flags = table(root, &["flags"]).into_iter().flatten();
        flags.filter_map(move |(name, value)| {
            let wanted = self.wanted(value.get_ref().get("requires")?.get_ref())?;
            let name = name.get_ref().as_ref();
            let is_met = wanted.map_or(self.winner != "off", |variant| variant == self.winner);
            let (message, help) = match (is_met, self.remove) {
                _ if name == self.flag => return None,
                (true, false) => return None,
                (true, true) => {
                    ("requires", format!("everybody has it now: take it out of the requires of `{name}`"))
                }
                (false, _) => (
                    "would be off for everybody: it requires",
                    format!("end `{name}` first, or take `{}` out of its requires", self.flag),
                ),
            };
            let at = ["flags", name, "requires", self.flag];
            Some(error(root, &at, format!("the flag `{name}` {message} `{}`", self.flag), help))
        })
    }

    /// The variant that `requires` wants of it; `Some(None)`: any but off; none: it says nothing of it.
    fn wanted<'v>(&self, requires: &'v DeValue<'_>) -> Option<Option<&'v str>> {
        match requires {
            DeValue::Array(list) => list.iter().any(|one| one.get_ref().as_str() == Some(self.flag)).then_some(None),
            DeValue::Table(table) => table.get(self.flag).map(|variant| variant.get_ref().as_str()),
            _ => None,
        }
    }

    /// What an overlay says of it.
    fn overlaid(&self, root: &Value<'_>) -> Vec<Finding> {
        let layers = table(root, &["layers"]).into_iter().flat_map(DeTable::keys);
        let slices = layers.map(|layer| vec!["layers", layer.get_ref().as_ref(), "slices"]);
        let places = slices.chain([vec!["flags"]]);
        let said = places.filter(|at| table(root, at).is_some_and(|table| table.contains_key(self.flag)));
        said.map(|mut at| {
            at.push(self.flag);
            let message = format!("this overlay says something about the flag `{}`", self.flag);
            error(root, &at, message, "remove it here first: what it says would stay in force".into())
        })
        .collect()
    }

    /// Paths that would be open without the flag.
    fn gate(&self, root: &Value<'_>) -> Option<Finding> {
        let is_closed = self.remove && self.winner == "off";
        table(root, &["flags", self.flag, "gate"]).filter(|_| is_closed)?;
        let message = format!("`{}` is off, so its gate is closed; without the flag these paths are open", self.flag);
        let help = "keep the flag, or close the paths in the app and take out the gate".to_owned();
        Some(error(root, &["flags", self.flag, "gate"], message, help))
    }
}
