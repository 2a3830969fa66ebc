//! Where the flags and the ledger are.

use std::sync::Arc;

use flagstaff_flags::{FlagTexts, Problem, RevisionSource, Snapshot};
use flagstaff_ledger::{Location, Replica};
use flagstaff_source::{FlagSource, Loaded, ParseOptions};

use crate::Error;

/// Where the flags and the ledger are, and how they are read.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// Where the flags come from, and the folder of the last good ones.
    pub source: FlagSource,
    /// How the flag file is read: environment, pins, today.
    pub reading: ParseOptions,
    /// The ledger; none where nothing is kept, or what is wrong with its settings.
    pub ledger: Result<Option<Location>, Vec<Problem>>,
    /// A copy of the ledger, from which results and history are read; facts and edits never are.
    pub replica: Option<Replica>,
    /// How edits that are made here are recorded: as made by command, on a page, or over the API.
    pub edits_by: RevisionSource,
}

/// The flags as running programs have them.
#[derive(Debug)]
pub struct InForce {
    /// The flags.
    pub snapshot: Arc<Snapshot>,
    /// Why these are the last good flags, and not those of the file.
    pub fallback: Option<Error>,
}

impl Workspace {
    /// Reads the flag file.
    ///
    /// # Errors
    /// [`Error::NoFlagFile`] when it is not there, [`Error::Flags`] when it is wrong.
    pub fn load(&self) -> Result<Loaded, Error> {
        self.is_there()?;
        self.source.load(&self.reading).map_err(|report| Error::Flags(Box::new(report)))
    }

    /// The revision of the files as they are, also where they cannot be used.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn revision(&self) -> Result<String, Error> {
        self.source.revision().map_err(|report| Error::Flags(Box::new(report)))
    }

    /// The flags of the file.
    ///
    /// # Errors
    /// As [`Workspace::load`].
    pub fn snapshot(&self) -> Result<Arc<Snapshot>, Error> {
        self.load().map(|loaded| Arc::new(loaded.snapshot))
    }

    /// The revision and the texts of the files as they are, whether they can be used or not.
    ///
    /// # Errors
    /// [`Error::NoFlagFile`] when the flag file is not there, [`Error::Flags`] when it cannot be read.
    pub(crate) fn texts(&self) -> Result<(String, FlagTexts), Error> {
        self.is_there()?;
        self.source.texts().map_err(|report| Error::Flags(Box::new(report)))
    }

    /// A flag file is there. What comes over a network is asked for anyway.
    fn is_there(&self) -> Result<(), Error> {
        match self.source.file() {
            Some(path) if !path.exists() => Err(Error::NoFlagFile(path.to_owned())),
            _ => Ok(()),
        }
    }

    /// The name and the text of the overlay; none where it is not there.
    pub(crate) fn overlay(&self) -> Result<Option<(String, String)>, Error> {
        let Some(name) = self.source.overlay_name() else { return Ok(None) };
        let text = match self.source.overlay_file() {
            Some(path) if !path.exists() => None,
            Some(path) => Some(String::from_utf8_lossy(&std::fs::read(path)?).into_owned()),
            None => self.texts()?.1.overlay.map(|text| text.to_string()),
        };
        Ok(text.map(|text| (name, text)))
    }

    /// The flags to look at. Where the file cannot be used, the last good ones, as running programs have them.
    ///
    /// # Errors
    /// As [`Workspace::load`], where no last good flags are kept.
    pub fn in_force(&self) -> Result<InForce, Error> {
        let error = match self.snapshot() {
            Ok(snapshot) => return Ok(InForce { snapshot, fallback: None }),
            Err(error) => error,
        };
        match self.source.last_good(&self.reading) {
            Some((loaded, _)) => Ok(InForce { snapshot: Arc::new(loaded.snapshot), fallback: Some(error) }),
            None => Err(error),
        }
    }

    /// Where the ledger is; none where nothing is kept.
    ///
    /// # Errors
    /// [`Error::Settings`] when its settings are wrong.
    pub fn ledger(&self) -> Result<Option<&Location>, Error> {
        self.ledger.as_ref().map(Option::as_ref).map_err(|problems| Error::Settings(problems.clone()))
    }

    /// Where the ledger is, if it has begun: only looking begins none.
    ///
    /// # Errors
    /// As [`Workspace::ledger`].
    pub(crate) fn ledger_that_is_there(&self) -> Result<Option<&Location>, Error> {
        let there = |place: &&Location| place.path().is_none_or(std::path::Path::exists);
        Ok(self.ledger()?.filter(there))
    }
}
