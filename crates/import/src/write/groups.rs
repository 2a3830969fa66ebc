//! Segments and layers.

use super::settle::Settling;
use super::toml;
use crate::conditions::{Bounds, Wanted, WrittenTable};
use crate::model::names::Names;
use crate::model::{Hash, HashValue, Layer, Note, Share};

/// All segments, each under its heading.
pub(super) fn segments(settling: &Settling) -> String {
    let mut text = String::new();
    for segment in &settling.segments {
        text += &format!("\n[segments.{}]\n", segment.name);
        if let Some(title) = &segment.title {
            text += &format!("description = {}\n", toml::text(title));
        }
        let any: Vec<_> = segment.any.iter().map(table).collect();
        text += &format!("any = [{}]\n", any.join(", "));
    }
    text
}

/// All layers, each under its heading.
pub(super) fn layers(layers: &[Layer], settling: &mut Settling) -> String {
    let mut names = Names::default();
    let mut text = String::new();
    for layer in layers {
        let slices: Vec<_> = layer
            .slices
            .iter()
            .filter_map(|(flag, parts)| Some((settling.flag(flag)?.to_owned(), bounds(parts))))
            .collect();
        if slices.is_empty() {
            let none = format!("The layer `{}` has no flag that was carried.", layer.origin);
            settling.notes.push(Note::remark(none));
            continue;
        }
        let name = names.give(&layer.origin);
        text += &format!("\n[layers.{name}]\n");
        if name != layer.origin {
            text += &format!("description = {}\n", toml::text(&layer.origin));
        }
        if let Some(hash) = &layer.hash {
            text += &format!("hash = {}\n", formula(hash, &|name| name.to_owned()));
        }
        text += &format!("slices = {}\n", toml::inline(&slices));
    }
    text
}

fn bounds(parts: &[(Share, Share)]) -> String {
    let part = |(from, to): &(Share, Share)| format!("[{from}, {to}]");
    match parts {
        [one] => part(one),
        parts => format!("[{}]", parts.iter().map(part).collect::<Vec<_>>().join(", ")),
    }
}

/// The key `hash`, with the names of variants as they are here.
pub(super) fn formula(hash: &Hash, variant: &dyn Fn(&str) -> String) -> String {
    let mut entries = vec![("as".to_owned(), toml::text(hash.formula))];
    for (key, value) in &hash.keys {
        let value = match value {
            HashValue::Text(text) => toml::text(text),
            HashValue::Number(number) => number.to_string(),
            HashValue::Truth(truth) => truth.to_string(),
            HashValue::List(list) => toml::texts(&list.iter().map(|name| variant(name)).collect::<Vec<_>>(), false),
        };
        entries.push(((*key).to_owned(), value));
    }
    toml::inline(&entries)
}

/// A table of conditions, on one line.
pub(super) fn table(table: &WrittenTable) -> String {
    let entries: Vec<_> = table.iter().map(|(key, wanted)| (key.clone(), said(wanted))).collect();
    toml::inline(&entries)
}

fn said(wanted: &Wanted) -> String {
    match wanted {
        Wanted::Words(words) | Wanted::Segments(words) => toml::texts(words, true),
        Wanted::NotSegments(names) => toml::inline(&[("not".into(), toml::texts(names, true))]),
        Wanted::Truth(truth) => truth.to_string(),
        Wanted::Time(time) => time.clone(),
        Wanted::Bounds(Bounds { not, at_least, below, matches }) => {
            let not = (!not.is_empty()).then(|| ("not".to_owned(), toml::texts(not, true)));
            let one = |key: &str, text: &Option<String>| text.as_ref().map(|t| (key.to_owned(), toml::text(t)));
            let rest = [one("at_least", at_least), one("below", below), one("matches", matches)];
            toml::inline(&not.into_iter().chain(rest.into_iter().flatten()).collect::<Vec<_>>())
        }
    }
}
