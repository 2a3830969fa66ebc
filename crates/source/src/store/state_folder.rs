//! A small folder for what must outlast the process and belongs to this program alone.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tempfile::NamedTempFile;

/// Files in the folder at most: those written last stay.
const FILES_KEPT: usize = 32;

/// A folder that only the user of this program may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateFolder(PathBuf);

impl StateFolder {
    /// A folder at this path, which is made when something is first written.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self(path.into())
    }

    /// The folder `flagstaff-state` beside a file: where it is when nobody says where.
    #[must_use]
    pub fn beside(file: &Path) -> Self {
        Self(file.with_file_name("flagstaff-state"))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What was written under a name; none when nothing was.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.0.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            other => other.map(Some),
        }
    }

    /// Writes under a name: the old bytes or the new ones are there, whatever happens meanwhile.
    ///
    /// # Errors
    /// When the folder cannot be made, or the file not be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.prepared(bytes)?.persist(self.0.join(name)).map_err(|e| e.error)?;
        self.thin_out();
        Ok(())
    }

    /// Writes under a name where nothing is yet. Returns whether it did.
    ///
    /// # Errors
    /// When the folder cannot be made, or the file not be written.
    pub fn create(&self, name: &str, bytes: &[u8]) -> io::Result<bool> {
        match self.prepared(bytes)?.persist_noclobber(self.0.join(name)) {
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            created => created.map(|_| true).map_err(|e| e.error),
        }
    }

    /// A file with these bytes that has no name yet.
    fn prepared(&self, bytes: &[u8]) -> io::Result<NamedTempFile> {
        make(&self.0)?;
        // files made so may be read and written by their owner alone
        let mut new = tempfile::Builder::new().prefix(".").suffix(".tmp").tempfile_in(&self.0)?;
        new.write_all(bytes)?;
        new.as_file().sync_all()?;
        Ok(new)
    }

    /// Deletes the oldest files beyond what is kept.
    fn thin_out(&self) {
        let age = |entry: &fs::DirEntry| {
            entry.metadata().and_then(|meta| meta.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
        };
        let mut all: Vec<_> = fs::read_dir(&self.0).into_iter().flatten().flatten().collect();
        all.retain(|entry| entry.file_name().to_str().is_some_and(is_ours));
        all.sort_by_key(age);
        let over = all.len().saturating_sub(FILES_KEPT);
        for entry in all.iter().take(over) {
            // what cannot be deleted is tried again with the next writing
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether a file of the folder is one that this program wrote. The folder may hold other files.
fn is_ours(name: &str) -> bool {
    name.ends_with(".json") && ["flags-", "facts-"].iter().any(|kind| name.starts_with(kind))
}

/// Makes the folder, but not those above it: a ledger whose folder is missing must not find it made by this.
fn make(folder: &Path) -> io::Result<()> {
    match create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        made => made,
    }
}

#[cfg(unix)]
fn create(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn create(folder: &Path) -> io::Result<()> {
    fs::create_dir(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_it_and_it_does_not_grow() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::new(&folder.path().join("state"));
        fs::create_dir(state.path()).unwrap();
        fs::set_permissions(state.path(), fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(state.path().join("package.json"), "{}").unwrap();
        (0..2 * FILES_KEPT).for_each(|i| state.write(&format!("facts-{i}.json"), b"x").unwrap());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(state.path()), 0o700);
        assert_eq!(mode(&state.path().join("facts-63.json")), 0o600);
        assert_eq!(fs::read_dir(state.path()).unwrap().count(), FILES_KEPT + 1);
        assert!(state.path().join("package.json").exists(), "what others wrote stays");
    }
}
