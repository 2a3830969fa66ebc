//! A copy of the ledger from which results are read, so that they take nothing from the database that is written to.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::store::connection::Store;
use crate::store::error::Error;
use crate::store::location::Location;

/// How long it may take to say that it is there: somebody waits for results, which the ledger itself has too.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// How long what was found holds.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(5);
/// It is told that results are as old as this, or older.
const LAG_TOLD: Duration = Duration::from_secs(10);

/// How far a standby is behind, in microseconds. One that has replayed all that it got, and still gets more, is not; else it is
/// as old as the last transaction that it replayed. Programs write every few seconds.
const LAG: &str = "SELECT CAST(CASE
      WHEN NOT pg_is_in_recovery() THEN 0
      WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() AND EXISTS (SELECT 1 FROM pg_stat_wal_receiver) THEN 0
      ELSE EXTRACT(EPOCH FROM clock_timestamp() - COALESCE(pg_last_xact_replay_timestamp(), pg_postmaster_start_time()))
    END * 1000000 AS BIGINT), (SELECT COUNT(*) FROM trials)";

/// A copy of a ledger in PostgreSQL. Clones share what is known of it.
#[derive(Clone)]
pub struct Replica {
    location: Location,
    found: Arc<Mutex<Found>>,
}

/// What was found when it was looked at last.
#[derive(Clone, Default)]
struct Found {
    at: Option<Instant>,
    trouble: Option<Trouble>,
}

#[derive(Clone, PartialEq, Eq)]
enum Trouble {
    Lags(Duration),
    Away(String),
}

impl Replica {
    /// A copy of a ledger.
    #[must_use]
    pub fn new(location: Location) -> Self {
        Self { location, found: Arc::default() }
    }

    /// Where it is.
    #[must_use]
    pub const fn location(&self) -> &Location {
        &self.location
    }

    /// What those who read should know: that it lags, or is away. None while all is well, and before anybody asked.
    #[must_use]
    pub fn notice(&self) -> Option<String> {
        let at = &self.location;
        Some(match self.found().trouble? {
            Trouble::Lags(lag) => format!(
                "the replica {at} is {} seconds behind the ledger, and so is what is read from it",
                lag.as_secs()
            ),
            Trouble::Away(why) => format!("the replica {at} gives no answer, so the ledger itself is read: {why}"),
        })
    }

    /// Whether to read from it. It is asked itself, unless that was done a moment ago.
    pub async fn is_there(&self) -> bool {
        let found = self.found();
        if found.at.is_none_or(|at| at.elapsed() >= LOOK_AGAIN_AFTER) {
            let trouble = match timeout(ANSWER_TIMEOUT, lag(&self.location)).await {
                Ok(Ok(lag)) => Some(Trouble::Lags(lag)).filter(|_| lag >= LAG_TOLD),
                Ok(Err(error)) => Some(Trouble::Away(error.to_string())),
                Err(_) => Some(Trouble::Away("no answer in time".into())),
            };
            self.note(trouble);
        }
        !matches!(self.found().trouble, Some(Trouble::Away(_)))
    }

    /// It gave no answer to a question.
    pub fn is_away(&self, error: &Error) {
        self.note(Some(Trouble::Away(error.to_string())));
    }

    fn found(&self) -> Found {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes what was found, and says in the log what is new.
    fn note(&self, trouble: Option<Trouble>) {
        let found = Found { at: Some(Instant::now()), trouble };
        let before =
            std::mem::replace(&mut *self.found.lock().unwrap_or_else(PoisonError::into_inner), found.clone());
        let kind = |found: &Found| found.trouble.as_ref().map(std::mem::discriminant);
        if kind(&before) == kind(&found) {
            return;
        }
        match self.notice() {
            Some(notice) => tracing::warn!("{notice}"),
            None => {
                let replica = &self.location;
                tracing::info!(%replica, "the replica is there and not behind: results are read from it");
            }
        }
    }
}

async fn lag(location: &Location) -> Result<Duration, Error> {
    let error = |error| Error::new(location, error);
    let mut store = Store::open_to_read(location).await.map_err(error)?;
    let row = sqlx::query_as::<_, (i64, i64)>(LAG).fetch_one(&mut store.connection).await;
    store.close().await;
    let (micros, _) = row.map_err(error)?;
    Ok(Duration::from_micros(micros.max(0).unsigned_abs()))
}

impl fmt::Debug for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Replica({})", self.location)
    }
}
