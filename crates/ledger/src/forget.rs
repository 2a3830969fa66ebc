//! Units are forgotten, and every program that remembers them notices.

use sqlx::{AnyConnection, Row};

/// Deletes everything of a unit. Returns how many rows that were.
pub(crate) async fn forget(store: &mut AnyConnection, unit: &str) -> Result<u64, sqlx::Error> {
    // first, so that two who forget at once wait here, where neither holds what the other wants
    sqlx::query("UPDATE marks SET number = number + 1 WHERE mark = 'forgotten'").execute(&mut *store).await?;
    let deletions = [
        "DELETE FROM exposures WHERE unit = $1 AND trial IN (SELECT trial FROM trials)",
        "DELETE FROM conversions WHERE unit = $1",
        "DELETE FROM signs WHERE unit = $1",
    ];
    let mut rows = 0;
    for delete in deletions {
        rows += sqlx::query(delete).bind(unit.to_owned()).execute(&mut *store).await?.rows_affected();
    }
    Ok(rows)
}

/// How often somebody was forgotten. When it changes, what a program remembers as recorded may not be there any more.
pub(crate) async fn forgotten(store: &mut AnyConnection) -> Result<i64, sqlx::Error> {
    let row = sqlx::query("SELECT number FROM marks WHERE mark = 'forgotten'").fetch_optional(store).await?;
    row.map_or(Ok(0), |row| row.try_get(0))
}
