//! Units are forgotten, or their rows are deleted for their age, and every program that remembers them notices.

use sqlx::{AnyConnection, Connection, Row};

use crate::store::connection::{Store, in_time};
use crate::store::name::{from_hex, hash, hex};
use crate::store::note::note_forgotten;
use crate::store::query::{now, places, query};

/// Units that are deleted in one transaction.
pub(crate) const FORGOTTEN_AT_ONCE: usize = 200;

/// Units of one number, at most: all of them are read at once.
const UNITS: usize = 500;

/// Hashes that are read at once.
const READ_AT_ONCE: i64 = 5_000;

/// How long (µs) other programs have to notice: those that are away for longer begin anew.
const NOTICED_WITHIN: i64 = 3_600_000_000;

/// Deletes everything of some units, in a transaction of its own. Returns how many rows that were. Of units that nobody knows nothing is
/// written.
pub(crate) async fn forget(store: &mut Store, units: &[&str]) -> Result<u64, sqlx::Error> {
    let begin = store.begin();
    let mut units: Vec<&str> = units.to_vec();
    // two who forget the same units at once take them in the same order
    units.sort_unstable();
    units.dedup();
    let mut transaction = store.connection.begin_with(begin).await?;
    let gone = Gone::begin(&mut transaction).await?;
    let list = places(&transaction, 1, units.len());
    let deletions = [
        format!("DELETE FROM exposures WHERE trial IN (SELECT trial FROM trials) AND unit IN {list}"),
        format!("DELETE FROM conversions WHERE unit IN {list}"),
        format!("DELETE FROM signs WHERE unit IN {list}"),
    ];
    let mut rows = 0;
    for delete in deletions {
        let delete = units.iter().fold(query(delete), |delete, unit| delete.bind((*unit).to_owned()));
        rows += delete.execute(&mut *transaction).await?.rows_affected();
    }
    if rows == 0 {
        transaction.rollback().await?;
        return Ok(0);
    }
    note_forgotten(&mut transaction, &units).await?;
    gone.tell(&mut transaction, units).await?;
    transaction.commit().await?;
    Ok(rows)
}

/// Rows of units are deleted, for whatever reason: programs that keep these units in memory as recorded are told, in the transaction that
/// deletes. A unit that comes back is then recorded again.
pub(crate) struct Gone {
    number: i64,
}

impl Gone {
    /// First of all in a transaction, so that two who delete at once wait here, where neither holds what the other wants; and so that numbers
    /// are seen in their order.
    pub(crate) async fn begin(store: &mut AnyConnection) -> Result<Self, sqlx::Error> {
        Ok(Self { number: next_number(store).await? })
    }

    /// Whose rows they were.
    pub(crate) async fn tell(mut self, store: &mut AnyConnection, mut units: Vec<&str>) -> Result<(), sqlx::Error> {
        units.sort_unstable();
        units.dedup();
        let now = now(store);
        query(format!("DELETE FROM forgotten WHERE at < {now} - {NOTICED_WITHIN}")).execute(&mut *store).await?;
        for (place, units) in units.chunks(UNITS).enumerate() {
            if place > 0 {
                self.number = next_number(store).await?;
            }
            let rows = places(store, units.len(), 2);
            let insert = query(format!(
                "INSERT INTO forgotten (number, unit, at) SELECT column1, column2, {now} FROM (VALUES {rows}) AS new WHERE true
                 ON CONFLICT DO NOTHING"
            ));
            let number = self.number;
            let insert = units.iter().fold(insert, |insert, unit| insert.bind(number).bind(hex(hash(unit))));
            insert.execute(&mut *store).await?;
        }
        Ok(())
    }
}

async fn next_number(store: &mut AnyConnection) -> Result<i64, sqlx::Error> {
    let update = "UPDATE marks SET number = number + 1 WHERE mark = 'forgotten'";
    sqlx::query(update).execute(&mut *store).await?;
    forgotten(store).await
}

/// How often units were deleted.
pub(crate) async fn forgotten(store: &mut AnyConnection) -> Result<i64, sqlx::Error> {
    let row = sqlx::query("SELECT number FROM marks WHERE mark = 'forgotten'").fetch_optional(store).await?;
    row.map_or(Ok(0), |row| row.try_get(0))
}

/// Hashes of units that were forgotten after a number, and the number up to which these are all.
pub(crate) async fn forgotten_since(store: &mut AnyConnection, number: i64) -> Result<(Vec<u128>, i64), sqlx::Error> {
    let select = "SELECT number, unit FROM forgotten WHERE number > $1 ORDER BY number LIMIT $2";
    let rows = in_time(sqlx::query(select).bind(number).bind(READ_AT_ONCE).fetch_all(store)).await?;
    let mut latest = number;
    let mut units = Vec::with_capacity(rows.len());
    for row in &rows {
        latest = row.try_get(0)?;
        units.extend(from_hex(&row.try_get::<String, _>(1)?));
    }
    // there may be more with the last number; they are few, and to read them twice does no harm
    let is_all = rows.len() < usize::try_from(READ_AT_ONCE).unwrap_or(usize::MAX);
    Ok((units, if is_all { latest } else { latest - 1 }))
}
