//! Why a ledger gives no answer.

use std::fmt;

use crate::store::fault::{Fault, in_words};
use crate::store::location::Location;

/// Why a ledger gives no answer.
#[derive(Debug)]
pub enum Error {
    /// There is none.
    Missing(Location),
    /// Something is there, without the tables of this version.
    NoTables(Location),
    /// Its store says something else than an answer.
    Store {
        /// Where it is.
        location: Location,
        /// What it says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    pub(crate) fn new(location: &Location, error: sqlx::Error) -> Self {
        let location = location.clone();
        match Fault::of(&error) {
            Fault::NoTables => Self::NoTables(location),
            Fault::NoLedger => Self::Store { location, source: in_words(&error).into() },
            _ => Self::Store { location, source: Box::new(error) },
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(location) => {
                write!(f, "there is no ledger at {location}; `flagstaff run` begins one, `--ledger` names another")
            }
            Self::NoTables(location) => {
                write!(
                    f,
                    "{location} is no ledger yet, or an old one; `flagstaff run` begins it or brings it up to date"
                )
            }
            Self::Store { location, source } => write!(f, "the ledger {location} gives no answer: {source}"),
        }
    }
}

// what the store says is part of the message already
impl std::error::Error for Error {}
