//! What is too old is deleted, a little at a time.

use std::time::Duration;

use sqlx::AnyConnection;

use crate::store::connection::in_time;
use crate::store::query::query;

/// Rows of one table that are deleted at once: events wait meanwhile.
const ROWS: i64 = 5_000;

/// How long the first look for rows by their age may take, in a ledger that was large before anything was to be deleted from it.
const FIRST: Duration = Duration::from_secs(600);

/// Tables with their keys and the column of their age. Only ledgers from which rows are deleted by age pay for an index on it.
pub(crate) const AGES: [(&str, &str, &str); 4] = [
    ("exposures", "trial, unit", "at"),
    ("conversions", "goal, unit, key", "at"),
    ("counts", KEY_OF_COUNTS, "minute"),
    ("signs", "flag, epoch, sign, unit", "at"),
];
/// Minutes of the age in the table `counts`: nothing is written there any more, and what older versions wrote goes with its age.
const MINUTE: i64 = 60_000_000;
const KEY_OF_COUNTS: &str = "flag, definition, variant, minute, boot";

/// The statement that deletes some rows of a table: those before $1, $2 at most.
pub(crate) fn delete((table, key, age): (&str, &str, &str)) -> String {
    format!(
        "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {age} < $1 ORDER BY {age} LIMIT $2)"
    )
}

/// Deletes some of what is older than a time (µs since 1970). Returns whether there may be more.
pub(crate) async fn expire(store: &mut AnyConnection, before: i64) -> Result<bool, sqlx::Error> {
    let mut more = false;
    for of in AGES {
        let (table, _, age) = of;
        let index = query(format!("CREATE INDEX IF NOT EXISTS {table}_{age} ON {table} ({age})"));
        let late = || sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer in time"));
        tokio::time::timeout(FIRST, index.execute(&mut *store)).await.map_err(|_| late())??;
        let before = if age == "at" { before } else { before.div_euclid(MINUTE) };
        let deleted = in_time(query(delete(of)).bind(before).bind(ROWS).execute(&mut *store)).await?;
        more |= deleted.rows_affected() >= ROWS.unsigned_abs();
    }
    Ok(more)
}

#[cfg(test)]
mod tests {
    use sqlx::{Connection, Executor, Row};

    use super::*;
    use crate::store::schema::migrator;

    #[test]
    fn nothing_is_searched_row_by_row() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            sqlx::any::install_default_drivers();
            let mut store = AnyConnection::connect("sqlite::memory:").await.unwrap();
            migrator(true).run(&mut store).await.unwrap();
            assert!(!expire(&mut store, 0).await.unwrap());
            for of in AGES {
                let plan = format!("EXPLAIN QUERY PLAN {}", delete(of));
                let rows = query(plan).bind(0_i64).bind(1_i64).fetch_all(&mut store).await.unwrap();
                let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
                assert!(plan.iter().any(|line| line.contains(&format!("INDEX {}_{}", of.0, of.2))), "{plan:?}");
                assert!(!plan.iter().any(|line| line.contains("SCAN")), "{plan:?}");
            }
        });
    }

    #[test]
    fn a_little_at_a_time() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            sqlx::any::install_default_drivers();
            let mut store = AnyConnection::connect("sqlite::memory:").await.unwrap();
            migrator(true).run(&mut store).await.unwrap();
            let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)
                        INSERT INTO conversions (goal, unit, key, at) SELECT 'g', 'u' || i, 'k', i FROM n";
            store.execute(many).await.unwrap();
            let mut passes = 1;
            while expire(&mut store, 11_001).await.unwrap() {
                passes += 1;
            }
            let left = sqlx::query("SELECT COUNT(*), MIN(at) FROM conversions").fetch_one(&mut store).await.unwrap();
            assert_eq!((passes, left.get::<i64, _>(0), left.get::<i64, _>(1)), (3, 1_000, 11_001));
        });
    }
}
