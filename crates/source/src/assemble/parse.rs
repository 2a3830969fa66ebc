//! Texts become a snapshot, or a report of everything that is wrong with them.

use std::collections::BTreeSet;

use flagstaff_flags::{FlagTexts, Origin, nearest};
use toml::de::{DeTable, DeValue};

use super::assembly::Assembly;
use super::fingerprint;
use super::options::{Loaded, ParseOptions};
use crate::decode::text::{Text, readable};
use crate::decode::tree;
use crate::findings::{Finding, Report};

/// Reads a document, and an overlay that is laid over it key by key.
///
/// # Errors
/// With every error and every warning, when there is an error.
pub fn parse(text: Text<'_>, overlay: Option<Text<'_>>, options: &ParseOptions) -> Result<Loaded, Report> {
    let content = full(text)?;
    let above = overlay.map(full).transpose()?;
    let texts = [text.bytes].into_iter().chain(overlay.map(|text| text.bytes));
    let revision = fingerprint::revision(texts);
    let mut assembly = Assembly::default();
    let base = assembly.sources.add(text.name, content);
    let mut root = tree::parse(content, base, &mut assembly.findings);
    let mut overlaid = BTreeSet::new();
    if let (Some(name), Some(content)) = (overlay.map(|text| text.name), above) {
        let base = assembly.sources.add(name, content);
        let above = tree::parse(content, base, &mut assembly.findings).into_inner();
        if let (DeValue::Table(below), DeValue::Table(above)) = (root.get_mut(), above) {
            assembly.findings.extend(only_in_overlay(below, &above));
            overlaid = flag_names(&above);
            tree::overlay(below, above);
        }
    }
    let environment = options.environment.as_deref().unwrap_or("overlay");
    let mut parts = assembly.read(&mut root);
    for flag in parts.flags.iter_mut().filter(|flag| overlaid.contains(flag.name.as_str())) {
        flag.origin = Origin::Overlay(environment.into());
    }
    let (snapshot, report) = assembly.finish(parts, &root, &revision, options)?;
    let texts = FlagTexts { definitions: content.into(), overlay: above.map(Into::into) };
    Ok(Loaded { snapshot, texts, report })
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

/// How many flags of an overlay are compared with all others.
const COMPARED: usize = 100;

/// Flags that only the overlay has, and whose names are nearly those of others: a state meant for one of them changes nothing.
fn only_in_overlay(below: &DeTable<'_>, above: &DeTable<'_>) -> Vec<Finding> {
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
