//! What is answered about revisions.

use std::fmt::Write as _;

use flagstaff_flags::{Fact, FactKind, RevisionSource};
use flagstaff_ledger::RecordedRevision;
use flagstaff_source::compare::PartChange;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::json;
use crate::revisions::Recorded;

/// Revisions of the flags and what else happened then, the newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct History {
    /// The flag it is about; none: all.
    pub flag: Option<String>,
    /// The environment it is about.
    pub environment: Option<String>,
    /// Environments that have revisions of their own in this ledger.
    pub environments: Vec<String>,
    /// The revision of the files now; none where they cannot be read.
    pub current: Option<String>,
    /// What happened, the newest first.
    pub entries: Vec<HistoryEntry>,
    /// There is more than was asked for.
    pub more: bool,
    /// So many revisions were recorded before those that are kept.
    pub dropped: u64,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum HistoryEntry {
    /// A revision of the flags was accepted.
    Revision(RevisionEntry),
    /// Something happened to a flag beside its file.
    Fact(FactEntry),
}

impl HistoryEntry {
    /// When it happened.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Revision(revision) => revision.at,
            Self::Fact(fact) => fact.at,
        }
    }
}

/// A revision that was accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RevisionEntry {
    /// The revision: SHA-256 of its texts.
    pub revision: String,
    /// Its place among the revisions of its environment, from 1.
    pub number: u64,
    /// When it was accepted.
    #[serde(with = "json::time")]
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// How it came.
    pub source: Source,
    /// The person who made it; none where nobody knows.
    pub by: Option<String>,
    /// The commit of git that it came with.
    pub commit: Option<String>,
    /// What was wanted, in a few words.
    pub why: Option<String>,
    /// The flag file.
    pub file: String,
    /// What it changes of the revision before.
    pub changes: Vec<PartChange>,
    /// It changes more than is listed.
    pub cut: bool,
    /// The files say this now.
    pub current: bool,
}

/// Something that happened to a flag beside its file: a step, a trip, a switch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FactEntry {
    /// The flag.
    pub flag: String,
    /// The number of the fact among those of its flag, from 1.
    pub number: u64,
    /// When.
    #[serde(with = "json::time")]
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// What, in one word.
    pub kind: String,
    /// The step of the rollout after it, from 1.
    pub step: usize,
    /// The person, or the part of the program, that did it.
    pub by: String,
    /// Why, in words; may be empty.
    pub why: String,
    /// What it rests on.
    pub evidence: Option<Value>,
}

/// How a revision came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Somebody edited the flag file.
    File,
    /// Somebody edited the overlay of the environment.
    Overlay,
    /// A command edited the files.
    Command,
    /// Somebody edited the files on a page.
    Page,
    /// Somebody edited the files over the API.
    Api,
    /// The files could not be used at a start, so the last good flags were taken.
    LastGood,
    /// In a way that a later version of this program knows.
    Unknown,
}

impl Source {
    /// In a few words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Overlay => "overlay",
            Self::Command => "command",
            Self::Page => "page",
            Self::Api => "API",
            Self::LastGood => "last good flags",
            Self::Unknown => "unknown",
        }
    }
}

impl From<Option<RevisionSource>> for Source {
    fn from(source: Option<RevisionSource>) -> Self {
        match source {
            Some(RevisionSource::File) => Self::File,
            Some(RevisionSource::Overlay) => Self::Overlay,
            Some(RevisionSource::Command) => Self::Command,
            Some(RevisionSource::Page) => Self::Page,
            Some(RevisionSource::Api) => Self::Api,
            Some(RevisionSource::LastGood) => Self::LastGood,
            None => Self::Unknown,
        }
    }
}

impl RevisionEntry {
    pub(super) fn new(revision: RecordedRevision, current: bool) -> Self {
        let some = |text: String| (!text.is_empty()).then_some(text);
        let Recorded { parts, cut } = Recorded::read(&revision.changes);
        Self {
            revision: revision.revision,
            number: revision.number,
            at: revision.at,
            source: revision.source.into(),
            by: some(revision.by),
            commit: revision.commit,
            why: some(revision.why),
            file: revision.place,
            changes: parts,
            cut,
            current,
        }
    }
}

