//! Flags in files: read as one snapshot, watched, and replaced together by an edit.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;

use flagstaff_flags::FlagTexts;

use super::DocumentStore;
use super::contents::Contents;
use super::folders::{Folders, Wake};
use super::replace::{Prepared, WriteError};
use super::state_folder::StateFolder;
use crate::archive::{ARCHIVE, beside};
use crate::assemble::{Loaded, ParseOptions, parse};
use crate::decode::text::{LARGEST, Text};
use crate::findings::Report;

/// A file that changes, its bytes before, where it was there, and after.
type Changed<'a> = (PathBuf, Option<&'a [u8]>, &'a [u8]);

/// The file of definitions, and the file of state that an environment lays over it: `flags.toml` and
/// `flags.production.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    definitions: PathBuf,
    overlay: Option<PathBuf>,
    environment: Option<String>,
    /// Where what was good last is kept.
    pub(crate) folder: Option<StateFolder>,
    /// An environment that no file can be named after.
    misnamed: Option<String>,
}

impl Files {
    /// The files of this path and environment. An overlay need not exist.
    #[must_use]
    pub fn new(definitions: &Path, environment: Option<&str>) -> Self {
        let overlay = environment.and_then(|environment| overlay_of(definitions, environment));
        Self {
            definitions: definitions.into(),
            misnamed: environment.filter(|_| overlay.is_none()).map(Into::into),
            environment: environment.map(Into::into),
            folder: None,
            overlay,
        }
    }

    /// The file of definitions.
    #[must_use]
    pub fn definitions(&self) -> &Path {
        &self.definitions
    }

    /// The environment whose overlay counts.
    #[must_use]
    pub fn environment(&self) -> Option<&str> {
        self.environment.as_deref()
    }

    /// Where the overlay is, or would be.
    #[must_use]
    pub fn overlay(&self) -> Option<&Path> {
        self.overlay.as_deref()
    }

    /// Overlays of any environment that are there: files beside the definitions with a name between theirs and its ending.
    #[must_use]
    pub fn overlays(&self) -> Vec<PathBuf> {
        self.environments().iter().filter_map(|environment| overlay_of(&self.definitions, environment)).collect()
    }

    /// Environments that have an overlay, in the order of their names.
    #[must_use]
    pub fn environments(&self) -> Vec<String> {
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

    /// The revision and the texts of what is in the files now, whatever it says.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn texts(&self) -> Result<(String, FlagTexts), Report> {
        let contents = self.read()?;
        Ok((contents.revision(), contents.texts()))
    }

    /// The flags of these texts, as if they were in the files.
    ///
    /// # Errors
    /// With every problem, when there is an error.
    pub fn parse_texts(&self, texts: &FlagTexts, options: &ParseOptions) -> Result<Loaded, Report> {
        let bytes = |text: &str| text.as_bytes().to_vec();
        self.parse(&Contents::new(bytes(&texts.definitions), texts.overlay.as_deref().map(bytes)), options)
    }

    /// The revision of the files as they are, also where they cannot be used.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn revision(&self) -> Result<String, Report> {
        self.read().map(|contents| contents.revision())
    }

    pub(crate) fn parse(&self, contents: &Contents, options: &ParseOptions) -> Result<Loaded, Report> {
        let name = self.definitions.to_string_lossy();
        let overlay_name = self.overlay.as_deref().map(Path::to_string_lossy).unwrap_or_default();
        let text = Text { name: &name, bytes: contents.definitions() };
        let overlay = contents.overlay().map(|bytes| Text { name: &overlay_name, bytes });
        let mut loaded = parse(text, overlay, options)?;
        if let (Some(path), None) = (self.overlay(), contents.overlay()) {
            loaded.report.warn_of_file(&name, self.without_overlay(path));
        }
        Ok(loaded)
    }

    /// The files that differ, with their bytes before and after. A link stays a link: what it leads to is replaced. No file is deleted.
    pub(crate) fn changed<'a>(&self, before: &'a Contents, after: &'a Contents) -> io::Result<Vec<Changed<'a>>> {
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

    /// An environment without its file is probably a mistake: what production switches off would be on.
    fn without_overlay(&self, path: &Path) -> String {
        let known = self.environments();
        let environment = self.environment().unwrap_or_default();
        let near = flagstaff_flags::nearest(environment, known.iter().map(String::as_str));
        let mend = match (near, known.as_slice()) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, []) => "no environment has an overlay here".into(),
            (None, known) => format!("there is one for {}", known.join(", ")),
        };
        format!("the environment `{environment}` has no overlay, there is no {}: {mend}", path.display())
    }
}

impl DocumentStore for Files {
    type Watcher = Folders;

    fn read(&self) -> Result<Contents, Report> {
        if let Some(environment) = &self.misnamed {
            let message = format!("no file can be named after the environment `{environment}`");
            let help = "name it in letters, digits, _ and -, such as production; but not archive".to_owned();
            return Err(Report::of_file(&self.definitions.to_string_lossy(), message, Some(help)));
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

    fn prepare<'a>(&self, before: &'a Contents, after: &'a Contents) -> Result<Vec<Prepared<'a>>, WriteError> {
        // a new file has the rights of the definitions
        let like = fs::canonicalize(&self.definitions)?;
        let changed = self.changed(before, after)?.into_iter();
        changed.map(|(path, before, after)| Prepared::new(path, before, after, &like)).collect()
    }

    fn watch(&self, wakes: Sender<Wake>) -> Folders {
        Folders::new(self.clone(), wakes)
    }
}

/// `flags.toml` → `flags.production.toml`. `None` for an environment whose name is not one part of a file's name.
fn overlay_of(definitions: &Path, environment: &str) -> Option<PathBuf> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    let named = !environment.is_empty() && environment.bytes().all(plain) && environment != ARCHIVE;
    (named && definitions.file_stem().is_some()).then(|| beside(definitions, environment))
}

/// A file's bytes, one more than [`LARGEST`] at most.
///
/// # Errors
/// When there is no such file, it is not a file, or it may not be read.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
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

/// Reads flags from a file, and from the overlay of `options.environment` where there is one.
///
/// # Errors
/// With every problem, when the file cannot be read or has an error.
pub fn load(path: &Path, options: &ParseOptions) -> Result<Loaded, Report> {
    let files = Files::new(path, options.environment.as_deref());
    files.parse(&files.read()?, options)
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
