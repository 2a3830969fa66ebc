//! An edit of a flag: what it would make of the files is known before a byte is written.

use std::collections::HashMap;

use flagstaff_flags::FlagTexts;

use super::change::Change;
use super::chunk;
use super::create::create;
use super::cut::cut;
use super::error::{EditError, Refused};
use super::read::{Said, decides, said, value};
use super::restore::restored;
use crate::assemble::{Loaded, ParseOptions};
use crate::findings::Report;
use crate::store::{Contents, FlagSource, LastStep, LastSteps, Turn};

/// An edit that can be made. Other edits of this folder wait while it is there, but at most 3 seconds, and not
/// where folders cannot be locked: so what was read is compared again before it is written.
#[derive(Debug)]
pub struct EditPlan {
    source: FlagSource,
    contents: Contents,
    edited: Contents,
    /// The names of the files that change.
    changed: Vec<String>,
    before: Result<Loaded, Box<Report>>,
    after: Result<Loaded, Box<Report>>,
    undo: Vec<Undo>,
    _turn: Turn,
}

/// What a key said before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undo {
    /// The key; where it was not there, the first one on the way to it that was not.
    pub key: String,
    /// Its value as TOML on one line; none where it was not there.
    pub value: Option<String>,
    /// It says something else now.
    pub is_changed: bool,
    /// The file it is in.
    pub file: String,
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
        source: &FlagSource,
        options: &ParseOptions,
        revision: Option<&str>,
        flag: &str,
        change: &Change<'_>,
    ) -> Result<Self, Refused> {
        let edit = |contents: &Contents, before: &Result<Loaded, Box<Report>>| match before {
            Err(report) if !contents.is_text() => Err(Refused::Invalid(report.clone())),
            _ => edited(source, contents, flag, change),
        };
        Self::of(Target { source, options, revision, may_be_missing: false }, change.is_switch(), edit)
    }

    /// Plans to put back what was: one flag, or all of it. Of one flag only its own tables change, in the file of definitions and in the overlay; all of it
    /// may be put back also where the files cannot be read now. With `revision`, only the files of that revision are edited.
    ///
    /// # Errors
    /// When the flag is in none of the texts or cannot be put back, the result would be wrong, or a file cannot be read.
    pub fn restore(
        source: &FlagSource,
        options: &ParseOptions,
        revision: Option<&str>,
        flag: Option<&str>,
        then: &FlagTexts,
    ) -> Result<Self, Refused> {
        let edit = |contents: &Contents, before: &Result<Loaded, Box<Report>>| match (before, flag) {
            (Err(report), Some(_)) if !contents.is_text() => Err(Refused::Invalid(report.clone())),
            (_, flag) => Ok((put_back(contents, flag, then)?, Vec::new())),
        };
        Self::of(Target { source, options, revision, may_be_missing: false }, false, edit)
    }

    /// Plans to put texts in place of all that is there, which may be nothing yet.
    ///
    /// # Errors
    /// When they would be wrong, nothing can be changed there, or the place cannot be asked. With `revision`, also when the texts there are
    /// others.
    pub fn replace(
        source: &FlagSource,
        options: &ParseOptions,
        revision: Option<&str>,
        with: &FlagTexts,
    ) -> Result<Self, Refused> {
        let target = Target { source, options, revision, may_be_missing: true };
        Self::of(target, false, |contents, _| {
            let after = contents.with_definitions(with.definitions.as_bytes().to_vec());
            let overlay = with.overlay.as_deref().map(|text| text.as_bytes().to_vec());
            Ok((if overlay.is_some() { after.with_overlay(overlay) } else { after }, Vec::new()))
        })
    }

    /// Plans an edit; one that `may_be_wrong` may leave mistakes that were there before.
    fn of(
        target: Target<'_>,
        may_be_wrong: bool,
        edit: impl FnOnce(&Contents, &Result<Loaded, Box<Report>>) -> Result<(Contents, Vec<Undo>), Refused>,
    ) -> Result<Self, Refused> {
        let Target { source, options, revision, .. } = target;
        let turn = source.turn()?;
        let contents = target.read()?;
        if revision.is_some_and(|revision| revision != contents.revision()) {
            return Err(Refused::Changed);
        }
        let before = source.parse(&contents, options).map_err(Box::new);
        let (edited, undo) = edit(&contents, &before).map_err(|refused| at_its_place(refused, &before))?;
        let after = source.parse(&edited, options).map_err(Box::new);
        if let Err(report) = &after
            && !(may_be_wrong && adds_nothing(before.as_ref().err().map(|report| &**report), report))
        {
            return Err(Refused::Invalid(report.clone()));
        }
        let changed = source.changed(&contents, &edited)?;
        if let Some(why) = source.read_only().filter(|_| !changed.is_empty()) {
            return Err(Refused::ReadOnly(why));
        }
        Ok(Self { source: source.clone(), contents, edited, changed, before, after, undo, _turn: turn })
    }

    /// The revision of the files that it was made for.
    #[must_use]
    pub fn revision(&self) -> String {
        self.contents.revision()
    }

    /// The texts of the files now.
    #[must_use]
    pub fn texts_before(&self) -> FlagTexts {
        self.contents.texts()
    }

    /// The revision that the files would have.
    #[must_use]
    pub fn revision_after(&self) -> String {
        self.edited.revision()
    }

    /// The texts that it would leave.
    #[must_use]
    pub fn texts(&self) -> FlagTexts {
        self.edited.texts()
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

    /// The names of the files it goes into.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.changed.iter().map(String::as_str)
    }

    /// Writes it: a reader of a file finds the old text or the new one.
    ///
    /// # Errors
    /// When a file changed meanwhile, or cannot be written.
    pub fn write(&self) -> Result<(), Refused> {
        Ok(self.source.compare_and_set(&self.contents, &self.edited)?)
    }

    /// Does all but the last step: the new texts are on the disk, or the files may be written.
    ///
    /// # Errors
    /// When a file changed meanwhile, or cannot be written.
    pub fn prepare(&self) -> Result<Ready<'_>, Refused> {
        Ok(Ready(self.source.prepare(&self.contents, &self.edited)?))
    }
}

