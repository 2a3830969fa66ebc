//! Texts become a snapshot, or a report of everything that is wrong with them.

use std::collections::BTreeSet;
use std::ops::Range;

use flagstaff_flags::{Flag, FlagLayer, Goal, Name, NameError, Origin, Problem, Segment, Snapshot};
use jiff::civil::Date;
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

use crate::convert::Conversion;
use crate::document::{Document, FlagTable, GoalTable, LayerTable, SegmentTable};
use crate::report::{Finding, Report, Severity};
use crate::salvage::{Salvaged, emptied, salvage};
use crate::sources::Sources;
use crate::tree::{self, Value};
use crate::{definition, lint, pins};

/// The largest text that is read, in bytes. Two thousand flags take a tenth of it.
pub const LARGEST: usize = 4 * 1024 * 1024;

/// A text and the name that reports give it.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// Usually a path.
    pub name: &'a str,
    /// What is in it; it should be UTF-8.
    pub bytes: &'a [u8],
}

/// What is known beside the texts.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The environment whose overlay counts, such as `production`.
    pub environment: Option<String>,
    /// Environment variables as name and value. Those that begin with `FLAGSTAFF_FLAG_` pin flags, others are passed over.
    pub pins: Vec<(String, String)>,
    /// The day, for warnings about what is old; without it there are none.
    pub today: Option<Date>,
    /// All flags travel in one header only (`headers.send = "compact"`), so that many flags are no reason to warn.
    pub one_header: bool,
}

/// A document that can be used.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What it means.
    pub snapshot: Snapshot,
    /// What should be mended: warnings only.
    pub report: Report,
}

/// Reads a document, and an overlay that is laid over it key by key.
///
/// # Errors
/// With every error and every warning, when there is an error.
pub fn parse(text: Text<'_>, overlay: Option<Text<'_>>, options: &Options) -> Result<Loaded, Report> {
    let content = readable(text)?;
    let above = overlay.map(readable).transpose()?;
    if content.trim_start_matches('\u{feff}').trim().is_empty() {
        let help = "a document without flags says so in a comment: # no flags".to_owned();
        return Err(Report::of_file(text.name, "the file is empty", Some(help)));
    }
    let texts = [text.bytes].into_iter().chain(overlay.map(|text| text.bytes));
    let revision = definition::revision(texts);
    let mut work = Work::default();
    let base = work.sources.add(text.name, content);
    let mut root = tree::parse(content, base, &mut work.findings);
    let mut overlaid = Vec::new();
    if let (Some(name), Some(content)) = (overlay.map(|text| text.name), above) {
        let base = work.sources.add(name, content);
        let above = tree::parse(content, base, &mut work.findings).into_inner();
        if let (DeValue::Table(below), DeValue::Table(above)) = (root.get_mut(), above) {
            overlaid = flag_names(&above);
            tree::overlay(below, above);
        }
    }
    let environment = options.environment.as_deref().unwrap_or("overlay");
    let mut parts = work.read(&mut root);
    for flag in parts
        .flags
        .iter_mut()
        .filter(|flag| overlaid.contains(&flag.name.as_str().to_owned()))
    {
        flag.origin = Origin::Overlay(environment.into());
    }
    work.finish(parts, &root, &revision, options)
}

/// The text, when it can be one.
pub(crate) fn readable<'a>(text: Text<'a>) -> Result<&'a str, Report> {
    let refuse = |message: String, help: &str| Report::of_file(text.name, message, Some(help.into()));
    if text.bytes.len() > LARGEST {
        let message = format!(
            "the file has {} bytes; at most {LARGEST} are read",
            text.bytes.len()
        );
        return Err(refuse(message, "is this the right file?"));
    }
    std::str::from_utf8(text.bytes).map_err(|e| {
        let good = text.bytes.get(..e.valid_up_to()).unwrap_or_default();
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        refuse(
            format!("the file is not UTF-8: see line {line}"),
            "save it as UTF-8",
        )
    })
}

