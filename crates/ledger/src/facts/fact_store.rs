//! Facts about flags: what rollouts rest on.

use std::fmt;

use flagstaff_flags::{Allocation, Definition, ExperimentId, Fact, FactKind, Name};
use jiff::{SignedDuration, Timestamp};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Connection, Row};

use super::news::{News, can_tell, tell};
use crate::store::connection::{Store, in_time};
use crate::store::error::Error;
use crate::store::fault::Fault;
use crate::store::location::Location;
use crate::store::query::{places, query};

/// Rows of one statement.
pub(super) const ROWS: usize = 500;

/// The columns of a fact, in their order.
const COLUMNS: &str = "flag, number, at, definition, kind, step, author, why, evidence";

/// A ledger that is open for facts: to read them, and to add the next one.
pub struct FactStore {
    pub(super) store: Store,
    pub(super) location: Location,
    /// What is written is told to other programs.
    pub(super) tells: bool,
}

impl FactStore {
    /// Opens a ledger, and begins it where there is none.
    ///
    /// # Errors
    /// When it cannot be reached, made or written to.
    pub async fn open(location: &Location) -> Result<Self, Error> {
        let error = |error| Error::new(location, error);
        let mut store = Store::open(location).await.map_err(error)?;
        let tells = can_tell(&mut store.connection, location).await.map_err(error)?;
        Ok(Self { store, location: location.clone(), tells })
    }

    /// Opens a ledger that is there, to read: it waits for nobody who writes.
    ///
    /// # Errors
    /// When it cannot be reached or read.
    pub async fn open_to_read(location: &Location) -> Result<Self, Error> {
        let error = |error| Error::new(location, error);
        let mut store = Store::open_to_read(location).await.map_err(error)?;
        let probe = sqlx::query("SELECT COUNT(*) FROM facts").fetch_one(&mut store.connection);
        in_time(probe).await.map_err(error)?;
        Ok(Self { store, location: location.clone(), tells: false })
    }

    /// Whether its file was deleted, or replaced by another.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.store.is_gone()
    }

    /// How far the clock of the store is ahead of this machine's; nothing where it is a file here.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn clock_ahead(&mut self) -> Result<SignedDuration, Error> {
        self.store.clock_ahead().await.map(|(ahead, _)| ahead).map_err(|error| self.error(error))
    }

    /// The time of the store: one for all who share it.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn now(&mut self) -> Result<Timestamp, Error> {
        let ahead = self.clock_ahead().await?;
        let here = Timestamp::now();
        Ok(here.checked_add(ahead).unwrap_or(here))
    }

    /// The number of the newest fact of every flag that has some.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn newest(&mut self) -> Result<Vec<(Name, u64)>, Error> {
        let select = sqlx::query("SELECT flag, MAX(number) FROM facts GROUP BY flag");
        let rows = in_time(select.fetch_all(&mut self.store.connection)).await;
        let read = |row: &AnyRow| Ok((row.try_get::<String, _>(0)?, row.try_get::<i64, _>(1)?.cast_unsigned()));
        let all: Result<Vec<(String, u64)>, _> = rows.and_then(|rows| rows.iter().map(read).collect());
        let all = all.map_err(|error| self.error(error))?;
        // what no flag can be called is no flag's, and keeps none from being read
        Ok(all.into_iter().filter_map(|(flag, number)| Some((Name::new(&flag).ok()?, number))).collect())
    }

    /// The facts of a flag from a number on, in their order.
    ///
    /// # Errors
    /// When the store does not answer, or holds something that is no fact.
    pub async fn facts(&mut self, flag: &Name, from: u64) -> Result<Vec<Fact>, Error> {
        let select = format!("SELECT {COLUMNS} FROM facts WHERE flag = $1 AND number >= $2 ORDER BY number");
        let select = query(select).bind(flag.as_str().to_owned()).bind(from.cast_signed());
        let rows = in_time(select.fetch_all(&mut self.store.connection)).await;
        rows.and_then(|rows| rows.iter().map(fact).collect()).map_err(|error| self.error(error))
    }

    /// The newest facts, of all flags or of one; the newest first, and no more than `limit`. Those of kinds that are told elsewhere `since` a time are left
    /// out.
    ///
    /// # Errors
    /// When the store does not answer, or holds something that is no fact.
    pub async fn newest_facts(
        &mut self,
        flag: Option<&Name>,
        limit: usize,
        (told_elsewhere, since): (&[FactKind], Option<Timestamp>),
    ) -> Result<Vec<Fact>, Error> {
        let kinds: Vec<_> = told_elsewhere.iter().map(|kind| format!("'{kind}'")).collect();
        let kinds = if kinds.is_empty() { "''".into() } else { kinds.join(", ") };
        let of = if flag.is_some() { "AND flag = $3" } else { "" };
        let select = query(format!(
            "SELECT {COLUMNS} FROM facts WHERE NOT (at >= $2 AND kind IN ({kinds})) {of} ORDER BY at DESC, number DESC LIMIT $1"
        ));
        let select = select.bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let select = select.bind(since.map_or(i64::MAX, Timestamp::as_microsecond));
        let select = flag.into_iter().fold(select, |select, flag| select.bind(flag.as_str().to_owned()));
        let rows = in_time(select.fetch_all(&mut self.store.connection)).await;
        rows.and_then(|rows| rows.iter().map(fact).collect()).map_err(|error| self.error(error))
    }

    /// Adds facts, all or none. Returns whether it did: not, when another was first with one of their numbers. A fact that the store
    /// does not take is left out, and told: it keeps none of the others from being added.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn add(&mut self, facts: &[Fact]) -> Result<bool, Error> {
        match self.add_all(facts).await {
            Err(error) if Fault::of(&error) == Fault::Refused && facts.len() > 1 => {
                let (first, second) = facts.split_at(facts.len() / 2);
                Ok(Box::pin(self.add(first)).await? & Box::pin(self.add(second)).await?)
            }
            Err(error) if Fault::of(&error) == Fault::Refused => {
                tracing::error!(ledger = %self.location, %error, fact = ?facts, "the ledger refuses a fact; it is lost");
                Ok(true)
            }
            added => added.map_err(|error| self.error(error)),
        }
    }

    async fn add_all(&mut self, facts: &[Fact]) -> Result<bool, sqlx::Error> {
        let (begin, tells) = (self.store.begin(), self.tells);
        in_time(async {
            let mut transaction = self.store.connection.begin_with(begin).await?;
            for facts in facts.chunks(ROWS) {
                if insert(&mut transaction, facts).await? < facts.len() as u64 {
                    transaction.rollback().await?;
                    return Ok(false);
                }
            }
            if tells {
                tell(&mut transaction, News::Facts).await?;
            }
            transaction.commit().await?;
            Ok(true)
        })
        .await
    }

    /// How many units were drawn into each arm of an experiment for the first time since a time. `arms` are those of now, the control first.
    /// A unit whose variant was remembered counts for the arm that has its place: it was drawn like all others, on an earlier page, and only
    /// who got the flag is remembered.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn arrivals(
        &mut self,
        trial: ExperimentId,
        since: Timestamp,
        arms: &[Allocation],
    ) -> Result<Vec<u64>, Error> {
        let remembered: String = (0..)
            .zip(arms)
            .map(|(number, Allocation { from, to, .. }): (usize, _)| {
                format!(" WHEN place >= {from} AND place < {to} THEN {number}")
            })
            .collect();
        let select = format!(
            "SELECT CAST(CASE WHEN held = 0 THEN variant{remembered} ELSE -1 END AS BIGINT) AS arm, COUNT(*) FROM exposures
             WHERE trial = $1 AND at >= $2 GROUP BY arm"
        );
        let select = query(select).bind(trial.as_u64().cast_signed()).bind(since.as_microsecond());
        let rows = in_time(select.fetch_all(&mut self.store.connection)).await.map_err(|error| self.error(error))?;
        let mut all = vec![0; arms.len()];
        for row in rows {
            let read = || Ok((row.try_get::<i64, _>(0)?, row.try_get::<i64, _>(1)?));
            let (number, count) = read().map_err(|error| self.error(error))?;
            let arm = usize::try_from(number).ok().and_then(|number| all.get_mut(number));
            arm.into_iter().for_each(|arm| *arm = count.max(0).unsigned_abs());
        }
        Ok(all)
    }

    /// Whether anything was recorded of an experiment.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn has_experiment(&mut self, trial: ExperimentId) -> Result<bool, Error> {
        let select = sqlx::query("SELECT trial FROM trials WHERE trial = $1").bind(trial.as_u64().cast_signed());
        let row = in_time(select.fetch_optional(&mut self.store.connection)).await;
        row.map(|row| row.is_some()).map_err(|error| self.error(error))
    }

    /// Closes it.
    pub async fn close(self) {
        self.store.close().await;
    }

    pub(super) fn error(&self, error: sqlx::Error) -> Error {
        Error::new(&self.location, error)
    }
}

