//! What is too old is deleted, a little at a time.

use std::time::Duration;

use sqlx::{AnyConnection, Connection, Row};

use crate::store::connection::in_time;
use crate::store::forget::Gone;
use crate::store::note::note_changes;
use crate::store::query::{is_file, query};

/// Rows of one table that are deleted at once: events wait meanwhile.
const ROWS: i64 = 5_000;

/// How long the first look for rows by their age may take, in a ledger that was large before anything was to be deleted from it.
const FIRST: Duration = Duration::from_secs(600);

/// Tables with their keys and the column of their age. Only ledgers from which rows are deleted by age pay for an index on it.
pub(crate) const AGES: [(&str, &str, &str); 4] = [
    (EXPOSURES, "trial, unit", "at"),
    ("conversions", "goal, unit, key", "at"),
    ("counts", KEY_OF_COUNTS, "minute"),
    ("signs", "flag, epoch, sign, unit", "at"),
];
/// Those whose rows are packed as well.
const PACKED: [&str; 2] = [EXPOSURES, "conversions"];
const EXPOSURES: &str = "exposures";
/// Minutes of the age in the table `counts`: nothing is written there any more, and what older versions wrote goes with its age.
const MINUTE: i64 = 60_000_000;
const KEY_OF_COUNTS: &str = "flag, definition, variant, minute, boot";

/// The statement that deletes some rows of a table: those before $1, $2 at most.
pub(crate) fn delete((table, key, age): (&str, &str, &str)) -> String {
    format!(
        "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {age} < $1 ORDER BY {age} LIMIT $2)"
    )
}

/// The turn of the program that deletes what is old: one of all that share a PostgreSQL.
const TURN: i64 = 0x666C_6167_6F6C_6431;

/// Deletes some of what is older than a time (µs since 1970). Returns whether there may be more. Where another program is at it, there
/// is nothing to do. After an error the connection is closed, which ends its turn.
pub(crate) async fn expire(store: &mut AnyConnection, before: i64) -> Result<bool, sqlx::Error> {
    if is_file(store) {
        return expire_some(store, before).await;
    }
    let turn = sqlx::query_scalar::<_, bool>("SELECT pg_try_advisory_lock($1)").bind(TURN);
    if !in_time(turn.fetch_one(&mut *store)).await? {
        return Ok(false);
    }
    let more = expire_some(store, before).await?;
    let end = sqlx::query("SELECT pg_advisory_unlock($1)").bind(TURN);
    in_time(end.execute(store)).await?;
    Ok(more)
}

async fn expire_some(store: &mut AnyConnection, before: i64) -> Result<bool, sqlx::Error> {
    let mut more = false;
    for of in AGES {
        let (_, _, age) = of;
        index(store, of).await?;
        let before = if age == "at" { before } else { before.div_euclid(MINUTE) };
        more |= in_time(delete_some(store, of, before)).await? >= ROWS.unsigned_abs();
    }
    Ok(more)
}

/// Deletes some rows of a table, and notes whose they were. Returns how many.
async fn delete_some(store: &mut AnyConnection, of: (&str, &str, &str), before: i64) -> Result<u64, sqlx::Error> {
    if !PACKED.contains(&of.0) {
        let deleted = query(delete(of)).bind(before).bind(ROWS).execute(store).await?;
        return Ok(deleted.rows_affected());
    }
    let mut transaction = store.begin().await?;
    // a unit whose exposure is deleted is a new one when it comes again
    let gone = if of.0 == EXPOSURES { Some(Gone::begin(&mut transaction).await?) } else { None };
    let rows =
        query(format!("{} RETURNING unit", delete(of))).bind(before).bind(ROWS).fetch_all(&mut *transaction).await?;
    if rows.is_empty() {
        transaction.rollback().await?;
        return Ok(0);
    }
    let units = rows.iter().map(|row| row.try_get::<&str, _>(0)).collect::<Result<Vec<_>, _>>()?;
    note_changes(&mut transaction, units.iter().copied()).await?;
    if let Some(gone) = gone {
        gone.tell(&mut transaction, units).await?;
    }
    transaction.commit().await?;
    Ok(rows.len() as u64)
}

/// Makes the index on the age where it is not there.
async fn index(store: &mut AnyConnection, (table, _, age): (&str, &str, &str)) -> Result<(), sqlx::Error> {
    let name = format!("{table}_{age}");
    if !is_file(store) && has_index(store, &name).await? {
        return Ok(());
    }
    // others write meanwhile, where the store can do that: a file has one writer, which waits
    let aside = if is_file(store) || is_partitioned(store, table).await? { "" } else { "CONCURRENTLY" };
    let create = query(format!("CREATE INDEX {aside} IF NOT EXISTS {name} ON {table} ({age})"));
    let late = || sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer in time"));
    tokio::time::timeout(FIRST, create.execute(store)).await.map_err(|_| late())?.map(drop)
}

/// Whether a table of PostgreSQL is in parts.
async fn is_partitioned(store: &mut AnyConnection, table: &str) -> Result<bool, sqlx::Error> {
    let select = "SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass($1)";
    let is_partitioned = sqlx::query_scalar::<_, bool>(select).bind(table.to_owned()).fetch_optional(store);
    Ok(in_time(is_partitioned).await? == Some(true))
}

/// Whether PostgreSQL has an index. It is looked for, because `IF NOT EXISTS` takes a lock that waits for all writers even to find it there.
/// What is left of one whose program ended while it was made is taken away.
async fn has_index(store: &mut AnyConnection, name: &str) -> Result<bool, sqlx::Error> {
    let select = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)";
    let is_whole = sqlx::query_scalar::<_, bool>(select).bind(name.to_owned()).fetch_optional(&mut *store);
    let is_whole = in_time(is_whole).await?;
    if is_whole == Some(false) {
        in_time(query(format!("DROP INDEX CONCURRENTLY IF EXISTS {name}")).execute(store)).await?;
    }
    Ok(is_whole == Some(true))
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
