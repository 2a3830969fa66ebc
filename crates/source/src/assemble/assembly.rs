//! One document becomes a snapshot: what can be read is read, the rest is noted.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use flagstaff_flags::{
    Definition, ExclusionLayer, Flag, Goal, Holdout, Name, NameError, Problem, ProblemKind, Segment, Snapshot,
};
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

use super::fingerprint;
use super::fractions::Misread;
use super::lint::{self, Goals};
use super::options::ParseOptions;
use super::pins;
use super::unmet;
use crate::convert::Conversion;
use crate::decode::echoes::without_echoes;
use crate::decode::recover::{Recovered, emptied, recover};
use crate::decode::tree::{self, Value};
use crate::document::{Document, FlagTable, GoalTable, HoldoutTable, LayerTable, SegmentTable};
use crate::findings::{Finding, Report, Severity, Sources};

/// What a document is made of. Parts with mistakes stand in for themselves, so that nothing which names them seems wrong.
#[derive(Default)]
pub(crate) struct Parts {
    pub(crate) flags: Vec<Flag>,
    goals: Vec<Goal>,
    /// Goals reached by an event, whose tables do not say where it comes from.
    silent: Vec<Name>,
    segments: Vec<Segment>,
    layers: Vec<ExclusionLayer>,
    holdout: Option<Holdout>,
    /// Sections and names of parts with mistakes.
    broken: BTreeSet<(&'static str, Name)>,
}

/// A document on its way to a snapshot.
#[derive(Default)]
pub(crate) struct Assembly {
    pub(crate) sources: Sources,
    pub(crate) findings: Vec<Finding>,
}

/// A table of a section, read as far as it could be.
struct Read<T> {
    name: Name,
    key: String,
    table: T,
    lost: Vec<Vec<String>>,
}

impl Assembly {
    pub(crate) fn read(&mut self, root: &mut Value<'_>) -> Parts {
        let mut frame = emptied(root);
        let _: Recovered<Document> = recover(&mut frame, None, &self.sources, &mut self.findings);
        let definitions = definitions(root);
        let mut parts = Parts::default();
        for read in self.section::<FlagTable>(root, "flags") {
            let mut flag = self.convert(root, &mut parts, "flags", read, Conversion::flag);
            let known = definitions.get(flag.name.as_str()).copied();
            (flag.definition, flag.former_definition) = known.unwrap_or_default();
            parts.flags.push(flag);
        }
        for read in self.section::<GoalTable>(root, "goals") {
            if read.table.event.is_some() && read.table.from.is_none() {
                parts.silent.push(read.name.clone());
            }
            let goal = self.convert(root, &mut parts, "goals", read, Conversion::goal);
            parts.goals.push(goal);
        }
        for read in self.section::<SegmentTable>(root, "segments") {
            let segment = self.convert(root, &mut parts, "segments", read, Conversion::segment);
            parts.segments.push(segment);
        }
        for read in self.section::<LayerTable>(root, "layers") {
            let layer = self.convert(root, &mut parts, "layers", read, Conversion::layer);
            parts.layers.push(layer);
        }
        parts.holdout = self.holdout(root);
        parts
    }

    fn holdout(&mut self, root: &mut Value<'_>) -> Option<Holdout> {
        let DeValue::Table(root) = root.get_mut() else {
            return None;
        };
        let value = root.get_mut("holdout").filter(|value| value.get_ref().is_table())?;
        let span = value.span();
        let Recovered { read, lost } =
            recover::<HoldoutTable>(value, Some("holdout"), &self.sources, &mut self.findings);
        let table = read?;
        let Some(share) = table.percent else {
            if lost.is_empty() {
                let finding = Finding::error(span, "the holdout does not say how many are held out");
                self.findings.push(finding.help("add percent = 5"));
            }
            return None;
        };
        Some(Holdout::new(share.0, table.salt.as_deref()))
    }

    /// Reads every table of a section by itself.
    fn section<T: DeserializeOwned + Default>(
        &mut self,
        root: &mut Value<'_>,
        section: &'static str,
    ) -> Vec<Read<T>> {
        let mut all = Vec::new();
        let DeValue::Table(root) = root.get_mut() else {
            return all;
        };
        let Some(DeValue::Table(table)) = root.get_mut(section).map(toml::Spanned::get_mut) else {
            return all;
        };
        let names: Vec<(Range<usize>, Name, String)> = self.names(table, section);
        for (key, name, value) in names.into_iter().zip(table.iter_mut()).map(|(n, (_, value))| (n.2, n.1, value)) {
            let before = self.findings.len();
            let misread = Misread::search(value, section);
            self.findings.extend(misread.findings);
            let Recovered { read, mut lost } = recover(value, Some(&key), &self.sources, &mut self.findings);
            lost.extend(misread.lost);
            if read.is_none() {
                // All of it is lost: nothing of it is judged any further.
                lost.push(Vec::new());
            }
            self.about(before, section, &key);
            let table = read.unwrap_or_default();
            all.push(Read { name, key, table, lost });
        }
        all
    }

