//! A ledger that is open for programs.

use std::fmt;

use jiff::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::program::{Program, SeenProgram};
use crate::store::connection::{Store, in_time};
use crate::store::error::Error;
use crate::store::location::Location;
use crate::store::query::query;

/// What was not seen for so long is forgotten (µs).
const FORGOTTEN_AFTER: i64 = 24 * 60 * 60 * 1_000_000;
/// Programs at most that are told; those seen last come first.
const MAX_TOLD: i64 = 1_000;
/// The longest text that a program says of itself, in characters.
const MAX_TEXT: usize = 300;

/// A ledger that is open for programs: to say that one is there, and to ask which are.
pub struct ProgramStore {
    store: Store,
    location: Location,
}

impl ProgramStore {
    /// Opens a ledger, and begins it where there is none.
    ///
    /// # Errors
    /// When it cannot be reached, made or written to.
    pub async fn open(location: &Location) -> Result<Self, Error> {
        let store = Store::open(location).await.map_err(|error| Error::new(location, error))?;
        Ok(Self { store, location: location.clone() })
    }

    /// Opens a ledger that is there, to read.
    ///
    /// # Errors
    /// When it cannot be reached or read.
    pub async fn open_to_read(location: &Location) -> Result<Self, Error> {
        let store = Store::open_to_read(location).await.map_err(|error| Error::new(location, error))?;
        Ok(Self { store, location: location.clone() })
    }

    /// A program is there. Those that were not seen for a day are forgotten.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn is_there(&mut self, program: &Program) -> Result<(), Error> {
        let now = self.store.now();
        let upsert = format!(
            "INSERT INTO programs (id, host, process, version, environment, source, revision, problem, identity, started, seen)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, {now})
             ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, problem = excluded.problem, seen = excluded.seen"
        );
        let texts = [
            &program.host,
            &program.version,
            program.environment.as_deref().unwrap_or_default(),
            &program.source,
            &program.revision,
            program.problem.as_deref().unwrap_or_default(),
            &program.identity,
        ];
        let [host, version, environment, source, revision, problem, identity] = texts.map(short);
        let upsert = query(upsert).bind(short(&program.id)).bind(host).bind(i64::from(program.process)).bind(version);
        let upsert = upsert.bind(environment).bind(source).bind(revision).bind(problem).bind(identity);
        let upsert = upsert.bind(program.started.as_microsecond());
        let done = in_time(upsert.execute(&mut self.store.connection)).await;
        done.map_err(|error| self.error(error))?;
        let old = format!("DELETE FROM programs WHERE seen < {now} - $1");
        let done = in_time(query(old).bind(FORGOTTEN_AFTER).execute(&mut self.store.connection)).await;
        done.map(drop).map_err(|error| self.error(error))
    }

    /// A program ends in good order: it is not missed.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn is_gone(&mut self, id: &str) -> Result<(), Error> {
        let delete = query("DELETE FROM programs WHERE id = $1".into()).bind(short(id));
        let done = in_time(delete.execute(&mut self.store.connection)).await;
        done.map(drop).map_err(|error| self.error(error))
    }

    /// The programs that were there within a day, those seen last first.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn all(&mut self) -> Result<Vec<SeenProgram>, Error> {
        let select = format!(
            "SELECT id, host, process, version, environment, source, revision, problem, identity, started, seen, {} - seen
             FROM programs ORDER BY seen DESC, id LIMIT $1",
            self.store.now()
        );
        let rows = in_time(query(select).bind(MAX_TOLD).fetch_all(&mut self.store.connection)).await;
        let read = rows.and_then(|rows| rows.iter().map(seen).collect());
        read.map_err(|error| self.error(error))
    }

    /// Closes it.
    pub async fn close(self) {
        self.store.close().await;
    }

    fn error(&self, error: sqlx::Error) -> Error {
        Error::new(&self.location, error)
    }
}

impl fmt::Debug for ProgramStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProgramStore").field("location", &self.location).finish_non_exhaustive()
    }
}

fn short(text: &str) -> String {
    text.chars().filter(|c| *c != '\0').take(MAX_TEXT).collect()
}

fn seen(row: &AnyRow) -> Result<SeenProgram, sqlx::Error> {
    // other programs write there, and keep to no limit of ours
    let text = |at: usize| row.try_get::<String, _>(at).map(|text| short(&text));
    let time = |at: usize| Ok::<_, sqlx::Error>(Timestamp::from_microsecond(row.try_get(at)?).unwrap_or_default());
    let some = |at: usize| Ok::<_, sqlx::Error>(Some(text(at)?).filter(|text| !text.is_empty()));
    let ago: i64 = row.try_get(11)?;
    let program = Program {
        id: text(0)?,
        host: text(1)?,
        process: u32::try_from(row.try_get::<i64, _>(2)?).unwrap_or_default(),
        version: text(3)?,
        environment: some(4)?,
        source: text(5)?,
        revision: text(6)?,
        problem: some(7)?,
        identity: text(8)?,
        started: time(9)?,
    };
    Ok(SeenProgram { program, seen: time(10)?, seconds_ago: (ago.max(0) / 1_000_000).unsigned_abs() })
}
