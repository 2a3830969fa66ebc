//! The folders in which something must happen for a file to change.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::document_store::{Wake, Watcher};
use super::files::Files;

/// How many links in a row are followed; systems give up at 40.
const LINKS: usize = 40;

/// Folders on watch.
pub(crate) struct Folders {
    files: Files,
    wakes: Sender<Wake>,
    /// `None` where the system gives no watcher; then looking every so often must do.
    watcher: Option<RecommendedWatcher>,
    /// Each with what tells it from another of its name.
    watched: BTreeMap<PathBuf, Option<Identity>>,
}

type Identity = (u64, u64);

impl Folders {
    pub(super) const fn new(files: Files, wakes: Sender<Wake>) -> Self {
        Self { files, wakes, watcher: None, watched: BTreeMap::new() }
    }

    fn new_watcher(&self) -> notify::Result<RecommendedWatcher> {
        let wakes = self.wakes.clone();
        let tell = move |event: notify::Result<Event>| {
            let wake = match event {
                Ok(event) if is_noise(event.kind) => return,
                Ok(event) => wake_of(&event),
                Err(_) => Wake::Lost,
            };
            // Nobody listens any more when the watch has ended.
            let _ = wakes.send(wake);
        };
        notify::recommended_watcher(tell)
    }
}

impl Watcher for Folders {
    fn forget(&mut self) {
        self.watcher = None;
        self.watched.clear();
    }

    fn renew(&mut self) -> Result<bool, String> {
        let wanted: BTreeMap<_, _> = folders_of(&self.files)
            .into_iter()
            .map(|f| {
                let id = identity(&f);
                (f, id)
            })
            .collect();
        if self.watcher.is_none() {
            self.watched.clear();
            self.watcher = Some(self.new_watcher().map_err(|error| in_words(&error))?);
        }
        let Some(watcher) = &mut self.watcher else {
            return Ok(false);
        };
        for gone in self.watched.iter().filter(|(folder, id)| wanted.get(*folder) != Some(*id)) {
            // It may be gone already, and its watch with it.
            let _ = watcher.unwatch(gone.0);
        }
        self.watched.retain(|folder, id| wanted.get(folder) == Some(id));
        for (folder, id) in &wanted {
            if self.watched.contains_key(folder) {
                continue;
            }
            match watcher.watch(folder, RecursiveMode::NonRecursive) {
                Ok(()) => drop(self.watched.insert(folder.clone(), *id)),
                // a folder that is away is looked for with the next round
                Err(error) if is_away(&error) => {}
                Err(error) => return Err(in_words(&error)),
            }
        }
        Ok(self.watched.len() == wanted.len())
    }
}

fn in_words(error: &notify::Error) -> String {
    format!("{error}; on Linux raise fs.inotify.max_user_instances and fs.inotify.max_user_watches")
}

fn is_away(error: &notify::Error) -> bool {
    match &error.kind {
        notify::ErrorKind::PathNotFound => true,
        notify::ErrorKind::Io(error) => error.kind() == std::io::ErrorKind::NotFound,
        _ => false,
    }
}

/// Whether an event changes nothing: our own reading makes some too.
const fn is_noise(kind: EventKind) -> bool {
    matches!(kind, EventKind::Access(access) if !matches!(access, AccessKind::Close(AccessMode::Write)))
}

/// A folder that is moved or removed takes its watch along. Whether the event is about a folder on watch or about a file in
/// one is not known here; to look anew is right for both.
fn wake_of(event: &Event) -> Wake {
    let moved = matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)));
    let folder_gone = moved && event.paths.iter().any(|path| !path.exists());
    if folder_gone { Wake::Lost } else { Wake::Changed }
}

/// The folders of the files, and of what they are links to, link by link: a Kubernetes ConfigMap swaps a link on the way.
fn folders_of(files: &Files) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for file in [Some(files.definitions()), files.overlay()].into_iter().flatten() {
        let mut file = file.to_path_buf();
        for _ in 0..LINKS {
            let folder = folder_of(&file);
            let Ok(target) = std::fs::read_link(&file) else {
                folders.push(folder);
                break;
            };
            file = folder.join(target);
            folders.push(folder);
        }
        folders.extend(std::fs::canonicalize(&file).ok().as_deref().map(folder_of));
    }
    folders
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.into(),
        _ => PathBuf::from("."),
    }
}

/// Device and number of a folder: a folder made anew under the old name is another.
#[cfg(unix)]
fn identity(folder: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(folder).ok().map(|meta| (meta.dev(), meta.ino()))
}

#[cfg(not(unix))]
fn identity(folder: &Path) -> Option<Identity> {
    std::fs::metadata(folder).ok().map(|_| (0, 0))
}
