//! Whether packs and notes together are everything, and how rows that were there before become noted.

use sqlx::{AnyConnection, Connection, Row as _};

use crate::store::connection::Store;
use crate::store::note::note_changes;

/// Exposures that are noted in one transaction.
const ROWS: i64 = 5_000;

/// How long (µs) no program of a version that notes no changes may have written.
const SETTLED: i64 = 600_000_000;

/// What is known of the packs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packed {
    /// A program that notes no changes wrote lately.
    NotNow,
    /// Rows that were there before are still to be noted.
    InPart,
    /// What is not noted is in the packs.
    Whole,
}

/// Whether what is not noted is in the packs, so that both together are all rows. Tables of an earlier version have none.
pub(crate) async fn is_whole(store: &mut AnyConnection) -> Result<bool, sqlx::Error> {
    // asked first: in PostgreSQL a table that is missing ends the transaction
    let version = "SELECT COUNT(*) FROM _sqlx_migrations WHERE success AND version = 11";
    let has_packs = sqlx::query_scalar::<_, i64>(version).fetch_one(&mut *store).await? > 0;
    if !has_packs {
        return Ok(false);
    }
    let select = "SELECT COUNT(*) FROM packing WHERE is_whole = 1
                  AND NOT EXISTS (SELECT 1 FROM boots WHERE notes_changes = 0 AND latest >= packing.began)";
    Ok(sqlx::query_scalar::<_, i64>(select).fetch_one(store).await? > 0)
}

/// How far it is at a time (µs since 1970). Where a program wrote that noted nothing, and writes no more, all begins anew.
pub(crate) async fn state(store: &mut Store, now: i64) -> Result<Packed, sqlx::Error> {
    let select =
        "SELECT began, is_whole, (SELECT COALESCE(MAX(latest), 0) FROM boots WHERE notes_changes = 0) FROM packing";
    let Some(row) = sqlx::query(select).fetch_optional(&mut store.connection).await? else {
        return Ok(Packed::NotNow);
    };
    let (began, is_whole, unnoted): (i64, i64, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    if unnoted > now.saturating_sub(SETTLED) {
        return Ok(Packed::NotNow);
    }
    if began == 0 || unnoted >= began {
        begin_anew(store, now).await?;
        return Ok(Packed::InPart);
    }
    Ok(if is_whole == 1 { Packed::Whole } else { Packed::InPart })
}

/// Drops all packs. They are made again from the rows.
pub(crate) async fn begin_anew(store: &mut Store, now: i64) -> Result<(), sqlx::Error> {
    let begin = store.begin_alone();
    let mut transaction = store.connection.begin_with(begin).await?;
    sqlx::query("DELETE FROM packs").execute(&mut *transaction).await?;
    let update = sqlx::query("UPDATE packing SET began = $1, trial = $2, reached = '', is_whole = 0");
    update.bind(now).bind(i64::MIN).execute(&mut *transaction).await?;
    transaction.commit().await
}

/// Notes the units of some rows that were there before. Returns how many rows.
pub(crate) async fn note_some(store: &mut Store) -> Result<i64, sqlx::Error> {
    let begin = store.begin_alone();
    let mut transaction = store.connection.begin_with(begin).await?;
    let row = sqlx::query("SELECT trial, reached FROM packing").fetch_one(&mut *transaction).await?;
    let (trial, reached): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
    let select = "SELECT trial, unit FROM exposures WHERE (trial, unit) > ($1, $2) ORDER BY trial, unit LIMIT $3";
    let rows = sqlx::query(select).bind(trial).bind(reached).bind(ROWS).fetch_all(&mut *transaction).await?;
    let units = rows.iter().map(|row| row.try_get::<&str, _>(1)).collect::<Result<Vec<_>, _>>()?;
    note_changes(&mut transaction, units).await?;
    let many = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let is_last = many < ROWS;
    if let Some(row) = rows.last() {
        let update = sqlx::query("UPDATE packing SET trial = $1, reached = $2, is_whole = $3");
        let update =
            update.bind(row.try_get::<i64, _>(0)?).bind(row.try_get::<String, _>(1)?).bind(i64::from(is_last));
        update.execute(&mut *transaction).await?;
    } else {
        sqlx::query("UPDATE packing SET is_whole = 1").execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(many)
}