    /// The names of a section. One that is not valid is reported, and the nearest name stands in for it.
    fn names(&mut self, table: &DeTable<'_>, section: &str) -> Vec<(Range<usize>, Name, String)> {
        let mut names = Vec::with_capacity(table.len());
        for (i, key) in table.keys().enumerate() {
            let written = key.get_ref().to_string();
            let name = Name::new(&written).or_else(|error| {
                self.findings.push(bad_name(key.span(), section, &written, &error));
                let free = |name: &&str| !table.contains_key(*name);
                let near = error.suggestion().filter(free).map(Name::new);
                near.unwrap_or_else(|| Name::new(&format!("nameless_{i}")))
            });
            if let Ok(name) = name {
                names.push((key.span(), name, written));
            }
        }
        names
    }

    /// Names the flag in findings from a place on.
    fn about(&mut self, from: usize, section: &str, key: &str) {
        let flag = (section == "flags").then_some(key);
        for finding in self.findings.iter_mut().skip(from) {
            finding.flag = flag.map(Into::into);
        }
    }

    fn convert<T, P>(
        &mut self,
        root: &Value<'_>,
        parts: &mut Parts,
        section: &'static str,
        read: Read<T>,
        by: impl FnOnce(&mut Conversion, Name, T) -> P,
    ) -> P {
        let Read { name, key, table, lost } = read;
        let broken = !lost.is_empty() || key != name.as_str();
        let mut conversion = Conversion::new(section, key, lost);
        let part = by(&mut conversion, name.clone(), table);
        let problems = conversion.problems;
        if broken || !problems.is_empty() {
            parts.broken.insert((section, name));
        }
        self.found(root, problems, Severity::Error);
        part
    }

    /// Places problems that know their keys.
    fn found(&mut self, root: &Value<'_>, problems: Vec<Problem>, severity: Severity) {
        self.findings.extend(problems.into_iter().map(|problem| tree::finding_of(root, problem, severity)));
    }

    /// What the parts mean together, with what should be mended.
    pub(crate) fn finish(
        mut self,
        mut parts: Parts,
        root: &Value<'_>,
        revision: &str,
        options: &ParseOptions,
    ) -> Result<(Snapshot, Report), Report> {
        let torn = without_echoes(&mut self.findings);
        let pins = pins::apply(&options.pins, &mut parts.flags, &mut self.sources);
        self.findings.extend(pins);
        if !torn {
            let whole = |flag: &&Flag| !parts.broken.contains(&("flags", flag.name.clone()));
            let whole: Vec<&Flag> = parts.flags.iter().filter(whole).collect();
            let warnings = lint::lint(&whole, &Goals { all: &parts.goals, silent: &parts.silent }, options);
            self.found(root, warnings, Severity::Warning);
            self.findings.extend(unmet::unmet(root));
        }
        let Parts { flags, goals, segments, layers, holdout, broken, silent: _ } = parts;
        match Snapshot::new(revision, flags, goals, segments, layers) {
            Ok(snapshot) if !self.findings.iter().any(Finding::is_error) => {
                let snapshot = snapshot.with_holdout(holdout);
                Ok((snapshot, Report::new(self.sources, self.findings)))
            }
            Ok(_) => Err(Report::new(self.sources, self.findings)),
            Err(mut problems) => {
                problems.retain(|problem| !torn && !follows(problem, &broken));
                self.found(root, problems, Severity::Error);
                Err(Report::new(self.sources, self.findings))
            }
        }
    }
}

/// Whether a problem may come from a mistake elsewhere: it is about something that names a broken part.
fn follows(problem: &Problem, broken: &BTreeSet<(&'static str, Name)>) -> bool {
    let is =
        |section: &'static str, name: &String| Name::new(name).is_ok_and(|name| broken.contains(&(section, name)));
    match (problem.at.as_slice(), &problem.kind) {
        ([_, _, key, flag], _) if key == "requires" => is("flags", flag),
        ([_, _, _, flag], ProblemKind::UnitsDiffer) => is("flags", flag),
        (_, ProblemKind::NoSlice { layer }) => broken.contains(&("layers", layer.clone())),
        _ => false,
    }
}

fn bad_name(span: Range<usize>, section: &str, written: &str, error: &NameError) -> Finding {
    let finding = Finding::error(span, format!("`{written}` is not a valid name: {error}"));
    let finding = finding.of((section == "flags").then_some(written));
    match error.suggestion() {
        Some(near) => finding.help(format!("write [{section}.{near}]")),
        None => finding,
    }
}

/// Fingerprints by name: of the keys that decide, and of all.
fn definitions(root: &Value<'_>) -> HashMap<String, (Definition, Definition)> {
    let flags = root.get_ref().as_table().and_then(|root| root.get("flags")?.get_ref().as_table());
    let of = |flags: &DeTable<'_>| {
        let each = flags.iter();
        let both = |value| (fingerprint::of(value), fingerprint::former(value));
        each.map(|(key, value)| (key.get_ref().to_string(), both(value.get_ref()))).collect()
    };
    flags.map(of).unwrap_or_default()
}
