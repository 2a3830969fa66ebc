//! Names in code against the flag file.

use std::collections::{BTreeMap, BTreeSet};

use flagstaff_flags::{Flag, FlagTexts, Name, Snapshot, nearest};
use flagstaff_source::edit::passage;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hits::{Found, Lines};
use super::search::{Progress, Searched, Searching};
use super::spellings::AskedAs;
use super::wanted::Wanted;
use crate::Error;
use crate::workspace::Workspace;

/// Code that is to be compared with the flag file.
#[derive(Clone, Debug)]
pub struct Scanning<'a> {
    /// Where the flags are.
    pub workspace: &'a Workspace,
    /// Where to search. Flag files do not count.
    pub searching: Searching<'a>,
}

/// Names in code against the flag file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Scan {
    /// The folder that was searched.
    pub folder: String,
    /// How many files were searched.
    pub files: u64,
    /// How many were skipped, because they are large or no text.
    pub skipped: u64,
    /// Files and folders that could not be read; at most 20 are named.
    pub unreadable: Vec<String>,
    /// The flags that code asks for.
    pub used: Vec<String>,
    /// What does not fit, in the order of kinds and names.
    pub findings: Vec<ScanFinding>,
    /// Lines that read all flags at once: what they do with them is not known.
    pub all_flags: Vec<Found>,
}

/// Something that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScanFinding {
    /// What it is.
    pub kind: ScanKind,
    /// The flag.
    pub flag: String,
    /// What is the matter, as the end of a sentence that begins with the flag.
    pub sentence: String,
    /// The line of the flag file that defines it.
    pub defined: Option<Place>,
    /// How many lines of code have it.
    pub lines: usize,
    /// The first of these lines.
    pub code: Vec<Found>,
}

/// What does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ScanFindingKind")]
pub enum ScanKind {
    /// Code asks for it, and the file does not define it.
    Undefined,
    /// It was ended, and is still in the code or in the file.
    Ended,
    /// The file defines it, and no code asks for it.
    Unused,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PlaceInFile")]
pub struct Place {
    /// The file.
    pub file: String,
    /// From 1.
    pub line: usize,
}

/// Compares the names in code with the flag file.
///
/// # Errors
/// When the flag file, the archive or the folder cannot be read.
pub fn scan(wanted: &Scanning<'_>, progress: &mut Progress<'_>) -> Result<Scan, Error> {
    let Scanning { workspace, searching } = wanted;
    let snapshot = workspace.snapshot()?;
    let (_, texts) = workspace.texts()?;
    let archive = workspace.source.ended()?;
    let mut names = Wanted::flags(snapshot.flags().iter().map(AsRef::as_ref));
    let gone = archive.iter().filter(|one| snapshot.find(&one.flag).is_none());
    gone.for_each(|one| names.add(&one.flag, &one.waffle_name()));
    let ended: BTreeMap<_, _> = archive.into_iter().map(|one| (one.flag, one.winner)).collect();
    let mut searching = searching.clone();
    searching.but.extend(workspace.source.all_files());
    let searched = searching.search(&names, progress)?;
    let file = workspace.source.file().map(|file| file.display().to_string());
    let known = Known { snapshot: &snapshot, ended: &ended, texts: &texts, file, names: &names };
    let used = searched.flags().filter(|(_, lines)| asks(lines)).map(|(flag, _)| flag.to_owned());
    Ok(Scan {
        folder: searching.folder.display().to_string(),
        files: searched.files,
        skipped: searched.skipped,
        unreadable: searched.unreadable.clone(),
        used: used.collect(),
        findings: known.findings(&searched),
        all_flags: searched.of_all_flags().first.clone(),
    })
}

impl Scan {
    /// Whether everything fits.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Whether lines ask for a flag. A name that is only a word may be anything.
fn asks(lines: &Lines) -> bool {
    lines.surest.is_some_and(|kind| kind.is_sure() || kind == AskedAs::Quoted)
}

/// What is known of flags without the code.
struct Known<'a> {
    snapshot: &'a Snapshot,
    /// Ended flags with their winners.
    ended: &'a BTreeMap<String, String>,
    texts: &'a FlagTexts,
    /// The flag file, where it is one.
    file: Option<String>,
    names: &'a Wanted,
}

impl Known<'_> {
    fn findings(&self, searched: &Searched) -> Vec<ScanFinding> {
        let undefined = searched.flags().filter(|(flag, _)| !self.names.has(flag));
        let undefined = undefined.map(|(flag, lines)| self.undefined(flag, lines));
        let ended = self.ended.iter().filter_map(|(flag, winner)| self.ended(flag, winner, searched.of(flag)));
        let required: BTreeSet<_> = self
            .snapshot
            .flags()
            .iter()
            .flat_map(|flag| &flag.requires)
            .map(|requirement| &requirement.flag)
            .collect();
        let unused = self.snapshot.flags().iter().filter(|flag| !self.ended.contains_key(flag.name.as_str()));
        let unused = unused.filter_map(|flag| self.unused(flag, &required, searched.of(flag.name.as_str())));
        undefined.chain(ended).chain(unused).collect()
    }

