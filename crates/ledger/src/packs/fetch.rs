//! Rows of the tables, as packs hold them.

use std::collections::BTreeMap;

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, Row as _};

use crate::packs::rows::{Converted, Exposed};
use crate::store::query::is_file;
use crate::store::unit_hash::UnitHash;

/// The columns that [`exposed`] reads.
pub(crate) const EXPOSURE: &str = "unit, variant, period, place, held, confirmed, at, crossed, page1, page2";
/// The columns that [`converted`] reads.
pub(crate) const CONVERSION: &str = "unit, at, value";

/// A condition that a column is among what a query finds. PostgreSQL takes a join for a reason to read whole tables, as soon as there are many units;
/// SQLite knows no arrays.
pub(crate) fn among(store: &AnyConnection, column: &str, select: &str) -> String {
    if is_file(store) { format!("{column} IN ({select})") } else { format!("{column} = ANY (ARRAY ({select}))") }
}

/// Reads a row of exposures, from a column on.
pub(crate) fn exposed(row: &AnyRow, from: usize) -> Result<Exposed, sqlx::Error> {
    let number = |at: usize| row.try_get::<i64, usize>(from + at);
    let maybe = |at: usize| row.try_get::<Option<i64>, usize>(from + at);
    Ok(Exposed {
        hash: UnitHash::of(row.try_get(from)?),
        variant: number(1)?,
        period: number(2)?,
        place: number(3)?,
        held: number(4)? != 0,
        confirmed: number(5)? != 0,
        at: number(6)?,
        crossed: maybe(7)?,
        page1: maybe(8)?,
        page2: maybe(9)?,
    })
}

/// Reads a row of conversions, from a column on.
pub(crate) fn converted(row: &AnyRow, from: usize) -> Result<Converted, sqlx::Error> {
    Ok(Converted {
        hash: UnitHash::of(row.try_get(from)?),
        at: row.try_get(from + 1)?,
        value: row.try_get(from + 2)?,
    })
}

/// The rows of a query by what is in its first column.
pub(crate) async fn grouped<K: Ord, R>(
    store: &mut AnyConnection,
    select: Query<'_, Any, AnyArguments>,
    key: impl Fn(&AnyRow) -> Result<K, sqlx::Error>,
    read: impl Fn(&AnyRow, usize) -> Result<R, sqlx::Error>,
) -> Result<BTreeMap<K, Vec<R>>, sqlx::Error> {
    let mut all: BTreeMap<K, Vec<R>> = BTreeMap::new();
    for row in select.fetch_all(store).await? {
        all.entry(key(&row)?).or_default().push(read(&row, 1)?);
    }
    Ok(all)
}
