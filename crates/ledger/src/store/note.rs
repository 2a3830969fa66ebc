//! Units whose rows change are noted, in the transaction that changes them.

use sqlx::AnyConnection;

use crate::store::query::{places, query};
use crate::store::unit_hash::UnitHash;

/// Units of one statement: with two columns well below the 32,766 values SQLite takes.
const UNITS: usize = 500;

/// Notes that rows of these units changed. It comes last in a transaction: every transaction changes rows first and notes afterwards, in one order,
/// so that none waits for another that waits for it.
///
/// The row is changed even where it is there: a transaction that packs the unit at the same time must notice.
pub(crate) async fn note_changes(
    store: &mut AnyConnection,
    units: impl IntoIterator<Item = &str>,
) -> Result<(), sqlx::Error> {
    note(store, units.into_iter().map(|unit| (UnitHash::of(unit), unit)).collect()).await
}

/// Notes that units were forgotten: their hashes alone, until they are gone from the packs too.
pub(crate) async fn note_forgotten(store: &mut AnyConnection, units: &[&str]) -> Result<(), sqlx::Error> {
    let list = places(store, 1, units.len());
    let delete = query(format!("DELETE FROM unpacked WHERE unit IN {list}"));
    units.iter().fold(delete, |delete, unit| delete.bind((*unit).to_owned())).execute(&mut *store).await?;
    note(store, units.iter().map(|unit| (UnitHash::of(unit), "")).collect()).await
}

async fn note(store: &mut AnyConnection, mut units: Vec<(UnitHash, &str)>) -> Result<(), sqlx::Error> {
    units.sort_unstable();
    units.dedup();
    for units in units.chunks(UNITS) {
        // two columns are bound: the third is the same in all
        let rows = places(store, units.len(), 2);
        let upsert = query(format!(
            "INSERT INTO unpacked (hash, unit, changes) SELECT column1, column2, 1 FROM (VALUES {rows}) AS new WHERE true
             ON CONFLICT (hash, unit) DO UPDATE SET changes = unpacked.changes + 1"
        ));
        let upsert = units.iter().fold(upsert, |upsert, (hash, unit)| upsert.bind(hash.0).bind((*unit).to_owned()));
        upsert.execute(&mut *store).await?;
    }
    Ok(())
}