impl FactEntry {
    pub(super) fn new(fact: &Fact) -> Self {
        Self {
            flag: fact.flag.to_string(),
            number: fact.number,
            at: fact.at,
            kind: fact.kind.to_string(),
            // once all steps are done, their number is the last one
            step: if fact.kind == FactKind::Done { fact.step } else { fact.step + 1 },
            by: fact.by.clone(),
            why: fact.why.clone(),
            evidence: fact.evidence.as_deref().and_then(|text| serde_json::from_str(text).ok()),
        }
    }
}

/// A revision that somebody named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RevisionReference {
    /// The revision: SHA-256 of its texts.
    pub revision: String,
    /// Its place among the revisions of its environment, from 1; none: the files as they are now.
    pub number: Option<u64>,
    /// When it was accepted last; none: the files as they are now.
    #[serde(with = "json::optional_time")]
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
    /// The person who made it; none where nobody knows.
    pub by: Option<String>,
}

impl RevisionReference {
    pub(super) fn of(revision: &RecordedRevision) -> Self {
        Self {
            revision: revision.revision.clone(),
            number: Some(revision.number),
            at: Some(revision.at),
            by: (!revision.by.is_empty()).then(|| revision.by.clone()),
        }
    }

    /// Enough of the revision to tell it from others; `now` for the files as they are.
    #[must_use]
    pub fn short(&self) -> &str {
        if self.number.is_none() { "now" } else { short(&self.revision) }
    }
}

/// Enough of a revision to tell it from others.
pub(super) fn short(revision: &str) -> &str {
    revision.get(..12).unwrap_or(revision)
}

/// In what two revisions differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// The revision before.
    pub from: RevisionReference,
    /// The revision after.
    pub to: RevisionReference,
    /// The files that differ.
    pub files: Vec<DifferentFile>,
    /// The flags and other parts that differ, and their keys. The overlay counts as it does for visitors.
    pub changes: Vec<PartChange>,
}

/// A file that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DifferentFile {
    /// Its path.
    pub file: String,
    /// The places in which it differs, with three lines around each.
    pub hunks: Vec<Hunk>,
}

/// A place in which two texts differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hunk {
    /// Its first line in the text before, from 1; 0 where that has none.
    pub from_line: usize,
    /// So many lines of the text before.
    pub from_lines: usize,
    /// Its first line in the text after, from 1; 0 where that has none.
    pub to_line: usize,
    /// So many lines of the text after.
    pub to_lines: usize,
    /// The lines.
    pub lines: Vec<Line>,
}

/// A line of a difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// Whether it went, came or stayed.
    pub change: LineFate,
    /// Its number in the text before, from 1.
    pub from: Option<usize>,
    /// Its number in the text after, from 1.
    pub to: Option<usize>,
    /// The line, without its end.
    pub text: String,
    /// The text ends here, without an end of line.
    pub unfinished: bool,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineFate {
    /// It is in both texts.
    Same,
    /// It is only in the text before.
    Removed,
    /// It is only in the text after.
    Added,
}

impl LineFate {
    /// The sign in front of it.
    #[must_use]
    pub const fn sign(self) -> char {
        match self {
            Self::Same => ' ',
            Self::Removed => '-',
            Self::Added => '+',
        }
    }
}

impl Hunk {
    /// `@@ -1,3 +1,4 @@`, as `diff -u` heads it.
    #[must_use]
    pub fn head(&self) -> String {
        let range = |line: usize, lines: usize| if lines == 1 { line.to_string() } else { format!("{line},{lines}") };
        format!("@@ -{} +{} @@", range(self.from_line, self.from_lines), range(self.to_line, self.to_lines))
    }
}

impl Difference {
    /// The difference as `diff -u` writes it: `patch` understands it.
    #[must_use]
    pub fn unified(&self) -> String {
        let mut text = String::new();
        for file in &self.files {
            // writing into a String cannot fail
            let _ = writeln!(text, "--- {}\t{}\n+++ {0}\t{}", file.file, self.from.short(), self.to.short());
            for hunk in &file.hunks {
                let _ = writeln!(text, "{}", hunk.head());
                for line in &hunk.lines {
                    let _ = writeln!(text, "{}{}", line.change.sign(), line.text);
                    if line.unfinished {
                        text.push_str("\\ No newline at end of file\n");
                    }
                }
            }
        }
        text
    }
}
