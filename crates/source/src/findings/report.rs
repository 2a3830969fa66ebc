//! What is wrong with a document, and where.

use std::fmt;
use std::ops::Range;

use flagstaff_flags::brief;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::finding::{Finding, Severity};
use super::sources::{Position, Sources};

/// One problem at its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Located {
    /// How bad it is.
    pub severity: Severity,
    /// The flag it is about, when it is about one.
    pub flag: Option<String>,
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1; 0 when the problem is with the file as a whole.
    pub line: usize,
    /// The column, from 1, in characters; 0 when the problem is with the file as a whole.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// The text it is in, and the bytes there.
    #[serde(skip)]
    pub(crate) place: Option<(usize, Range<usize>)>,
}

/// Every problem of a document, in the order of their places. Displayed plainly, it draws each with its line and a caret.
#[derive(Clone, Debug, Default)]
pub struct Report {
    problems: Vec<Located>,
    pub(crate) sources: Sources,
}

impl Report {
    /// Places findings in texts.
    pub(crate) fn new(sources: Sources, mut findings: Vec<Finding>) -> Self {
        findings.sort_by_key(|finding| (finding.span.start, finding.severity as u8));
        findings.dedup_by(|a, b| a.span == b.span && a.message == b.message);
        let positions = sources.positions(findings.iter().map(|f| &f.span));
        let locate = |(finding, (position, range)): (Finding, (Position, Range<usize>))| Located {
            severity: finding.severity,
            flag: finding.flag.map(|flag| brief(&flag).into_owned()),
            file: sources.get(position.source).map_or_else(String::new, |s| s.name.to_string()),
            line: position.line,
            column: position.column,
            message: sources.safe(&finding.message),
            help: finding.help.map(|help| sources.safe(&help)),
            place: Some((position.source, range)),
        };
        let problems = findings.into_iter().zip(positions).map(locate).collect();
        Self { problems, sources }
    }

    /// One error about a file as a whole: it cannot be read, say.
    #[must_use]
    pub fn of_file(file: &str, message: impl Into<String>, help: Option<String>) -> Self {
        let problem = Located {
            severity: Severity::Error,
            flag: None,
            file: file.into(),
            line: 0,
            column: 0,
            message: brief(&message.into()).into_owned(),
            help,
            place: None,
        };
        Self { problems: vec![problem], sources: Sources::default() }
    }

    /// Adds a warning about a file as a whole.
    pub(crate) fn warn_of_file(&mut self, file: &str, message: String) {
        let of_file = Self::of_file(file, message, None).problems.into_iter();
        self.problems.extend(of_file.map(|problem| Located { severity: Severity::Warning, ..problem }));
    }

    /// All problems, in the order of their places.
    #[must_use]
    pub fn problems(&self) -> &[Located] {
        &self.problems
    }

    /// The errors.
    pub fn errors(&self) -> impl Iterator<Item = &Located> {
        self.problems.iter().filter(|p| p.severity == Severity::Error)
    }

    /// The warnings.
    pub fn warnings(&self) -> impl Iterator<Item = &Located> {
        self.problems.iter().filter(|p| p.severity == Severity::Warning)
    }

    /// The errors alone: what keeps somebody from going on should not stand among what could be nicer.
    #[must_use]
    pub fn only_errors(&self) -> Self {
        Self { problems: self.errors().cloned().collect(), sources: self.sources.clone() }
    }

    /// Whether there is no error; there may be warnings.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.errors().next().is_none()
    }

    /// The errors and warnings in one line, as in `2 errors, 1 warning`.
    #[must_use]
    pub fn summary(&self) -> String {
        let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        match (self.errors().count(), self.warnings().count()) {
            (errors, 0) => count(errors, "error"),
            (0, warnings) => count(warnings, "warning"),
            (errors, warnings) => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
        }
    }

    /// The errors in one line, each with what to do.
    pub(crate) fn in_a_line(&self) -> String {
        let all = self.errors().map(|problem| {
            let help = problem.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
            format!("{}{help}", problem.message)
        });
        all.collect::<Vec<_>>().join("; ")
    }

    /// The problems as scripts read them: `{"problems":[{"severity","flag","file","line","column","message","help"}]}`.
    /// Beyond a thousand they are counted as `"more"`.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        /// How many are told.
        const TOLD: usize = 1000;
        let told: Vec<_> = self.problems.iter().take(TOLD).collect();
        let more = self.problems.len() - told.len();
        match more {
            0 => serde_json::json!({ "problems": told }),
            _ => serde_json::json!({ "problems": told, "more": more }),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Report {}
