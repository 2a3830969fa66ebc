//! Edits of files: checked as a whole, then in one go, or not at all.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use super::EditError;
use crate::archive::Unreadable;
use crate::load::Files;
use crate::parse::{Loaded, Options};
use crate::report::Report;

/// A file after an edit.
#[derive(Clone, Debug)]
pub struct Edited {
    /// What the files mean now.
    pub loaded: Loaded,
    /// Whether a byte changed; where none did, nothing was written.
    pub changed: bool,
}

/// Why a file was not edited. It is as it was.
#[derive(Debug)]
pub enum Refused {
    /// The edit itself makes no sense.
    Edit(EditError),
    /// The file would be, or already is, no valid document.
    Invalid(Box<Report>),
    /// The files are no longer those the edit was made for.
    Changed,
    /// The archive cannot be read.
    Archive(Unreadable),
    /// The file cannot be found or written.
    Io(io::Error),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edit(error) => error.fmt(f),
            Self::Invalid(report) => report.fmt(f),
            Self::Changed => f.write_str("the file was changed meanwhile; look at it again"),
            Self::Archive(error) => error.fmt(f),
            Self::Io(error) => write!(f, "the file cannot be edited: {error}"),
        }
    }
}

impl std::error::Error for Refused {}

impl From<Unreadable> for Refused {
    fn from(error: Unreadable) -> Self {
        Self::Archive(error)
    }
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Edits the file of definitions, with its overlay taken into account. The result is checked before it is written, and
/// written as a whole: whoever reads the file finds the old text or the new one. With `revision`, only the files of that
/// revision are edited.
///
/// # Errors
/// When the edit makes no sense, its result is no valid document, the files changed since `revision` or while they were
/// edited, or the file cannot be written. Nothing is changed then.
pub fn edit(
    files: &Files,
    options: &Options,
    revision: Option<&str>,
    change: impl FnOnce(&str) -> Result<String, EditError>,
) -> Result<Edited, Refused> {
    // A link stays a link: what it leads to is replaced.
    let target = fs::canonicalize(files.definitions())?;
    let _turn = Turn::wait(&target);
    let invalid = |report| Refused::Invalid(Box::new(report));
    let before = files.read().map_err(invalid)?;
    if revision.is_some_and(|revision| revision != before.revision()) {
        return Err(Refused::Changed);
    }
    let text = String::from_utf8_lossy(before.definitions()).into_owned();
    let edited = change(&text).map_err(Refused::Edit)?;
    if edited == text {
        let loaded = files.parse(&before, options).map_err(invalid)?;
        return Ok(Edited { loaded, changed: false });
    }
    let after = before.with_definitions(edited.into_bytes());
    let loaded = files.parse(&after, options).map_err(invalid)?;
    replace(&target, Some(before.definitions()), after.definitions(), &target)?;
    Ok(Edited { loaded, changed: true })
}

/// Replaces a file that still has these bytes, or is still not there. It has the mode and, where allowed, the owner that it had,
/// or those of another one that it is like.
pub(super) fn replace(target: &Path, before: Option<&[u8]>, after: &[u8], like: &Path) -> Result<(), Refused> {
    let folder = target.parent().unwrap_or(Path::new("."));
    let mut new = tempfile::Builder::new().prefix(".flagstaff-").suffix(".tmp").tempfile_in(folder)?;
    new.write_all(after)?;
    let meta = fs::metadata(if before.is_some() { target } else { like })?;
    new.as_file().set_permissions(meta.permissions())?;
    keep_owner(new.path(), &meta);
    new.as_file().sync_all()?;
    let now = match fs::read(target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        now => Some(now?),
    };
    if now.as_deref() != before {
        return Err(Refused::Changed);
    }
    new.persist(target).map_err(|e| e.error)?;
    // The new name is on the disk only when the folder is; where folders cannot be synced, nothing is lost by trying.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// Root may edit the file of another user, who should go on owning it. Others own what they write, and need no more.
#[cfg(unix)]
fn keep_owner(path: &Path, meta: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt as _, chown};
    let _ = chown(path, Some(meta.uid()), Some(meta.gid()));
}

#[cfg(not(unix))]
fn keep_owner(_: &Path, _: &fs::Metadata) {}

/// One edit at a time in a folder, also among processes.
pub(super) struct Turn(Option<File>);

impl Turn {
    /// Waits for the others. Where folders cannot be locked, the check for changes before the rename must do.
    pub(super) fn wait(target: &Path) -> Self {
        let folder = target.parent().and_then(|folder| File::open(folder).ok());
        Self(folder.filter(|folder| folder.lock().is_ok()))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(folder) = &self.0 {
            let _ = folder.unlock();
        }
    }
}