/// A plan whose last step alone is left.
#[derive(Debug)]
pub struct Ready<'a>(LastSteps<'a>);

impl Ready<'_> {
    /// Writes it: a reader of a file finds the old text or the new one.
    ///
    /// # Errors
    /// When a file changed meanwhile, or cannot be written after all.
    pub fn write(self) -> Result<(), Refused> {
        Ok(self.0.into_iter().try_for_each(LastStep::commit)?)
    }
}

/// What is to be edited.
#[derive(Clone, Copy)]
struct Target<'a> {
    source: &'a FlagSource,
    options: &'a ParseOptions,
    /// Only the files of this revision are edited.
    revision: Option<&'a str>,
    /// There need not be any definitions yet.
    may_be_missing: bool,
}

impl Target<'_> {
    /// What is there. A place that cannot be asked is no mistake in a text.
    fn read(&self) -> Result<Contents, Refused> {
        let read = if self.may_be_missing { self.source.read_if_there() } else { self.source.read() };
        read.map_err(|report| match self.source.file() {
            Some(_) => report.into(),
            None => Refused::Unavailable(report.in_a_line()),
        })
    }
}

/// The texts after a change, and what its keys said before.
fn edited(
    source: &FlagSource,
    contents: &Contents,
    flag: &str,
    change: &Change<'_>,
) -> Result<(Contents, Vec<Undo>), Refused> {
    change.names_each_key_once()?;
    let mut definitions = String::from_utf8_lossy(contents.definitions()).into_owned();
    if let Change::Create { like, keys } = change {
        return Ok((created(contents, &definitions, flag, *like, keys)?, Vec::new()));
    }
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
        let (text, file) = match (&mut overlay, source.overlay_name()) {
            (Some(text), Some(file)) if is_over => (text, file),
            _ => (&mut definitions, source.name()),
        };
        let before = said_before(contents, is_over, flag, key);
        *text = match wanted {
            Some(wanted) => change.apply(text, flag, &[(key, wanted)])?,
            None => without(text, flag, key)?,
        };
        let is_changed = said(text, flag, key).map_or(true, |after| after.value != before.value);
        // two keys may have begun one table, the second of them after one that changed nothing
        match undo.iter_mut().find(|one: &&mut Undo| one.key == before.key && one.file == file) {
            Some(one) => one.is_changed |= is_changed,
            None => undo.push(Undo { key: before.key, value: before.value, is_changed, file }),
        }
    }
    let after = contents.with_definitions(definitions.into_bytes()).with_overlay(overlay.map(String::into_bytes));
    Ok((after, undo))
}

