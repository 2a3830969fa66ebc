//! Flags in files: read as one snapshot, watched, and replaced together by an edit.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use super::contents::Contents;
use super::document_store::{DocumentStore, LastStep, LastSteps, Wake, Watcher};
use super::folders::Folders;
use super::replace::{Prepared, Turn, WriteError, replace};
use crate::archive::{self, ARCHIVE, Unreadable, beside};
use crate::decode::text::LARGEST;
use crate::findings::Report;

/// How often files are looked at without being told to, unless said otherwise.
pub const POLL: Duration = Duration::from_secs(2);

/// How long files must stay as they are before they are read, so that nobody is caught in the middle of a save.
const SETTLE: Duration = Duration::from_millis(50);

/// A file that changes, its bytes before, where it was there, and after.
type Changed<'a> = (PathBuf, Option<&'a [u8]>, &'a [u8]);

/// The file of definitions, and the file of state that an environment lays over it: `flags.toml` and
/// `flags.production.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Files {
    definitions: PathBuf,
    overlay: Option<PathBuf>,
    environment: Option<String>,
    /// An environment that no file can be named after.
    misnamed: Option<String>,
}

impl Files {
    /// The files of this path and environment. An overlay need not exist.
    pub(super) fn new(definitions: &Path, environment: Option<&str>) -> Self {
        let overlay = environment.and_then(|environment| overlay_of(definitions, environment));
        Self {
            definitions: definitions.into(),
            misnamed: environment.filter(|_| overlay.is_none()).map(Into::into),
            environment: environment.map(Into::into),
            overlay,
        }
    }

    /// The file of definitions.
    pub(super) fn definitions(&self) -> &Path {
        &self.definitions
    }

    /// Where the overlay is, or would be.
    pub(super) fn overlay(&self) -> Option<&Path> {
        self.overlay.as_deref()
    }

    /// The definitions, the overlays that are there, and the archive, which need not be.
    pub(super) fn all(&self) -> Vec<PathBuf> {
        let rest = [archive::path(&self.definitions), self.definitions.clone()];
        self.overlay_paths().chain(rest).collect()
    }

    /// Overlays of any environment that are there: files beside the definitions with a name between theirs and its ending.
    fn overlay_paths(&self) -> impl Iterator<Item = PathBuf> {
        let all = self.overlaid().into_iter();
        all.filter_map(|environment| overlay_of(&self.definitions, &environment))
    }

    /// Environments that have an overlay, in the order of their names.
    fn overlaid(&self) -> Vec<String> {
        let folder = self.definitions.parent().filter(|folder| !folder.as_os_str().is_empty());
        let entries = std::fs::read_dir(folder.unwrap_or(Path::new("."))).into_iter().flatten().flatten();
        let environment = |path: PathBuf| {
            let whole = if self.definitions.extension().is_some() { path.file_stem()? } else { path.file_name()? };
            let environment = Path::new(whole).extension().and_then(OsStr::to_str)?;
            let overlay = overlay_of(&self.definitions, environment)?;
            (overlay.file_name() == path.file_name()).then(|| environment.to_owned())
        };
        let mut all: Vec<_> = entries.filter_map(|entry| environment(entry.path())).collect();
        all.sort();
        all
    }

    /// The files that differ, with their bytes before and after. A link stays a link: what it leads to is replaced. No file is deleted.
    fn differing<'a>(&self, before: &'a Contents, after: &'a Contents) -> io::Result<Vec<Changed<'a>>> {
        let mut all = Vec::new();
        if before.definitions() != after.definitions() {
            all.push((fs::canonicalize(&self.definitions)?, Some(before.definitions()), after.definitions()));
        }
        if let (Some(file), old, Some(new)) = (self.overlay(), before.overlay(), after.overlay())
            && old != Some(new)
        {
            let target = if old.is_some() { fs::canonicalize(file)? } else { file.to_owned() };
            all.push((target, old, new));
        }
        Ok(all)
    }
}

impl DocumentStore for Files {
    fn name(&self) -> String {
        self.definitions.display().to_string()
    }

    fn overlay_name(&self) -> Option<String> {
        self.overlay().map(|path| path.display().to_string())
    }

    fn archive_name(&self) -> String {
        archive::path(&self.definitions).display().to_string()
    }

    fn environment(&self) -> Option<&str> {
        self.environment.as_deref()
    }

    fn in_environment(&self, environment: &str) -> Arc<dyn DocumentStore> {
        Arc::new(Self::new(&self.definitions, Some(environment)))
    }

    fn environments(&self) -> Result<Vec<String>, Report> {
        Ok(self.overlaid())
    }

    fn files(&self) -> Option<&Files> {
        Some(self)
    }

    fn poll(&self) -> Duration {
        POLL
    }

    fn settle(&self) -> Option<Duration> {
        Some(SETTLE)
    }

