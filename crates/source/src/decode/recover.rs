//! Everything a type can take out of a document, and everything it cannot.
//!
//! Serde stops at the first mistake. So the entry with the mistake is noted, taken out, and the rest is read again, until
//! it can be read.

use std::ops::Range;

use flagstaff_flags::ByName;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeValue, ValueDeserializer};

use super::serde_messages::{self, Written};
use super::tree::{self, Value};

use crate::findings::{Finding, Sources};

/// How many mistakes are looked for in one flag. Each costs one more reading of it.
const MOST_MISTAKES: usize = 64;

/// How many are looked for however large it is.
const LEAST_MISTAKES: usize = 4;

/// The number of mistakes in the whole text from which only one of each part is looked for.
const MANY: usize = 1000;

/// How many values are read over and over for the sake of further mistakes.
const EFFORT: usize = 1_000_000;

/// What was read, and what had to be left out.
pub(crate) struct Recovered<T> {
    /// What was read; `None` when nothing could be.
    pub(crate) read: Option<T>,
    /// The paths that were left out.
    pub(crate) lost: Vec<Vec<String>>,
}

/// Reads a value, which messages call by this name. Mistakes become findings and are taken out of it.
pub(crate) fn recover<T: DeserializeOwned>(
    value: &mut Value<'_>,
    name: Option<&str>,
    sources: &Sources,
    findings: &mut Vec<Finding>,
) -> Recovered<T> {
    let mut lost = Vec::new();
    let most = (EFFORT / tree::size(value.get_ref()).max(1)).clamp(LEAST_MISTAKES, MOST_MISTAKES);
    for _ in 0..most {
        let error = match T::deserialize(ByName(ValueDeserializer::from(value.clone()))) {
            Ok(read) => {
                let read = Some(read);
                return Recovered { read, lost };
            }
            Err(error) => error,
        };
        let span = error.span().unwrap_or_else(|| value.span());
        let path = tree::path_at(value, &span);
        let list = path.as_deref().and_then(|path| tree::list_around(value, path));
        let list: Option<Vec<&str>> = list.map(|spans| spans.iter().map(|span| sources.slice(span)).collect());
        let key = path.as_ref().and_then(|p| p.iter().rfind(|k| k.parse::<usize>().is_err()));
        let written = Written { text: sources.slice(&span), list: list.as_deref() };
        let (message, help) = serde_messages::of(error.message(), key.map(String::as_str).or(name), written);
        if let Some(path) = &path {
            tree::remove(value, path);
        }
        if !follows(path.as_deref(), &lost) {
            let mut finding = Finding::error(span, message);
            finding.help = help;
            findings.push(finding);
        }
        match path {
            // nobody reads that many, so one of each part is enough
            Some(_) | None if findings.len() > MANY => return Recovered { read: None, lost },
            Some(path) => lost.push(path),
            None => return Recovered { read: None, lost },
        }
    }
    let finding = Finding::error(value.span(), format!("there may be more than these {most} mistakes here"));
    findings.push(finding.help("fix these first"));
    Recovered { read: None, lost }
}

/// Whether a mistake may come only from what was taken out below it: weights that no longer make 100, say.
fn follows(path: Option<&[String]>, lost: &[Vec<String>]) -> bool {
    let path = path.unwrap_or_default();
    lost.iter().any(|lost| lost.len() > path.len() && lost.starts_with(path))
}

/// A document's tree without what hangs on these keys: for reading the frame apart from what it holds.
pub(crate) fn emptied<'t>(root: &Value<'t>) -> Value<'t> {
    let mut frame = root.clone();
    if let DeValue::Table(table) = frame.get_mut() {
        for (_, value) in table.iter_mut().filter(|(_, value)| value.get_ref().is_table()) {
            let span: Range<usize> = value.span();
            *value = Spanned::new(span, DeValue::Table(toml::de::DeTable::new()));
        }
    }
    frame
}