/// What a key says in the overlay, or in the definitions, before an edit.
fn said_before(contents: &Contents, is_over: bool, flag: &str, key: &str) -> Said {
    let text = if is_over { contents.overlay().unwrap_or_default() } else { contents.definitions() };
    let found = said(&String::from_utf8_lossy(text), flag, key);
    found.unwrap_or_else(|_| Said { key: key.into(), value: None })
}

/// A file in which nothing is said.
const NOTHING: &str = "# no flags\n";

/// The contents with one flag, or all of it, as it was. A file that was not there then says nothing.
fn put_back(contents: &Contents, flag: Option<&str>, then: &FlagTexts) -> Result<Contents, EditError> {
    let now = contents.texts();
    let Some(flag) = flag else {
        let overlay =
            then.overlay.as_deref().or(now.overlay.as_ref().map(|_| NOTHING)).map(|text| text.as_bytes().to_vec());
        return Ok(contents.with_definitions(then.definitions.as_bytes().to_vec()).with_overlay(overlay));
    };
    let in_one = |now: Option<&str>, then: Option<&str>| -> Result<Option<String>, EditError> {
        let texts = [now, then].map(|text| text.unwrap_or(NOTHING));
        if !texts.iter().any(|text| has(text, flag)) {
            return Ok(None);
        }
        let text = restored(texts[0], texts[1], flag)?;
        Ok(Some(if text.trim().is_empty() { NOTHING.into() } else { text }))
    };
    let definitions = in_one(Some(&now.definitions), Some(&then.definitions))?;
    let overlay = in_one(now.overlay.as_deref(), then.overlay.as_deref())?;
    if definitions.is_none() && overlay.is_none() {
        return Err(EditError::NoFlag { flag: flag.into(), near: None });
    }
    let definitions =
        definitions.map_or_else(|| contents.clone(), |text| contents.with_definitions(text.into_bytes()));
    Ok(match overlay {
        Some(text) => definitions.with_overlay(Some(text.into_bytes())),
        None => definitions,
    })
}

/// The texts with one more flag.
fn created(
    contents: &Contents,
    definitions: &str,
    flag: &str,
    like: Option<&str>,
    keys: &[(&str, &str)],
) -> Result<Contents, EditError> {
    if contents.overlay().is_some_and(|bytes| has(&String::from_utf8_lossy(bytes), flag)) {
        return Err(EditError::Exists(flag.into()));
    }
    create(definitions, flag, like, keys).map(|after| contents.with_definitions(after.into_bytes()))
}

/// A text without a key of a flag; as it is where it does not say it.
fn without(text: &str, flag: &str, key: &str) -> Result<String, EditError> {
    let path: Vec<_> = ["flags", flag].into_iter().chain(key.split('.')).collect();
    Ok(cut(text, &path)?.map_or_else(|| text.to_owned(), |cut| cut.text))
}

/// Whether a text says a key of a flag, or the list that it is in.
fn says(text: &str, flag: &str, key: &str) -> bool {
    let within = chunk::find(text, flag).and_then(|range| text.get(range));
    [Some(text), within].into_iter().flatten().any(|text| decides(text, flag, key))
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

/// What is no TOML is told with its place, as reading the file tells it.
fn at_its_place(refused: Refused, before: &Result<Loaded, Box<Report>>) -> Refused {
    match (refused, before) {
        (Refused::Edit(EditError::NotToml(_)), Err(report)) => Refused::Invalid(report.clone()),
        (refused, _) => refused,
    }
}
