//! Texts become a snapshot, or a report of everything that is wrong with them.

use std::collections::BTreeSet;

use flagstaff_flags::{Origin, Snapshot, nearest};
use jiff::civil::Date;
use toml::de::{DeTable, DeValue};

use crate::assemble::assemble::Work;
use crate::assemble::fingerprint as definition;
use crate::decode::tree;
use crate::report::{Finding, Report};

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
    let content = full(text)?;
    let above = overlay.map(full).transpose()?;
    let texts = [text.bytes].into_iter().chain(overlay.map(|text| text.bytes));
    let revision = definition::revision(texts);
    let mut work = Work::default();
    let base = work.sources.add(text.name, content);
    let mut root = tree::parse(content, base, &mut work.findings);
    let mut overlaid = BTreeSet::new();
    if let (Some(name), Some(content)) = (overlay.map(|text| text.name), above) {
        let base = work.sources.add(name, content);
        let above = tree::parse(content, base, &mut work.findings).into_inner();
        if let (DeValue::Table(below), DeValue::Table(above)) = (root.get_mut(), above) {
            work.findings.extend(strangers(below, &above));
            overlaid = flag_names(&above);
            tree::overlay(below, above);
        }
    }
    let environment = options.environment.as_deref().unwrap_or("overlay");
    let mut parts = work.read(&mut root);
    for flag in parts.flags.iter_mut().filter(|flag| overlaid.contains(flag.name.as_str())) {
        flag.origin = Origin::Overlay(environment.into());
    }
    work.finish(parts, &root, &revision, options)
}

/// The text, when it says anything: an empty file is taken for a save that is not done.
fn full<'a>(text: Text<'a>) -> Result<&'a str, Report> {
    let content = readable(text)?;
    if content.trim_start_matches('\u{feff}').trim().is_empty() {
        let help = "a document without flags says so in a comment: # no flags".to_owned();
        return Err(Report::of_file(text.name, "the file is empty", Some(help)));
    }
    Ok(content)
}

/// The text, when it can be one.
pub(crate) fn readable<'a>(text: Text<'a>) -> Result<&'a str, Report> {
    let refuse = |message: String, help: &str| Report::of_file(text.name, message, Some(help.into()));
    if text.bytes.len() > LARGEST {
        let message = format!("the file has more than {LARGEST} bytes");
        return Err(refuse(message, "is this the right file?"));
    }
    std::str::from_utf8(text.bytes).map_err(|e| {
        let good = text.bytes.get(..e.valid_up_to()).unwrap_or_default();
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        refuse(format!("the file is not UTF-8: see line {line}"), "save it as UTF-8")
    })
}

/// How many flags of an overlay are compared with all others.
const COMPARED: usize = 100;

/// Flags that only the overlay has, and whose names are nearly those of others: a state meant for one of them changes nothing.
fn strangers(below: &DeTable<'_>, above: &DeTable<'_>) -> Vec<Finding> {
    let (Some(below), Some(above)) = (flags_of(below), flags_of(above)) else {
        return Vec::new();
    };
    let new = above.keys().filter(|key| !below.contains_key(key.get_ref().as_ref()));
    let like = |name: &str| nearest(name, below.keys().map(|key| key.get_ref().as_ref())).map(str::to_owned);
    let each = new.take(COMPARED).filter_map(|key| {
        let near = like(key.get_ref())?;
        let message = format!("the flag `{}` is only in the overlay", key.get_ref());
        let finding = Finding::error(key.span(), message).help(format!("did you mean `{near}`?"));
        Some(finding.warning().of(Some(key.get_ref())))
    });
    each.collect()
}

fn flag_names(root: &DeTable<'_>) -> BTreeSet<String> {
    let keys = flags_of(root).into_iter().flat_map(DeTable::keys);
    keys.map(|key| key.get_ref().to_string()).collect()
}

fn flags_of<'a, 't>(root: &'a DeTable<'t>) -> Option<&'a DeTable<'t>> {
    root.get("flags")?.get_ref().as_table()
}
