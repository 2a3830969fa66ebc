//! Settings: the file, over it the environment, over it the options of the command line.

pub(crate) mod admin;
pub(crate) mod checked;
mod overrides;
mod places;
pub(crate) mod protocols;
mod resolve;
pub(crate) mod telemetry;
mod token;
pub(crate) mod typed;
pub(crate) mod webhooks;

use std::path::{Path, PathBuf};

use anyhow::Context;
use flagstaff_flags::{MASK, Problem, brief, is_secret, without_userinfo};
use flagstaff_source::{Report, Spans, Text};

pub(crate) use overrides::{Override, URL};

/// The settings files that are looked for when none is named; the first that is there is taken.
const USUAL: [&str; 2] = ["config/flagstaff.toml", "flagstaff.toml"];

/// Secrets that stay out of the settings file: the key that names a file with them, and the variable that holds them and comes first.
const SECRETS: [(&str, &str); 3] =
    [("keys_file", checked::KEYS), ("admin_token_file", admin::TOKEN), ("admin_read_token_file", admin::READ_TOKEN)];

/// Settings with where each was said, so that a problem found later can be shown at its place.
#[derive(Debug)]
pub(crate) struct Settings {
    /// What was said.
    pub(crate) typed: typed::SettingsFile,
    spans: Option<Spans>,
    overrides: Vec<Override>,
}

impl Settings {
    /// Reads the file (the one named, or the usual one when it is there) and lays environment and options over it.
    ///
    /// # Errors
    /// When the file cannot be read, or something in it or over it is wrong: with every such problem.
    pub(crate) fn load(file: Option<&Path>, options: Vec<Override>) -> anyhow::Result<Self> {
        let file = match file {
            Some(file) => Some(file.to_owned()),
            None => usual(),
        };
        let (mut typed, spans) = match &file {
            Some(file) => read(file)?,
            None => (typed::SettingsFile::default(), None),
        };
        if let Some(folder) = file.as_deref().and_then(Path::parent) {
            resolve::beside(&mut typed, folder);
        }
        let mut overrides = overrides::from_environment(said);
        overrides.extend(options);
        let typed = match overrides::apply(&typed, &overrides) {
            Ok(typed) => typed,
            Err(problems) => return Err(Shown(hidden(&listed(&problems), &overrides)).into()),
        };
        Ok(Self { typed, spans, overrides })
    }

    /// Whether somebody said which flags to take: in a settings file, or over it.
    pub(crate) fn names_flags(&self) -> bool {
        self.spans.is_some() || self.overrides.iter().any(|one| one.key == "flags" || one.key == "environment")
    }

    /// Whether an option of the command line says a key.
    pub(crate) fn is_option(&self, key: &str) -> bool {
        self.overrides.iter().any(|one| one.key == key && one.place.starts_with("--"))
    }

    /// Problems with checked settings, each at its place: the line of the file, the variable or the option.
    pub(crate) fn report(&self, mut problems: Vec<Problem>) -> anyhow::Error {
        for problem in problems.iter_mut().filter(|p| p.at.first().is_some_and(|key| key == "keys")) {
            problem.at = vec!["keys_file".into()];
        }
        let (over, in_file): (Vec<_>, Vec<_>) = problems.into_iter().partition(|p| self.place(p).is_some());
        let over = over.into_iter().map(|mut problem| {
            problem.at = self.place(&problem).map(|place| vec![place.to_owned()]).unwrap_or_default();
            problem
        });
        let mut text = hidden(&listed(&over.collect::<Vec<_>>()), &self.overrides);
        if !in_file.is_empty() {
            match &self.spans {
                Some(spans) => text.push_str(&spans.report(in_file, Vec::new()).render(true)),
                None => text.push_str(&listed(&in_file)),
            }
        }
        Shown(text.trim_end().into()).into()
    }

    /// The variable or option a problem's key was last said by.
    fn place(&self, problem: &Problem) -> Option<&str> {
        // one variable counts for all tables of a list
        let names = problem.at.iter().map(String::as_str).filter(|name| name.parse::<usize>().is_err());
        let key = names.collect::<Vec<_>>().join(".");
        let secret = SECRETS.iter().find(|(file, name)| key == *file && variable(name).is_some());
        if let Some((_, name)) = secret {
            return Some(name);
        }
        let last = self.overrides.iter().rev().find(|o| key == o.key || key.starts_with(&format!("{}.", o.key)));
        last.map(|o| o.place.as_str())
    }
}