fn flag_names(root: &DeTable<'_>) -> Vec<String> {
    let flags = root.get("flags").and_then(|flags| flags.get_ref().as_table());
    flags.map_or_else(Vec::new, |flags| {
        flags.keys().map(|key| key.get_ref().to_string()).collect()
    })
}

/// What a document is made of. Parts with mistakes stand in for themselves, so that nothing which names them seems wrong.
#[derive(Default)]
pub(crate) struct Parts {
    flags: Vec<Flag>,
    goals: Vec<Goal>,
    segments: Vec<Segment>,
    layers: Vec<FlagLayer>,
    /// Sections and names of parts with mistakes.
    broken: Vec<(&'static str, Name)>,
}

/// The work on one document.
#[derive(Default)]
struct Work {
    sources: Sources,
    findings: Vec<Finding>,
}

/// A table of a section, read as far as it could be.
struct Read<T> {
    name: Name,
    key: String,
    table: T,
    lost: Vec<Vec<String>>,
}

impl Work {
    fn read(&mut self, root: &mut Value<'_>) -> Parts {
        let mut frame = emptied(root);
        let _: Salvaged<Document> = salvage(&mut frame, None, &self.sources, &mut self.findings);
        let definitions = definitions(root);
        let mut parts = Parts::default();
        for read in self.section::<FlagTable>(root, "flags") {
            let mut flag = self.convert(root, &mut parts, "flags", read, Conversion::flag);
            flag.definition = definitions.get(flag.name.as_str()).copied().unwrap_or_default();
            parts.flags.push(flag);
        }
        for read in self.section::<GoalTable>(root, "goals") {
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
        parts
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
        for (key, name, value) in names
            .into_iter()
            .zip(table.iter_mut())
            .map(|(n, (_, value))| (n.2, n.1, value))
        {
            let before = self.findings.len();
            let Salvaged { read, mut lost } = salvage(value, Some(&key), &self.sources, &mut self.findings);
            if read.is_none() {
                // All of it is lost: nothing of it is judged any further.
                lost.push(Vec::new());
            }
            self.about(before, section, &key);
            let table = read.unwrap_or_default();
            all.push(Read {
                name,
                key,
                table,
                lost,
            });
        }
        all
    }

    /// The names of a section. One that is none is reported, and the nearest name stands in for it.
    fn names(&mut self, table: &DeTable<'_>, section: &str) -> Vec<(Range<usize>, Name, String)> {
        let mut names = Vec::with_capacity(table.len());
        for (i, key) in table.keys().enumerate() {
            let written = key.get_ref().to_string();
            let name = Name::new(&written).or_else(|error| {
                self.findings
                    .push(bad_name(key.span(), section, &written, &error));
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
        let Read {
            name,
            key,
            table,
            lost,
        } = read;
        let broken = !lost.is_empty() || key != name.as_str();
        let mut conversion = Conversion::new(section, key, lost);
        let part = by(&mut conversion, name.clone(), table);
        let problems = conversion.problems;
        if broken || !problems.is_empty() {
            parts.broken.push((section, name));
        }
        self.found(root, problems, Severity::Error);
        part
    }

    /// Places problems that know their keys.
    fn found(&mut self, root: &Value<'_>, problems: Vec<Problem>, severity: Severity) {
        self.findings
            .extend(problems.into_iter().map(|problem| place(root, problem, severity)));
    }

    fn finish(
        mut self,
        mut parts: Parts,
        root: &Value<'_>,
        revision: &str,
        options: &Options,
    ) -> Result<Loaded, Report> {
        let torn = without_echoes(&mut self.findings);
        let pins = pins::apply(&options.pins, &mut parts.flags, &mut self.sources);
        self.findings.extend(pins);
        if !torn {
            let whole = |flag: &&Flag| !parts.broken.iter().any(|(s, n)| *s == "flags" && *n == flag.name);
            let whole: Vec<&Flag> = parts.flags.iter().filter(whole).collect();
            let warnings = lint::lint(&whole, options);
            self.found(root, warnings, Severity::Warning);
        }
        let Parts {
            flags,
            goals,
            segments,
            layers,
            broken,
        } = parts;
        match Snapshot::new(revision, flags, goals, segments, layers) {
            Ok(snapshot) if !self.findings.iter().any(Finding::is_error) => Ok(Loaded {
                snapshot,
                report: Report::new(self.sources, self.findings),
            }),
            Ok(_) => Err(Report::new(self.sources, self.findings)),
            Err(mut problems) => {
                problems.retain(|problem| !torn && !follows(problem, &broken));
                self.found(root, problems, Severity::Error);
                Err(Report::new(self.sources, self.findings))
            }
        }
    }
}

/// Syntax errors that stay in their place. Any other may swallow what comes after it, as a string without an end does.
const HARMLESS: [&str; 5] = [
    "invalid unquoted key",
    "string values must be quoted",
    "duplicate key",
    "invalid date",
    "invalid time",
];

/// Takes out what may only follow from syntax errors. Whether what seems to be missing may well be there.
pub(crate) fn without_echoes(findings: &mut Vec<Finding>) -> bool {
    let syntax = findings.iter().filter(|finding| finding.syntax);
    let harmless = |finding: &&Finding| HARMLESS.iter().any(|known| finding.message.contains(known));
    let (harmless, harmful): (Vec<_>, Vec<_>) = syntax.partition(harmless);
    let touched: BTreeSet<usize> = harmless.iter().map(|finding| finding.span.start).collect();
    let torn_from = harmful.iter().map(|finding| finding.span.start).min();
    findings.retain(|finding| {
        let (from, to) = (finding.span.start, finding.span.end.max(finding.span.start));
        let sound = torn_from.is_none_or(|torn| to < torn) && touched.range(from..=to).next().is_none();
        finding.syntax || sound
    });
    torn_from.is_some()
}

/// Whether a problem may come from a mistake elsewhere: it is about something that names a broken part.
fn follows(problem: &Problem, broken: &[(&'static str, Name)]) -> bool {
    let is = |section: &str, name: &String| broken.iter().any(|(s, n)| *s == section && n.as_str() == name);
    let says = |words: &str| problem.message.contains(words);
    match problem.at.as_slice() {
        [_, _, key, flag] if key == "requires" => is("flags", flag),
        [_, _, key, flag] if key == "slices" => {
            is("flags", flag) && (says("does not name this layer") || says("draws by"))
        }
        [_, _, key] if key == "layer" => broken.iter().any(|(section, layer)| {
            *section == "layers" && says(&format!("the layer `{layer}` has no slice"))
        }),
        _ => false,
    }
}

pub(crate) fn place(root: &Value<'_>, problem: Problem, severity: Severity) -> Finding {
    let flag = problem
        .at
        .first()
        .filter(|section| *section == "flags")
        .and(problem.at.get(1));
    Finding {
        severity,
        flag: flag.cloned(),
        span: tree::locate(root, &problem.at),
        message: problem.message,
        help: problem.help,
        syntax: false,
    }
}

fn bad_name(span: Range<usize>, section: &str, written: &str, error: &NameError) -> Finding {
    let finding = Finding::error(span, format!("`{written}` is no name: {error}"));
    let finding = finding.of((section == "flags").then_some(written));
    match error.suggestion() {
        Some(near) => finding.help(format!("write [{section}.{near}]")),
        None => finding,
    }
}

/// Fingerprints by name.
fn definitions(root: &Value<'_>) -> std::collections::HashMap<String, flagstaff_flags::Definition> {
    let flags = root
        .get_ref()
        .as_table()
        .and_then(|root| root.get("flags")?.get_ref().as_table());
    let of = |flags: &DeTable<'_>| {
        let each = flags.iter();
        each.map(|(key, value)| (key.get_ref().to_string(), definition::of(value.get_ref())))
            .collect()
    };
    flags.map(of).unwrap_or_default()
}