    fn undefined(&self, flag: &str, lines: &Lines) -> ScanFinding {
        let known = self.snapshot.flags().iter().map(|flag| flag.name.as_str());
        let near = nearest(flag, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        let sentence = format!("is asked for, and no flag has that name{near}");
        self.finding(ScanKind::Undefined, flag, sentence, Some(lines))
    }

    fn ended(&self, flag: &str, winner: &str, lines: Option<&Lines>) -> Option<ScanFinding> {
        let lines = lines.filter(|lines| asks(lines));
        let sentence = match (lines, self.snapshot.find(flag)) {
            (None, None) => return None,
            (None, Some(_)) => {
                format!("was ended with `{winner}`, and no code asks for it: flagstaff end {flag} --remove")
            }
            (Some(_), None) => format!("was ended with `{winner}` and is off now, and code still asks for it"),
            (Some(_), Some(_)) => format!(
                "was ended with `{winner}`, and code still asks for it; delete that, then: flagstaff end {flag} --remove"
            ),
        };
        Some(self.finding(ScanKind::Ended, flag, sentence, lines))
    }

    /// A flag that the proxy itself acts on, or that another one requires, needs no code.
    fn unused(&self, flag: &Flag, required: &BTreeSet<&Name>, lines: Option<&Lines>) -> Option<ScanFinding> {
        let needs_code = flag.gate.is_none() && flag.upstream.is_empty() && !required.contains(&flag.name);
        if !needs_code || lines.is_some_and(asks) {
            return None;
        }
        let only = if lines.is_some() { "; only its name is there, as a word" } else { "" };
        let sentence = format!("is defined, and no code asks for it{only}");
        Some(self.finding(ScanKind::Unused, flag.name.as_str(), sentence, lines))
    }

    fn finding(&self, kind: ScanKind, flag: &str, sentence: String, lines: Option<&Lines>) -> ScanFinding {
        let defined = self.snapshot.find(flag).and_then(|_| self.place(flag));
        let (lines, code) = lines.map(|lines| (lines.all, lines.first.clone())).unwrap_or_default();
        ScanFinding { kind, flag: flag.into(), sentence, defined, lines, code }
    }

    /// Where the flag file defines a flag: the first line of what it says that is no comment.
    fn place(&self, flag: &str) -> Option<Place> {
        let text = &*self.texts.definitions;
        let passage = passage(text, flag)?;
        let before = text.get(..text.find(&passage)?)?.matches('\n').count();
        let inside = passage.lines().position(|line| !line.trim().is_empty() && !line.trim().starts_with('#'))?;
        Some(Place { file: self.file.clone()?, line: before + inside + 1 })
    }
}