/// The settings file that is taken when none is named.
fn usual() -> Option<PathBuf> {
    USUAL.iter().map(PathBuf::from).find(|usual| usual.exists())
}

/// Whether the log is to be JSON, as far as that can be told from settings that are wrong elsewhere.
pub(crate) fn say_json(file: Option<&Path>) -> bool {
    let said = variable(&overrides::variable("log.format"));
    said.map_or_else(
        || {
            let file = file.map(Path::to_owned).or_else(usual);
            file.and_then(|file| std::fs::read_to_string(file).ok()).is_some_and(|text| has_json(&text))
        },
        |said| said == "json",
    )
}

/// Whether the section `[log]` of a text says `format = "json"`.
fn has_json(text: &str) -> bool {
    let mut section = "";
    text.lines().map(str::trim).any(|line| {
        if line.starts_with('[') {
            section = line;
        }
        let value = |key: &str| line.strip_prefix(key).and_then(|rest| rest.trim_start().strip_prefix('='));
        let format = value("format").filter(|_| section.starts_with("[log]")).or_else(|| value("log.format"));
        format.is_some_and(|value| value.trim_start().trim_start_matches(['"', '\'']).starts_with("json"))
    })
}

fn read(file: &Path) -> anyhow::Result<(typed::SettingsFile, Option<Spans>)> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let read =
        flagstaff_source::read::<typed::SettingsFile>(Text { name: &file.display().to_string(), bytes: &bytes });
    let (typed, spans) = read.map_err(|report| shown(&report))?;
    Ok((typed, Some(spans)))
}

/// A variable's value. What is not Unicode becomes a text that fits nothing, rather than as if it were not there.
pub(crate) fn variable(name: &str) -> Option<String> {
    said(name).filter(|value| !value.is_empty())
}

/// A variable's value, also when it is empty.
fn said(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// Variables of the environment that are ours and empty: as if they were not there.
pub(crate) fn empty() -> Vec<String> {
    let is_empty = |name: &String| said(name).is_some_and(|value| value.is_empty());
    overrides::keys().iter().map(|key| overrides::variable(key)).filter(is_empty).collect()
}

/// Variables of the environment that look like ours and mean nothing, each with what was probably meant.
pub(crate) fn misspelt() -> Vec<(String, Option<String>)> {
    let names = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    overrides::misspelt(names)
}

/// An error that is drawn already: it is printed as it is.
#[derive(Debug)]
pub(crate) struct Shown(String);

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Shown {}

/// A report as an error that draws each error at its place.
pub(crate) fn shown(report: &Report) -> anyhow::Error {
    Shown(report.only_errors().render(true).trim_end().into()).into()
}

/// What another program drew, as an error.
pub(crate) fn drawn(text: &str) -> anyhow::Error {
    Shown(text.trim_end().into()).into()
}

/// A report as an error, under a line that says what came of it.
pub(crate) fn shown_under(line: &str, report: &Report) -> anyhow::Error {
    Shown(format!("{line}\n{}", report.only_errors().render(true).trim_end())).into()
}

/// A text without the secrets that were said by variables and options.
fn hidden(text: &str, overrides: &[Override]) -> String {
    let said = overrides.iter().filter(|one| is_secret(&one.key)).map(|one| one.text.clone());
    let values = SECRETS.iter().filter_map(|(_, name)| variable(name));
    let keys = values.flat_map(|value| value.split(',').map(str::to_owned).collect::<Vec<_>>());
    let secrets = said.chain(keys).filter(|secret| secret.len() > 3);
    let text = secrets.fold(text.to_owned(), |text, secret| text.replace(secret.trim(), MASK));
    text.lines().map(|line| format!("{}\n", brief(&without_userinfo(line)))).collect()
}

fn listed(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("error: {problem}\n")).collect()
}

#[cfg(test)]
mod tests;
