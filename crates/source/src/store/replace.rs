//! Files are replaced as a whole, or not at all.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

use super::document_store::LastStep;

/// Why a file was not replaced. It is as it was.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// It no longer has the bytes it was read with.
    Changed,
    /// It cannot be found or written.
    Io(io::Error),
    /// The place cannot be asked, or refuses: why, in words.
    Refused(String),
    /// Nothing can be changed here: where to change it.
    ReadOnly(String),
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Replaces a file that still has these bytes, or is still not there. It has the mode and, where allowed, the owner that it had,
/// or those of another one that it is like. A file that is mounted by itself, or stands in a folder that may not be written, keeps its
/// place and gets the bytes.
pub(crate) fn replace(target: &Path, before: Option<&[u8]>, after: &[u8], like: &Path) -> Result<(), WriteError> {
    Prepared::new(target.into(), before, after, like)?.commit_now()
}

/// A replacement whose new text can be written: only the last step is left.
#[derive(Debug)]
pub(crate) struct Prepared<'a> {
    target: PathBuf,
    before: Option<&'a [u8]>,
    after: &'a [u8],
    /// The new text on the disk; none where the file keeps its place.
    new: Result<NamedTempFile, io::Error>,
}

impl<'a> Prepared<'a> {
    /// Writes the new text beside the file. Where that cannot be, the file itself must be one that may be written.
    pub(crate) fn new(
        target: PathBuf,
        before: Option<&'a [u8]>,
        after: &'a [u8],
        like: &Path,
    ) -> Result<Self, WriteError> {
        let new = match written_beside(&target, after, if before.is_some() { &target } else { like }) {
            Err(error) if !keeps_its_place(&error) || before.is_none() => return Err(error.into()),
            Err(error) if File::options().read(true).write(true).open(&target).is_err() => return Err(error.into()),
            new => new,
        };
        let prepared = Self { target, before, after, new };
        prepared.is_as_it_was()?;
        Ok(prepared)
    }

    fn is_as_it_was(&self) -> Result<(), WriteError> {
        let now = match fs::read(&self.target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            now => Some(now?),
        };
        if now.as_deref() == self.before { Ok(()) } else { Err(WriteError::Changed) }
    }

    fn commit_now(self) -> Result<(), WriteError> {
        self.is_as_it_was()?;
        let error = match self.new.and_then(|new| renamed(new, &self.target)) {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        match self.before {
            Some(before) if keeps_its_place(&error) => {
                Ok(overwrite(&self.target, before, self.after).map_err(|_| error)?)
            }
            _ => Err(error.into()),
        }
    }
}

impl LastStep for Prepared<'_> {
    fn commit(self: Box<Self>) -> Result<(), WriteError> {
        self.commit_now()
    }
}

/// A new file in the folder of the target, on the disk, with the rights of another one.
fn written_beside(target: &Path, after: &[u8], like: &Path) -> io::Result<NamedTempFile> {
    let mut new = tempfile::Builder::new().prefix(".flagstaff-").suffix(".tmp").tempfile_in(folder_of(target))?;
    new.write_all(after)?;
    let meta = fs::metadata(like)?;
    new.as_file().set_permissions(meta.permissions())?;
    keep_owner(new.path(), &meta);
    new.as_file().sync_all()?;
    Ok(new)
}

fn renamed(new: NamedTempFile, target: &Path) -> io::Result<()> {
    new.persist(target).map_err(|e| e.error)?;
    // The new name is on the disk only when the folder is; where folders cannot be synced, nothing is lost by trying.
    let _ = File::open(folder_of(target)).and_then(|folder| folder.sync_all());
    Ok(())
}

fn folder_of(target: &Path) -> &Path {
    target.parent().unwrap_or(Path::new("."))
}

/// Whether a file cannot be replaced, but perhaps be written: it is a mount, its folder may not be written, or a second file has no
/// room on the disk.
fn keeps_its_place(error: &io::Error) -> bool {
    use io::ErrorKind::{
        CrossesDevices, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, ResourceBusy, StorageFull,
    };
    matches!(
        error.kind(),
        ResourceBusy | CrossesDevices | ReadOnlyFilesystem | PermissionDenied | StorageFull | QuotaExceeded
    )
}

/// Writes over a file that still has these bytes. When the disk is full, it has them again.
fn overwrite(target: &Path, before: &[u8], after: &[u8]) -> io::Result<()> {
    let mut file = File::options().read(true).write(true).open(target)?;
    let mut now = Vec::new();
    file.read_to_end(&mut now)?;
    if now != before {
        return Err(io::Error::other("the file was changed meanwhile"));
    }
    let written = write_whole(&mut file, after);
    if written.is_err() {
        // the old bytes have their place on the disk
        write_whole(&mut file, before)?;
    }
    written
}

fn write_whole(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.seek(io::SeekFrom::Start(0))?;
    file.write_all(bytes)?;
    file.set_len(bytes.len() as u64)?;
    file.sync_all()
}

/// Root may edit the file of another user, who should go on owning it. Others own what they write, and need no more.
#[cfg(unix)]
fn keep_owner(path: &Path, meta: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt as _, chown};
    let _ = chown(path, Some(meta.uid()), Some(meta.gid()));
}

#[cfg(not(unix))]
fn keep_owner(_: &Path, _: &fs::Metadata) {}

/// How long an edit waits for another one. After that it goes on: what is there is compared before it is replaced.
const TURN_WITHIN: Duration = Duration::from_secs(3);
/// How often it looks whether its turn has come.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What keeps other edits waiting, until it is dropped.
pub(crate) trait Hold: fmt::Debug + Send {}

/// One edit at a time, also among processes.
#[derive(Debug)]
pub(crate) struct Turn {
    _held: Option<Box<dyn Hold>>,
}

impl Turn {
    /// Waits for the others, for a while. Where nothing can be held, the check for changes before the change must do.
    ///
    /// `take` takes hold; it answers none where others have it.
    pub(crate) fn wait(mut take: impl FnMut() -> io::Result<Option<Box<dyn Hold>>>) -> Self {
        let until = Instant::now() + TURN_WITHIN;
        loop {
            match take() {
                Ok(None) if Instant::now() < until => std::thread::sleep(LOOK_EVERY),
                held => return Self { _held: held.ok().flatten() },
            }
        }
    }

    /// Waits for the others who edit files in the folder of this one.
    pub(crate) fn in_folder_of(target: &Path) -> Self {
        Self::wait(|| {
            let folder = File::open(folder_of(target))?;
            match folder.try_lock() {
                Ok(()) => Ok(Some(Box::new(LockedFolder(folder)))),
                Err(TryLockError::WouldBlock) => Ok(None),
                Err(TryLockError::Error(error)) => Err(error),
            }
        })
    }

    /// Nobody waits: nothing can be changed anyway.
    pub(crate) const fn none() -> Self {
        Self { _held: None }
    }
}

#[derive(Debug)]
struct LockedFolder(File);

impl Hold for LockedFolder {}

impl Drop for LockedFolder {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}
