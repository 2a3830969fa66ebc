//! Every mistake in the flag file.

use std::fs::File;

use flagstaff_source::{Located, Report, Text, parse};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Error;
use crate::workspace::Workspace;

/// A flag file that was checked.
#[derive(Debug)]
pub struct Checked {
    /// Its mistakes and warnings.
    pub report: Report,
    /// The number of flags in it; 0 where it cannot be used.
    pub flags: usize,
}

/// A flag file that was checked, as it is answered.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CheckAnswer {
    /// Its mistakes and warnings, up to a thousand.
    pub problems: Vec<Located>,
    /// How many more there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more: Option<usize>,
    /// There is no mistake; there may be warnings.
    pub usable: bool,
    /// The number of flags in it; 0 where it cannot be used.
    pub flags: usize,
    /// All of them in one line, as in `2 errors, 1 warning`.
    pub summary: String,
    /// Each drawn at its place.
    pub text: String,
}

/// Mistakes and warnings as scripts read them.
#[derive(Clone, Debug, Serialize)]
struct ForScripts<'a> {
    problems: &'a [Located],
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<usize>,
}

impl CheckAnswer {
    /// As `flagstaff check --json` prints it.
    #[must_use]
    pub fn for_scripts(&self) -> Value {
        let told = ForScripts { problems: &self.problems, more: self.more };
        serde_json::to_value(told).unwrap_or_default()
    }
}

/// The most mistakes that are told one by one.
const MAX_TOLD: usize = 1000;
/// The longest drawing of mistakes, in bytes.
const MAX_DRAWING: usize = 1 << 20;

impl From<&Checked> for CheckAnswer {
    fn from(checked: &Checked) -> Self {
        let Checked { report, flags } = checked;
        let problems: Vec<_> = report.problems().iter().take(MAX_TOLD).cloned().collect();
        let mut text = report.render(false);
        text.truncate(text.floor_char_boundary(MAX_DRAWING));
        let more = report.problems().len().saturating_sub(problems.len());
        Self {
            problems,
            more: (more > 0).then_some(more),
            usable: report.is_usable(),
            flags: *flags,
            summary: report.summary(),
            text,
        }
    }
}

/// Checks a draft of the flag file, with the overlay of the environment over it.
///
/// # Errors
/// When the overlay cannot be read.
pub fn check_draft(workspace: &Workspace, name: &str, draft: &[u8]) -> Result<Checked, Error> {
    let overlay = workspace.overlay()?;
    let above = overlay.as_ref().map(|(name, text)| Text { name, bytes: text.as_bytes() });
    Ok(match parse(Text { name, bytes: draft }, above, &workspace.reading) {
        Ok(loaded) => Checked { flags: loaded.snapshot.flags().len(), report: loaded.report },
        Err(report) => Checked { report, flags: 0 },
    })
}

/// Checks the flag file.
///
/// # Errors
/// When there is no such file, or it cannot be read: then it was not checked. So too where Redis or a web server gives no answer.
pub fn check(workspace: &Workspace) -> Result<Checked, Error> {
    match workspace.load() {
        Ok(loaded) => Ok(Checked { report: loaded.report, flags: loaded.snapshot.flags().len() }),
        Err(Error::Flags(report)) if is_readable(workspace) => Ok(Checked { report: *report, flags: 0 }),
        Err(error) => Err(error),
    }
}

fn is_readable(workspace: &Workspace) -> bool {
    match workspace.source.file() {
        Some(path) => path.is_file() && File::open(path).is_ok(),
        None => workspace.source.revision().is_ok(),
    }
}

#[cfg(test)]
mod tests {
    use flagstaff_source::{FlagSource, ParseOptions};

    use super::*;

    #[test]
    fn what_is_not_a_file_was_not_checked() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().to_owned(), folder.path().join("none.toml")] {
            let workspace = Workspace {
                source: FlagSource::files(&path, None),
                reading: ParseOptions::default(),
                ledger: Ok(None),
                replica: None,
                edits_by: flagstaff_flags::RevisionSource::Command,
            };
            assert!(check(&workspace).is_err(), "{}", path.display());
        }
    }
}
