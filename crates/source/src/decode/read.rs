//! Any document of TOML, with every problem at once: for settings as for flags.

use flagstaff_flags::Problem;
use serde::de::DeserializeOwned;

use super::echoes::without_echoes;
use super::recover::{Recovered, recover};
use super::text::{Text, readable};
use super::tree;
use crate::findings::{Finding, Report, Severity, Sources};

/// Where the keys of a document stand.
#[derive(Clone, Debug)]
pub struct Spans {
    sources: Sources,
}

impl Spans {
    /// Places errors and warnings that know their keys, such as `["tls", "key"]` or `["listen", "0"]`.
    #[must_use]
    pub fn report(&self, errors: Vec<Problem>, warnings: Vec<Problem>) -> Report {
        let text = self.sources.get(0).map_or("", |source| &source.text);
        let root = tree::parse(text, 0, &mut Vec::new());
        let errors = errors.into_iter().map(|problem| (problem, Severity::Error));
        let warnings = warnings.into_iter().map(|problem| (problem, Severity::Warning));
        let finding = |(problem, severity)| tree::finding_of(&root, problem, severity);
        Report::new(self.sources.clone(), errors.chain(warnings).map(finding).collect())
    }
}

/// Reads a document into a type, which should refuse unknown keys (`#[serde(deny_unknown_fields)]`) and have a default for
/// each.
///
/// # Errors
/// With every mistake: syntax, unknown keys, wrong types, each at its place with its mend.
pub fn read<T: DeserializeOwned>(text: Text<'_>) -> Result<(T, Spans), Report> {
    let content = readable(text)?;
    let mut sources = Sources::default();
    let base = sources.add_settings(text.name, content);
    let mut findings = Vec::new();
    let mut root = tree::parse(content, base, &mut findings);
    let Recovered { read, .. } = recover(&mut root, None, &sources, &mut findings);
    without_echoes(&mut findings);
    match read {
        Some(read) if !findings.iter().any(Finding::is_error) => Ok((read, Spans { sources })),
        _ => Err(Report::new(sources, findings)),
    }
}