/// PostgreSQL keeps no text with a NUL.
fn text(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

async fn insert(store: &mut AnyConnection, facts: &[Fact]) -> Result<u64, sqlx::Error> {
    let sql =
        format!("INSERT INTO facts ({COLUMNS}) VALUES {} ON CONFLICT DO NOTHING", places(store, facts.len(), 9));
    let mut insert = query(sql);
    for fact in facts {
        insert = insert.bind(fact.flag.as_str().to_owned()).bind(fact.number.cast_signed());
        insert = insert.bind(fact.at.as_microsecond()).bind(fact.definition.0.cast_signed());
        insert = insert.bind(fact.kind.as_str()).bind(whole(fact.step)).bind(text(&fact.by));
        insert = insert.bind(text(&fact.why)).bind(fact.evidence.as_deref().map(text));
    }
    insert.execute(store).await.map(|done| done.rows_affected())
}

pub(super) fn whole(step: usize) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}

fn name(row: &AnyRow, at: usize) -> Result<Name, sqlx::Error> {
    Name::new(&row.try_get::<String, _>(at)?).map_err(no_fact)
}

pub(crate) fn fact(row: &AnyRow) -> Result<Fact, sqlx::Error> {
    Ok(Fact {
        flag: name(row, 0)?,
        number: row.try_get::<i64, _>(1)?.cast_unsigned(),
        at: Timestamp::from_microsecond(row.try_get(2)?).unwrap_or(Timestamp::UNIX_EPOCH),
        definition: Definition(row.try_get::<i64, _>(3)?.cast_unsigned()),
        // one that a later version wrote concerns nobody else
        kind: row.try_get::<String, _>(4)?.parse().unwrap_or(FactKind::Unknown),
        step: usize::try_from(row.try_get::<i64, _>(5)?).unwrap_or_default(),
        by: row.try_get(6)?,
        why: row.try_get(7)?,
        evidence: row.try_get(8)?,
    })
}

/// Something else wrote it, or a later version of this program.
fn no_fact(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

impl fmt::Debug for FactStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FactStore({})", self.location)
    }
}
