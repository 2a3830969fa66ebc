//! A ledger that is open for revisions of the flags.

use std::fmt;

use flagstaff_flags::{FlagTexts, Name};
use jiff::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::add::{add, claim};
use super::packed;
use super::revision::{NewRevision, RecordedRevision};
use super::rows::{COLUMNS, newest, revision};
use crate::store::connection::{Store, in_time};
use crate::store::error::Error;
use crate::store::location::Location;
use crate::store::query::query;

/// A ledger that is open for revisions: to read them, and to record an edit.
pub struct RevisionStore {
    store: Store,
    location: Location,
}

/// Where the log of revisions stood before an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BeforeEdit {
    newest: i64,
    /// The newest revision; none where there is none.
    pub revision: Option<String>,
    at: Timestamp,
}

impl RevisionStore {
    /// Opens a ledger, and begins it where there is none.
    ///
    /// # Errors
    /// When it cannot be reached, made or written to.
    pub async fn open(location: &Location) -> Result<Self, Error> {
        let store = Store::open(location).await.map_err(|error| Error::new(location, error))?;
        Ok(Self { store, location: location.clone() })
    }

    /// Opens a ledger that is there, to read: it waits for nobody who writes.
    ///
    /// # Errors
    /// When it cannot be reached or read, or is of a version that recorded no revisions.
    pub async fn open_to_read(location: &Location) -> Result<Self, Error> {
        let error = |error| Error::new(location, error);
        let mut store = Store::open_to_read(location).await.map_err(error)?;
        let probe = sqlx::query("SELECT COUNT(*) FROM revisions").fetch_one(&mut store.connection);
        in_time(probe).await.map_err(error)?;
        Ok(Self { store, location: location.clone() })
    }

    /// The newest revisions of an environment, those that change a flag where one is named; the newest first, and no more than `limit`.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn newest(
        &mut self,
        environment: Option<&str>,
        flag: Option<&Name>,
        limit: usize,
    ) -> Result<Vec<RecordedRevision>, Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM revisions WHERE environment = $1 AND flags LIKE $2 ESCAPE '!'
             ORDER BY number DESC LIMIT $3"
        );
        // `_` stands for any character
        let pattern = flag.map_or("%".into(), |flag| format!("%,{},%", flag.as_str().replace('_', "!_")));
        let select = query(sql).bind(environment.unwrap_or_default().to_owned()).bind(pattern);
        let select = select.bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = in_time(select.fetch_all(&mut self.store.connection)).await;
        self.all(rows)
    }

    /// The revisions of an environment that begin so, each as it was accepted last; the newest first, and no more than `limit`.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn beginning(
        &mut self,
        environment: Option<&str>,
        prefix: &str,
        limit: usize,
    ) -> Result<Vec<RecordedRevision>, Error> {
        if !prefix.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT {COLUMNS} FROM revisions WHERE environment = $1 AND number IN
               (SELECT MAX(number) FROM revisions WHERE environment = $1 AND revision LIKE $2 GROUP BY revision)
             ORDER BY number DESC LIMIT $3"
        );
        let select = query(sql).bind(environment.unwrap_or_default().to_owned());
        let select = select.bind(format!("{}%", prefix.to_ascii_lowercase()));
        let select = select.bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = in_time(select.fetch_all(&mut self.store.connection)).await;
        self.all(rows)
    }

    /// The revision of an environment with a number.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn numbered(
        &mut self,
        environment: Option<&str>,
        number: u64,
    ) -> Result<Option<RecordedRevision>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM revisions WHERE environment = $1 AND number = $2");
        let select = query(sql).bind(environment.unwrap_or_default().to_owned()).bind(number.cast_signed());
        let rows = in_time(select.fetch_all(&mut self.store.connection)).await;
        Ok(self.all(rows)?.pop())
    }

    /// The number and the time of the oldest revision of an environment that is kept.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn first(&mut self, environment: Option<&str>) -> Result<Option<(u64, Timestamp)>, Error> {
        let select = "SELECT number, at FROM revisions WHERE environment = $1 ORDER BY number LIMIT 1";
        let select = sqlx::query(select).bind(environment.unwrap_or_default().to_owned());
        let row = in_time(select.fetch_optional(&mut self.store.connection)).await;
        let read = |row: AnyRow| Ok((row.try_get::<i64, _>(0)?, row.try_get::<i64, _>(1)?));
        let first = row.and_then(|row| row.map(read).transpose()).map_err(|error| self.error(error))?;
        Ok(first.map(|(number, at)| (number.cast_unsigned(), Timestamp::from_microsecond(at).unwrap_or_default())))
    }

    /// Environments that have revisions; the one without a name is none.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn environments(&mut self) -> Result<Vec<String>, Error> {
        let select =
            "SELECT DISTINCT environment FROM revisions WHERE environment <> '' ORDER BY environment LIMIT 100";
        let rows = in_time(sqlx::query(select).fetch_all(&mut self.store.connection)).await;
        let read = |row: &AnyRow| row.try_get(0);
        rows.and_then(|rows| rows.iter().map(read).collect()).map_err(|error| self.error(error))
    }

    /// The texts of a revision; none where they are no longer kept.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn texts(&mut self, of: &RecordedRevision) -> Result<Option<FlagTexts>, Error> {
        let read = packed::read(&mut self.store.connection, &of.definitions, of.overlay.as_deref());
        in_time(read).await.map_err(|error| self.error(error))
    }

    /// Where the log stands, before an edit is written.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn before_edit(&mut self, environment: Option<&str>) -> Result<BeforeEdit, Error> {
        let at = Timestamp::now();
        let found = in_time(newest(&mut self.store.connection, environment.unwrap_or_default())).await;
        let found = found.map_err(|error| self.error(error))?;
        let newest = found.as_ref().map_or(0, |found| found.number.cast_signed());
        Ok(BeforeEdit { newest, revision: found.map(|found| found.revision), at })
    }

    /// Records a revision that follows what was there before an edit: the edit itself, once it is written. Where a running program was faster and took it for an edit by hand, its row gets the author.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn record_edit(&mut self, new: &NewRevision, before: &BeforeEdit) -> Result<(), Error> {
        let done = in_time(async {
            let added = add(&mut self.store, new, Some(before.newest + 1)).await?;
            if new.source.is_edit() && added.number > before.newest {
                claim(&mut self.store.connection, new, before.at).await?;
            }
            Ok(())
        });
        done.await.map_err(|error| self.error(error))
    }

    /// Closes it.
    pub async fn close(self) {
        self.store.close().await;
    }

    fn all(&self, rows: Result<Vec<AnyRow>, sqlx::Error>) -> Result<Vec<RecordedRevision>, Error> {
        rows.and_then(|rows| rows.iter().map(revision).collect()).map_err(|error| self.error(error))
    }

    fn error(&self, error: sqlx::Error) -> Error {
        Error::new(&self.location, error)
    }
}

impl fmt::Debug for RevisionStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RevisionStore({})", self.location)
    }
}
