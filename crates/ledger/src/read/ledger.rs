//! What is asked of a ledger, and what is deleted from it.

use std::fmt;

use sqlx::{AnyConnection, Executor, Row};

use crate::store::connection::{Store, in_time};
use crate::store::error::Error;
use crate::store::forget::{FORGOTTEN_AT_ONCE, forget};
use crate::store::location::Location;
use crate::store::name::stored_name;

/// A ledger that is open to be asked. The recorder writes by a connection of its own.
pub struct Ledger {
    store: Store,
    location: Location,
    /// Whether all questions are answered from one moment.
    is_held: bool,
}

impl Ledger {
    /// Opens a ledger that is there.
    ///
    /// # Errors
    /// When it is not there, cannot be reached or read, or is none.
    pub async fn open(location: &Location) -> Result<Self, Error> {
        if location.path().is_some_and(|path| !path.exists()) {
            return Err(Error::Missing(location.clone()));
        }
        let error = |error| Error::new(location, error);
        let mut store = Store::open_to_read(location).await.map_err(error)?;
        let probe = sqlx::query("SELECT COUNT(*) FROM trials").fetch_one(&mut store.connection);
        in_time(probe).await.map_err(error)?;
        Ok(Self { store, location: location.clone(), is_held: false })
    }

    /// From here on every question is answered from one moment, however much is written meanwhile, until it is closed.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn hold(&mut self) -> Result<(), Error> {
        let begin = self.store.begin_to_read();
        let done = in_time(self.store.connection.execute(begin)).await;
        self.is_held = done.is_ok();
        done.map(|_| ()).map_err(|error| Error::new(&self.location, error))
    }

    pub(crate) fn is_held(&self) -> bool {
        self.is_held
    }

    /// The moment is over.
    pub(crate) fn released(&mut self) {
        self.is_held = false;
    }

    /// Deletes everything of some units, as [`flagstaff_flags::BucketBy::key`] names them. Returns how many rows that were.
    ///
    /// # Errors
    /// When the store does not answer or does not take it. What was deleted before stays so.
    pub async fn forget(&mut self, units: &[impl AsRef<str>]) -> Result<u64, Error> {
        let names: Vec<_> = units.iter().map(|unit| stored_name(unit.as_ref())).collect();
        let mut rows = 0;
        for names in names.chunks(FORGOTTEN_AT_ONCE) {
            let names: Vec<_> = names.iter().map(|name| &**name).collect();
            let done = in_time(forget(&mut self.store, &names)).await;
            rows += done.map_err(|error| Error::new(&self.location, error))?;
        }
        Ok(rows)
    }

    /// Flags that something was recorded of, in the order of their names.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn flags(&mut self) -> Result<Vec<String>, Error> {
        let location = self.location.clone();
        let rows = sqlx::query("SELECT DISTINCT flag FROM trials ORDER BY flag").fetch_all(self.connection()).await;
        let names = rows.and_then(|rows| rows.iter().map(|row| row.try_get(0)).collect());
        names.map_err(|error| Error::new(&location, error))
    }

    /// How many units have rows that are not packed, and are read one by one.
    ///
    /// # Errors
    /// When the store does not answer, or its tables are of a version without packs.
    pub async fn unpacked(&mut self) -> Result<u64, Error> {
        let select = sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM unpacked").fetch_one(self.connection()).await;
        Ok(select.map_err(|error| self.error(error))?.unsigned_abs())
    }

    /// Closes it.
    pub async fn close(self) {
        self.store.close().await;
    }

    pub(crate) fn connection(&mut self) -> &mut AnyConnection {
        &mut self.store.connection
    }

    pub(crate) fn location(&self) -> &Location {
        &self.location
    }

    pub(crate) fn error(&self, error: sqlx::Error) -> Error {
        Error::new(&self.location, error)
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ledger({})", self.location)
    }
}
