//! An edit of a flag: what it would make of the files is known before a byte is written.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::change::Change;
use super::chunk;
use super::error::{EditError, Refused};
use super::settle::value;
use crate::assemble::{Loaded, ParseOptions};
use crate::findings::Report;
use crate::store::{Contents, DocumentStore as _, Files, Prepared, Turn};

/// An edit that can be made. Nobody else edits files of this folder while it is there.
#[derive(Debug)]
pub struct EditPlan {
    store: Files,
    contents: Contents,
    edited: Contents,
    /// The files that change.
    changed: Vec<PathBuf>,
    before: Result<Loaded, Box<Report>>,
    after: Result<Loaded, Box<Report>>,
    undo: Vec<Undo>,
    _turn: Turn,
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

impl EditPlan {
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
        options: &ParseOptions,
        revision: Option<&str>,
        flag: &str,
        change: &Change<'_>,
    ) -> Result<Self, Refused> {
        // a link stays a link: what it leads to is replaced
        let target = fs::canonicalize(files.definitions())?;
        let turn = Turn::wait(&target);
        let contents = files.read()?;
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
        let changed = files.changed(&contents, &edited)?.into_iter().map(|(path, ..)| path).collect();
        Ok(Self { store: files.clone(), contents, edited, changed, before, after, undo, _turn: turn })
    }

    /// The revision of the files that it was made for.
    #[must_use]
    pub fn revision(&self) -> String {
        self.contents.revision()
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
        !self.changed.is_empty()
    }

    /// What the keys said before.
    #[must_use]
    pub fn undo(&self) -> &[Undo] {
        &self.undo
    }

    /// The files it goes into.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.changed.iter().map(PathBuf::as_path)
    }

    /// Writes it: a reader of a file finds the old text or the new one.
    ///
    /// # Errors
    /// When a file changed meanwhile, or cannot be written.
    pub fn write(&self) -> Result<(), Refused> {
        Ok(self.store.compare_and_set(&self.contents, &self.edited)?)
    }

    /// Does all but the last step: the new texts are on the disk, or the files may be written.
    ///
    /// # Errors
    /// When a file changed meanwhile, or cannot be written.
    pub fn prepare(&self) -> Result<Ready<'_>, Refused> {
        Ok(Ready(self.store.prepare(&self.contents, &self.edited)?))
    }
}

/// A plan whose last step alone is left.
#[derive(Debug)]
pub struct Ready<'a>(Vec<Prepared<'a>>);

impl Ready<'_> {
    /// Writes it: a reader of a file finds the old text or the new one.
    ///
    /// # Errors
    /// When a file changed meanwhile, or cannot be written after all.
    pub fn write(self) -> Result<(), Refused> {
        Ok(self.0.into_iter().try_for_each(Prepared::commit)?)
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
        change.apply(&definitions, flag, &[])?;
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
        *text = change.apply(text, flag, &[(key, wanted)])?;
    }
    let after = contents.with_definitions(definitions.into_bytes()).with_overlay(overlay.map(String::into_bytes));
    Ok((after, undo))
}

/// Whether a text says a key of a flag.
fn says(text: &str, flag: &str, key: &str) -> bool {
    let within = chunk::find(text, flag).and_then(|range| text.get(range));
    [Some(text), within].into_iter().flatten().any(|text| matches!(value(text, flag, key), Ok(Some(_))))
}

/// Whether a text has a flag.
fn has(text: &str, flag: &str) -> bool {
    let is_read =
        |text: &str| !matches!(value(text, flag, "enabled"), Err(EditError::NoFlag { .. } | EditError::NotToml(_)));
    is_read(text) || chunk::find(text, flag).is_some()
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