    fn read(&self) -> Result<Contents, Report> {
        if let Some(environment) = &self.misnamed {
            return Err(misnamed(&self.name(), environment));
        }
        let definitions = read(&self.definitions).map_err(|e| unreadable(&self.definitions, &e))?;
        let overlay = match self.overlay.as_deref().map(|path| (path, read(path))) {
            Some((_, Ok(bytes))) => Some(bytes),
            Some((_, Err(e))) if e.kind() == io::ErrorKind::NotFound => None,
            Some((path, Err(e))) => return Err(unreadable(path, &e)),
            None => None,
        };
        Ok(Contents::new(definitions, overlay))
    }

    fn overlays(&self) -> Result<Vec<(String, Vec<u8>)>, Report> {
        let named = |path: PathBuf| Ok((path.display().to_string(), overlay_bytes(&path)?));
        self.overlay_paths().map(named).collect()
    }

    fn turn(&self) -> io::Result<Turn> {
        // a link stays a link: what it leads to is replaced
        Ok(Turn::in_folder_of(&fs::canonicalize(&self.definitions)?))
    }

    fn changed(&self, before: &Contents, after: &Contents) -> io::Result<Vec<String>> {
        let all = self.differing(before, after)?.into_iter();
        Ok(all.map(|(path, ..)| path.display().to_string()).collect())
    }

    fn prepare<'a>(&'a self, before: &'a Contents, after: &'a Contents) -> Result<LastSteps<'a>, WriteError> {
        // a new file has the rights of the definitions
        let like = fs::canonicalize(&self.definitions)?;
        let prepared = |(path, before, after)| {
            let prepared = Prepared::new(path, before, after, &like)?;
            Ok(Box::new(prepared) as Box<dyn LastStep + 'a>)
        };
        self.differing(before, after)?.into_iter().map(prepared).collect()
    }

    fn archive(&self) -> Result<Option<String>, Unreadable> {
        archive::text(&archive::path(&self.definitions))
    }

    fn replace_archive(&self, before: Option<&str>, after: &str) -> Result<(), WriteError> {
        let like = fs::canonicalize(&self.definitions)?;
        let path = archive::path(&self.definitions);
        // a link stays a link
        let target = fs::canonicalize(&path).unwrap_or(path);
        replace(&target, before.map(str::as_bytes), after.as_bytes(), &like)
    }

    fn watch(&self, wakes: Sender<Wake>) -> Box<dyn Watcher> {
        Box::new(Folders::new(self.clone(), wakes))
    }
}

/// An environment that neither a file nor a key can be named after.
pub(super) fn misnamed(name: &str, environment: &str) -> Report {
    let message = format!("no file can be named after the environment `{environment}`");
    let help = "name it in letters, digits, _ and -, such as production; but not archive".to_owned();
    Report::of_file(name, message, Some(help))
}

/// Whether files and keys can be named after an environment.
pub(super) fn is_name(environment: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    (1..=100).contains(&environment.len()) && environment.bytes().all(plain) && environment != ARCHIVE
}

/// `flags.toml` → `flags.production.toml`. `None` for an environment whose name is not one part of a file's name.
fn overlay_of(definitions: &Path, environment: &str) -> Option<PathBuf> {
    (is_name(environment) && definitions.file_stem().is_some()).then(|| beside(definitions, environment))
}

/// A file's bytes, one more than [`LARGEST`] at most.
///
/// # Errors
/// When there is no such file, it is not a file, or it may not be read.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    // Opening a pipe would wait until someone writes to it.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    let mut bytes = Vec::new();
    let most = u64::try_from(LARGEST).unwrap_or(u64::MAX) + 1;
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn unreadable(path: &Path, error: &io::Error) -> Report {
    let help = match error.kind() {
        io::ErrorKind::NotFound => "is the path right? Name the file with --flags",
        io::ErrorKind::PermissionDenied => "let the user this program runs as read it",
        _ => "name a file of flags with --flags",
    };
    let message = format!("the file cannot be read: {error}");
    Report::of_file(&path.to_string_lossy(), message, Some(help.into()))
}

fn overlay_bytes(path: &Path) -> Result<Vec<u8>, Report> {
    read(path).map_err(|error| {
        let help = "it may say something about the flag; make it readable, or move it away".to_owned();
        Report::of_file(&path.to_string_lossy(), format!("the file cannot be read: {error}"), Some(help))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlays_are_beside_their_file() {
        let of = |path: &str, environment| overlay_of(Path::new(path), environment).map(|p| p.display().to_string());
        assert_eq!(of("a/flags.toml", "production").as_deref(), Some("a/flags.production.toml"));
        assert_eq!(of("flags", "test").as_deref(), Some("flags.test"));
        assert_eq!(of("flags.toml", "../x"), None);
        assert_eq!(of("flags.toml", ""), None);
        assert_eq!(of("flags.toml", "archive"), None);
        let report = Files::new(Path::new("flags.toml"), Some("../x")).read().unwrap_err();
        assert!(report.to_string().contains("environment `../x`"));
    }
}
