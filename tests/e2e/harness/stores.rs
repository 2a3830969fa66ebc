//! Where the flags of a test are kept: in a file, or in Redis. What is said of edits holds for both.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use super::program::Program;
use super::redis::Redis;

/// Where flags are kept.
#[derive(Clone, Debug)]
pub(crate) enum Store {
    File,
    Redis(Arc<Redis>),
}

impl Store {
    /// All there are here. That Redis is not installed is said.
    pub(crate) fn all() -> Vec<Self> {
        [Self::File].into_iter().chain(Redis::start().map(|redis| Self::Redis(Arc::new(redis)))).collect()
    }

    /// What `--flags` says.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::File => "flags.toml".into(),
            Self::Redis(redis) => redis.url(),
        }
    }

    /// What is there; none where nothing is.
    fn read(&self, folder: &Path, part: Option<&str>) -> Option<String> {
        match self {
            Self::File => fs::read_to_string(folder.join(file(part))).ok(),
            Self::Redis(redis) => redis.document(part),
        }
    }

    #[track_caller]
    fn write(&self, folder: &Path, part: Option<&str>, text: impl AsRef<[u8]>) {
        match self {
            Self::File => fs::write(folder.join(file(part)), text).unwrap(),
            Self::Redis(redis) => redis.put(part, text),
        }
    }
}

/// A folder in which commands are given, and the flags that they are about. No program runs.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) folder: TempDir,
    store: Store,
}

impl Desk {
    /// One for every store there is here.
    pub(crate) fn all(flags: &str) -> Vec<Self> {
        let desk = |store: Store| {
            let folder = tempfile::tempdir().unwrap();
            store.write(folder.path(), None, flags);
            Self { folder, store }
        };
        Store::all().into_iter().map(desk).collect()
    }

    /// What `--flags` says.
    pub(crate) fn place(&self) -> String {
        self.store.place()
    }

    /// The definitions; with a part, the overlay of that name or the archive. None where there are none.
    pub(crate) fn document(&self, part: Option<&str>) -> Option<String> {
        self.store.read(self.folder.path(), part)
    }

    /// Somebody else writes there.
    #[track_caller]
    pub(crate) fn write_document(&self, part: Option<&str>, text: &str) {
        self.store.write(self.folder.path(), part, text);
    }

    /// As messages name it: the end of a path, or of an address.
    pub(crate) fn named(&self, part: Option<&str>) -> String {
        match (&self.store, part) {
            (Store::File, part) => file(part),
            (Store::Redis(_), None) => "?key=flagstaff:flags".into(),
            (Store::Redis(_), Some(part)) => format!("?key=flagstaff:flags:{part}"),
        }
    }
}

impl Program {
    /// The definitions; with a part, the overlay of that name or the archive. None where there are none.
    #[track_caller]
    pub(crate) fn document(&self, part: Option<&str>) -> Option<String> {
        self.store().read(self.folder.path(), part)
    }

    /// Somebody else writes there, as an editor or a pipeline does.
    #[track_caller]
    pub(crate) fn write_document(&self, part: Option<&str>, text: impl AsRef<[u8]>) {
        self.store().write(self.folder.path(), part, text);
    }

    /// The definitions are gone.
    #[track_caller]
    pub(crate) fn remove_document(&self) {
        match self.store() {
            Store::File => fs::remove_file(self.path("flags.toml")).unwrap(),
            Store::Redis(redis) => redis.remove(),
        }
    }
}

fn file(part: Option<&str>) -> String {
    part.map_or_else(|| "flags.toml".to_owned(), |part| format!("flags.{part}.toml"))
}
