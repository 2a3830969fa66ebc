//! An edit of a flag: what it would make of the files is known before a byte is written.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::file::{Prepared, Refused, Turn};
use super::settle::value;
use super::{Change, EditError};
use crate::assemble::parse::{Loaded, Options};
use crate::report::Report;
use crate::store::files::{Contents, Files};

/// An edit that can be made. Nobody else edits files of this folder while it is there.
#[derive(Debug)]
pub struct Plan {
    definitions: PathBuf,
    revision: String,
    before: Result<Loaded, Box<Report>>,
    after: Result<Loaded, Box<Report>>,
    writes: Vec<Write>,
    undo: Vec<Undo>,
    _turn: Turn,
}

/// One file with another text.
#[derive(Debug)]
struct Write {
    path: PathBuf,
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Write {
    fn prepare(&self, like: &Path) -> Result<Prepared<'_>, Refused> {
        Prepared::new(&self.path, Some(&self.before), &self.after, like)
    }
}

/// What a key said before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undo {
    /// The key.
    pub key: String,
    /// Its value; none where it was not there.
    pub value: Option<String>,
    /// The file it is in.
    pub file: PathBuf,
}

impl Plan {
    /// Plans a change of a flag. Each key is written where the value that holds stands: in the overlay of the environment where that
    /// says it, else in the file of definitions.
    ///
    /// A change of keys must leave a valid document. A switch may leave mistakes that were there before, of whatever kind, but adds
    /// none. With `revision`, only the files of that revision are edited.
    ///
    /// # Errors
    /// When the change makes no sense, there is no such flag, the result would be wrong, or a file cannot be read.
    pub fn new(
        files: &Files,
        options: &Options,
        revision: Option<&str>,
        flag: &str,
        change: &Change<'_>,
    ) -> Result<Self, Refused> {
        // a link stays a link: what it leads to is replaced
        let target = fs::canonicalize(files.definitions())?;
        let turn = Turn::wait(&target);
        let contents = files.read().map_err(|report| Refused::Invalid(Box::new(report)))?;
        if revision.is_some_and(|revision| revision != contents.revision()) {
            return Err(Refused::Changed);
        }
        let before = files.parse(&contents, options).map_err(Box::new);
        if let Err(report) = &before
            && !contents.is_text()
        {
            return Err(Refused::Invalid(report.clone()));
        }
        let (edited, undo) = edited(files, &contents, flag, change)?;
        let after = files.parse(&edited, options).map_err(Box::new);
        if let Err(report) = &after
            && !(change.is_switch() && adds_nothing(before.as_ref().err().map(|report| &**report), report))
        {
            return Err(Refused::Invalid(report.clone()));
        }
        let writes = writes(files, &target, &contents, &edited)?;
        let revision = contents.revision();
        Ok(Self { definitions: target, revision, before, after, writes, undo, _turn: turn })
    }

    /// The revision of the files that it was made for.
    #[must_use]
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// What the files mean now, when they can be read.
    #[must_use]
    pub fn before(&self) -> Option<&Loaded> {
        self.before.as_ref().ok()
    }

    /// What they would mean.
    ///
    /// # Errors
    /// With the mistakes that were there before: programs go on with the last good files.
    pub fn after(&self) -> Result<&Loaded, &Report> {
        self.after.as_ref().map_err(|report| &**report)
    }

    /// Whether a byte would change.
    #[must_use]
    pub fn is_change(&self) -> bool {
        !self.writes.is_empty()
    }

    /// What the keys said before.
    #[must_use]
    pub fn undo(&self) -> &[Undo] {
        &self.undo
    }

    /// The files it goes into.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.writes.iter().map(|write| &*write.path)
    }

    /// Does it: whoever reads a file finds the old text or the new one.
    ///
    /// # Errors
    /// When a file changed meanwhile, or cannot be written.
    pub fn write(&self) -> Result<(), Refused> {
        self.prepare()?.write()
    }

    /// Does all but the last step: the new texts are on the disk, or the files may be written.
    ///
    /// # Errors
    /// When a file changed meanwhile, or cannot be written.
    pub fn prepare(&self) -> Result<Ready<'_>, Refused> {
        self.writes.iter().map(|write| write.prepare(&self.definitions)).collect::<Result<_, _>>().map(Ready)
    }
}

