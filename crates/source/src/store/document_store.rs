//! What every place of a flag document can do, wherever it is.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use super::contents::Contents;
use super::fact_channel::FactChannel;
use super::files::Files;
use super::replace::{Turn, WriteError};
use crate::archive::Unreadable;
use crate::findings::Report;

/// A place where a flag document is kept.
pub(crate) trait DocumentStore: fmt::Debug + Send + Sync {
    /// The name of the file of definitions, as it may be shown: without user and password.
    fn name(&self) -> String;

    /// The name of the overlay, which need not be there; none without an environment.
    fn overlay_name(&self) -> Option<String>;

    /// The name of the archive of ended flags.
    fn archive_name(&self) -> String;

    /// The environment whose overlay counts.
    fn environment(&self) -> Option<&str>;

    /// The same document with the overlay of another environment.
    fn in_environment(&self, environment: &str) -> Arc<dyn DocumentStore>;

    /// Environments that are known to have an overlay, in the order of their names.
    ///
    /// # Errors
    /// When the place cannot be asked.
    fn environments(&self) -> Result<Vec<String>, Report>;

    /// The files, where it is in files.
    fn files(&self) -> Option<&Files> {
        None
    }

    /// Why nothing can be changed here, and where to change it; none where it can.
    fn read_only(&self) -> Option<String> {
        None
    }

    /// How often it is looked at without being told to.
    fn poll(&self) -> Duration;

    /// How long it must stay as it is before it is believed; none where nobody is ever in the middle of a save.
    fn settle(&self) -> Option<Duration> {
        None
    }

    /// What is there now.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read(&self) -> Result<Contents, Report>;

    /// What is there now, or that nothing is.
    ///
    /// # Errors
    /// When that cannot be told.
    fn read_if_there(&self) -> Result<Contents, Report> {
        self.read()
    }

    /// Overlays of any environment, by their names.
    ///
    /// # Errors
    /// When one is there and cannot be read.
    fn overlays(&self) -> Result<Vec<(String, Vec<u8>)>, Report>;

    /// Waits for other edits.
    ///
    /// # Errors
    /// When there is nothing to edit.
    fn turn(&self) -> io::Result<Turn>;

    /// The names of what differs.
    ///
    /// # Errors
    /// When that cannot be found.
    fn changed(&self, before: &Contents, after: &Contents) -> io::Result<Vec<String>> {
        let definitions = before.definitions() != after.definitions() || before.is_missing();
        let overlay = after.overlay().is_some() && before.overlay() != after.overlay();
        let names = [definitions.then(|| self.name()), self.overlay_name().filter(|_| overlay)];
        Ok(names.into_iter().flatten().collect())
    }

    /// Everything but the last step of [`DocumentStore::compare_and_set`]: what fails, fails here, as far as that can be known.
    ///
    /// # Errors
    /// When what is there is no longer what was read before, or it cannot be written.
    fn prepare<'a>(&'a self, before: &'a Contents, after: &'a Contents) -> Result<LastSteps<'a>, WriteError>;

    /// Replaces what is there, if it is still what was read before.
    ///
    /// # Errors
    /// As [`DocumentStore::prepare`].
    fn compare_and_set(&self, before: &Contents, after: &Contents) -> Result<(), WriteError> {
        self.prepare(before, after)?.into_iter().try_for_each(LastStep::commit)
    }

    /// The text of the archive; none where there is none yet.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    fn archive(&self) -> Result<Option<String>, Unreadable>;

    /// Replaces the archive, if it is still what was read before.
    ///
    /// # Errors
    /// When it is not, or cannot be written.
    fn replace_archive(&self, before: Option<&str>, after: &str) -> Result<(), WriteError>;

    /// A channel beside it for what programs tell each other; none where there is no such thing.
    fn fact_channel(&self) -> Option<Box<dyn FactChannel>> {
        None
    }

    /// Wakes a thread when something may have changed.
    fn watch(&self, wakes: Sender<Wake>) -> Box<dyn Watcher>;
}

/// What is left of a change that is prepared.
pub(crate) trait LastStep: fmt::Debug {
    /// Does it.
    ///
    /// # Errors
    /// When what is there changed meanwhile, or cannot be written after all.
    fn commit(self: Box<Self>) -> Result<(), WriteError>;
}

/// What is left of a change, step by step.
pub(crate) type LastSteps<'a> = Vec<Box<dyn LastStep + 'a>>;

/// Why the thread that watches wakes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    /// Something changed.
    Changed,
    /// A folder on watch is no longer where it was.
    Lost,
    /// Look no more.
    Stop,
}

/// What says when a document may have changed.
pub(crate) trait Watcher: Send {
    /// Watches what is not watched yet. Says whether every change will be noticed at once; otherwise the thread must look from time
    /// to time.
    ///
    /// # Errors
    /// When changes are not noticed at all: why, in the system's words.
    fn renew(&mut self) -> Result<bool, String>;

    /// Begins to watch from the start: what it had may be dead.
    fn forget(&mut self) {}
}
