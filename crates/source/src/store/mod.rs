//! Where a flag document is kept, how it is read, replaced and watched.
//!
//! A [`DocumentStore`] is any place of a document; [`files`] is the one on disk. It reads [`contents`], replaces files whole
//! ([`replace`]) and watches their [`folders`]. [`watch`] is the thread that looks, [`reload`] what it does with what it found, and
//! [`last_good`] what it keeps in a [`state_folder`].

mod contents;
mod files;
mod folders;
mod last_good;
mod reload;
mod replace;
mod state_folder;
mod watch;

use std::sync::mpsc::Sender;

pub(crate) use contents::Contents;
pub(crate) use files::read;
pub use files::{Files, load};
use folders::Wake;
pub use reload::{ReloadHealth, ReloadObserver, ReloadStatus};
pub(crate) use replace::{Prepared, Turn, WriteError, replace};
pub use state_folder::StateFolder;
pub use watch::{POLL, Reloader};

use crate::findings::Report;

/// A place where a flag document is kept.
pub(crate) trait DocumentStore {
    /// What says when it may have changed.
    type Watcher: Watcher;

    /// What is there now.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read(&self) -> Result<Contents, Report>;

    /// Everything but the last step of [`DocumentStore::compare_and_set`]: what fails, fails here, as far as that can be known.
    ///
    /// # Errors
    /// When what is there is no longer what was read before, or it cannot be written.
    fn prepare<'a>(&self, before: &'a Contents, after: &'a Contents) -> Result<Vec<Prepared<'a>>, WriteError>;

    /// Replaces what is there, if it is still what was read before.
    ///
    /// # Errors
    /// As [`DocumentStore::prepare`].
    fn compare_and_set(&self, before: &Contents, after: &Contents) -> Result<(), WriteError> {
        self.prepare(before, after)?.into_iter().try_for_each(Prepared::commit)
    }

    /// Wakes a thread when something may have changed.
    fn watch(&self, wakes: Sender<Wake>) -> Self::Watcher;
}

/// What says when a document may have changed.
pub(crate) trait Watcher {
    /// Watches what is not watched yet. Says whether every change will be noticed at once; otherwise the thread must look from time
    /// to time.
    ///
    /// # Errors
    /// When changes are not noticed at all: why, in the system's words.
    fn renew(&mut self) -> Result<bool, String>;

    /// Begins to watch from the start: what it had may be dead.
    fn forget(&mut self);
}
