//! What was found, and no more than is looked at.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::spellings::AskedAs;

/// The most characters of a line that are shown.
const MAX_LINE_CHARS: usize = 160;
/// The most names that are kept; a folder with more of them is no folder of code.
const MAX_NAMES: usize = 10_000;
/// The most lines that are kept of all names together; further ones are counted.
const MAX_LINES: usize = 50_000;

/// A line that asks for a flag, or may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Found {
    /// The file, as it was found below the folder.
    pub file: PathBuf,
    /// From 1.
    pub line: usize,
    /// How it asks.
    pub kind: AskedAs,
    /// The line, cut to 160 characters.
    pub text: String,
}

impl Found {
    pub(super) fn new(file: &Path, line: usize, kind: AskedAs, text: &str) -> Self {
        let text = text.trim().chars().filter(|c| !c.is_control()).take(MAX_LINE_CHARS).collect();
        // a name that is no Unicode could not be written as JSON
        Self { file: file.to_string_lossy().into_owned().into(), line, kind, text }
    }
}

/// The lines that ask for one flag.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    /// The first of them, in the order of files.
    pub first: Vec<Found>,
    /// How many there are.
    pub all: usize,
    /// The surest spelling among all of them.
    pub surest: Option<AskedAs>,
}

impl Lines {
    /// Whether the line itself is kept.
    fn add(&mut self, found: &Found, most: usize) -> bool {
        self.all += 1;
        self.surest = Some(self.surest.map_or(found.kind, |surest| surest.min(found.kind)));
        let is_kept = self.first.len() < most;
        if is_kept {
            self.first.push(found.clone());
        }
        is_kept
    }
}

/// Lines by the flag that they ask for.
#[derive(Clone, Debug, Default)]
pub(super) struct Hits {
    pub(super) by_flag: BTreeMap<String, Lines>,
    /// Lines that read all flags.
    pub(super) of_all_flags: Lines,
    /// How many lines are kept.
    kept: usize,
}

impl Hits {
    /// Adds what one line asks for, all flags where none is named; at most so many lines are kept of each.
    pub(super) fn add(&mut self, flag: Option<&str>, found: &Found, most: usize) {
        let most = if self.kept < MAX_LINES { most } else { 0 };
        let is_known = self.by_flag.len() < MAX_NAMES || flag.is_none_or(|flag| self.by_flag.contains_key(flag));
        let is_kept = match flag {
            None => self.of_all_flags.add(found, most),
            Some(flag) => is_known && self.by_flag.entry(flag.into()).or_default().add(found, most),
        };
        self.kept += usize::from(is_kept);
    }
}