/// A plan whose last step alone is left.
#[derive(Debug)]
pub struct Ready<'a>(Vec<Prepared<'a>>);

impl Ready<'_> {
    /// Does it: whoever reads a file finds the old text or the new one.
    ///
    /// # Errors
    /// When a file changed meanwhile, or cannot be written after all.
    pub fn write(self) -> Result<(), Refused> {
        self.0.into_iter().try_for_each(Prepared::commit)
    }
}

/// The texts after a change, and what its keys said before.
fn edited(
    files: &Files,
    contents: &Contents,
    flag: &str,
    change: &Change<'_>,
) -> Result<(Contents, Vec<Undo>), Refused> {
    let mut definitions = String::from_utf8_lossy(contents.definitions()).into_owned();
    let mut overlay = contents.overlay().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let mut undo = Vec::new();
    let effective =
        |key: &str, texts: [Option<&str>; 2]| texts.into_iter().flatten().any(|text| says(text, flag, key));
    let keys = change.keys(|key| effective(key, [Some(&definitions), overlay.as_deref()]));
    if keys.is_empty() && !has(&definitions, flag) && !overlay.as_deref().is_some_and(|text| has(text, flag)) {
        change.apply(&definitions, flag, &[]).map_err(Refused::Edit)?;
    }
    for (key, wanted) in keys {
        let is_over = overlay
            .as_deref()
            .is_some_and(|text| says(text, flag, key) || (has(text, flag) && !has(&definitions, flag)));
        let (text, file) = match (&mut overlay, files.overlay()) {
            (Some(text), Some(file)) if is_over => (text, file),
            _ => (&mut definitions, files.definitions()),
        };
        undo.push(Undo { key: key.into(), value: value(text, flag, key).ok().flatten(), file: file.into() });
        *text = change.apply(text, flag, &[(key, wanted)]).map_err(Refused::Edit)?;
    }
    let after = contents.with_definitions(definitions.into_bytes()).with_overlay(overlay.map(String::into_bytes));
    Ok((after, undo))
}

/// Whether a text says a key of a flag.
fn says(text: &str, flag: &str, key: &str) -> bool {
    let within = super::chunk::find(text, flag).and_then(|range| text.get(range));
    [Some(text), within].into_iter().flatten().any(|text| matches!(value(text, flag, key), Ok(Some(_))))
}

/// Whether a text has a flag.
fn has(text: &str, flag: &str) -> bool {
    let is_read =
        |text: &str| !matches!(value(text, flag, "enabled"), Err(EditError::NoFlag { .. } | EditError::NotToml(_)));
    is_read(text) || super::chunk::find(text, flag).is_some()
}

/// Whether all mistakes were there before.
fn adds_nothing(before: Option<&Report>, after: &Report) -> bool {
    let Some(before) = before else {
        return false;
    };
    let mut known: HashMap<_, i32> = HashMap::new();
    for one in before.errors() {
        *known.entry((&one.flag, &one.message)).or_default() += 1;
    }
    after.errors().all(|one| {
        let left = known.get_mut(&(&one.flag, &one.message));
        left.is_some_and(|left| {
            *left -= 1;
            *left >= 0
        })
    })
}

fn writes(files: &Files, target: &Path, before: &Contents, after: &Contents) -> Result<Vec<Write>, Refused> {
    let mut all = Vec::new();
    if before.definitions() != after.definitions() {
        let (before, after) = (before.definitions().to_vec(), after.definitions().to_vec());
        all.push(Write { path: target.into(), before, after });
    }
    if let (Some(file), Some(old), Some(new)) = (files.overlay(), before.overlay(), after.overlay())
        && old != new
    {
        all.push(Write { path: fs::canonicalize(file)?, before: old.to_vec(), after: new.to_vec() });
    }
    Ok(all)
}
