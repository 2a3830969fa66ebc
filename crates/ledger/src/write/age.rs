//! The time by which rows are too old: that of the ledger, and in a file never far beyond what the ledger knows.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::{AnyConnection, Row};
use tokio::time::Instant;

use crate::store::connection::{Store, in_time};
use crate::write::clock::{DAY, micros};

/// The mark of the time up to which rows were looked at for their age.
const AGED: &str = "aged";

/// Counts ages. The clock of a file is this machine's, and one that is wrong once must not delete everything: from the newest time that the ledger
/// knows, ages go on by a day at each start, and then at most twice as fast as the program runs, until they have caught up with the clock.
/// A shared database has a clock of its own, which all go by.
#[derive(Debug)]
pub(crate) struct AgeClock {
    newest: i64,
    since: Instant,
}

impl AgeClock {
    /// By what a store knows now, before this program writes to it.
    pub(crate) async fn of(store: &mut Store, latest: i64) -> Result<Self, sqlx::Error> {
        let select = sqlx::query("SELECT number FROM marks WHERE mark = $1").bind(AGED);
        let marked = in_time(select.fetch_optional(&mut store.connection)).await?;
        let marked = marked.map(|row| row.try_get(0)).transpose()?;
        let newest = marked.or((latest > 0).then_some(latest)).unwrap_or_else(now);
        Ok(Self { newest, since: Instant::now() })
    }

    /// By how much (µs) the clock is beyond what ages are counted by.
    pub(crate) fn lag(&self) -> i64 {
        now().saturating_sub(self.at(now(), self.since.elapsed()))
    }

    /// The time of a store, for ages.
    pub(crate) async fn now(&self, store: &mut Store) -> Result<i64, sqlx::Error> {
        if store.is_shared() {
            return store.time().await;
        }
        Ok(self.at(now(), self.since.elapsed()))
    }

    fn at(&self, clock: i64, runs: Duration) -> i64 {
        clock.min(self.newest.saturating_add(micros(DAY)).saturating_add(micros(runs.saturating_mul(2))))
    }
}

fn now() -> i64 {
    Timestamp::now().as_microsecond()
}

/// Rows were looked at for their age up to a time.
pub(crate) async fn mark(store: &mut AnyConnection, time: i64) -> Result<(), sqlx::Error> {
    let upsert =
        "INSERT INTO marks (mark, number) VALUES ($1, $2) ON CONFLICT (mark) DO UPDATE SET number = excluded.number";
    in_time(sqlx::query(upsert).bind(AGED).bind(time).execute(store)).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_clock_ages_a_file_by_a_day_and_twice_what_the_program_runs() {
        let days = |days: u32| micros(DAY.saturating_mul(days));
        let ages = AgeClock { newest: days(1_000), since: Instant::now() };
        assert_eq!(ages.at(days(1_001), Duration::ZERO), days(1_001), "a clock that is right is taken");
        assert_eq!(ages.at(days(1_366), Duration::ZERO), days(1_001));
        assert_eq!(ages.at(days(1_366), DAY), days(1_003));
        assert_eq!(ages.at(days(1_040), DAY * 30), days(1_040), "it catches up");
        assert_eq!(ages.at(days(10), DAY), days(10), "nothing is old by a clock that was set back");
    }
}
