//! The packs of one shard are brought up to date.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Connection, Row as _};

use crate::packs::fetch::{CONVERSION, EXPOSURE, among, converted, exposed, grouped};
use crate::packs::rows::{Converted, Exposed, Row, pack, unpack};
use crate::store::connection::Store;
use crate::store::query::planned_anew;
use crate::store::unit_hash::UnitHash;

/// Units that are packed in one transaction, about, at least and at most: events wait meanwhile.
const UNITS: (i64, i64) = (2_000, 20_000);

/// Between them it is one of so many units of the largest pack: to write that anew takes as long as to read so many from the tables.
const PART: i64 = 16;

/// What a pack has rows of.
pub(crate) fn of_trial(trial: i64) -> String {
    format!("{TRIAL}{trial}")
}

pub(crate) fn of_goal(goal: &str) -> String {
    format!("{GOAL}{goal}")
}

const TRIAL: &str = "trial:";
const GOAL: &str = "goal:";

/// Packs some of what changed in a shard. Returns whether there may be more. While it is at it, no other program changes the same packs: who
/// comes second gives way. A unit that changes meanwhile stays noted, as its note is another one by then.
pub(crate) async fn pack_shard(store: &mut Store, shard: u8) -> Result<bool, sqlx::Error> {
    let begin = store.begin_alone();
    let mut transaction = store.connection.begin_with(begin).await?;
    let Some(changed) = changed(&mut transaction, shard).await? else { return Ok(false) };
    let mut packs = packs(&mut transaction, shard).await?;
    let exposures = exposures(&mut transaction, changed.range).await?;
    merge(&mut transaction, &changed, &mut packs, (TRIAL, exposures)).await?;
    let conversions = conversions(&mut transaction, changed.range).await?;
    merge(&mut transaction, &changed, &mut packs, (GOAL, conversions)).await?;
    let (first, last) = changed.range;
    let done = planned_anew("DELETE FROM unpacked WHERE hash BETWEEN $1 AND $2".into()).bind(first.0).bind(last.0);
    done.execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(changed.is_part)
}

/// Units of a shard that are noted.
struct Changed {
    shard: u8,
    hashes: HashSet<UnitHash>,
    range: (UnitHash, UnitHash),
    is_part: bool,
}

async fn changed(store: &mut AnyConnection, shard: u8) -> Result<Option<Changed>, sqlx::Error> {
    let (first, last) = UnitHash::range(shard);
    let select = "SELECT COALESCE(MAX(units), 0) FROM packs WHERE shard = $1";
    let largest: i64 = sqlx::query_scalar(select).bind(i64::from(shard)).fetch_one(&mut *store).await?;
    let most = (largest / PART).clamp(UNITS.0, UNITS.1);
    let select = planned_anew("SELECT hash FROM unpacked WHERE hash BETWEEN $1 AND $2 ORDER BY hash LIMIT $3".into());
    let rows = select.bind(first.0).bind(last.0).bind(most).fetch_all(store).await?;
    let hashes = rows.iter().map(|row| row.try_get(0).map(UnitHash)).collect::<Result<BTreeSet<_>, _>>()?;
    let Some(newest) = hashes.last().copied() else { return Ok(None) };
    let is_part = i64::try_from(rows.len()).unwrap_or(i64::MAX) >= most;
    let range = (first, if is_part { newest } else { last });
    Ok(Some(Changed { shard, hashes: hashes.into_iter().collect(), range, is_part }))
}

/// The packs of a shard, by what they have rows of.
async fn packs(store: &mut AnyConnection, shard: u8) -> Result<BTreeMap<String, Vec<u8>>, sqlx::Error> {
    let select = sqlx::query("SELECT rows_of, packed FROM packs WHERE shard = $1").bind(i64::from(shard));
    let rows = select.fetch_all(store).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// The units that are noted in a range of hashes, $1 to $2.
const UNITS_OF_RANGE: &str = "SELECT unit FROM unpacked WHERE hash BETWEEN $1 AND $2";

async fn exposures(
    store: &mut AnyConnection,
    (first, last): (UnitHash, UnitHash),
) -> Result<BTreeMap<String, Vec<Exposed>>, sqlx::Error> {
    let of_any_trial = among(store, "trial", "SELECT trial FROM trials");
    let of_units = among(store, "unit", UNITS_OF_RANGE);
    let select = format!("SELECT trial, {EXPOSURE} FROM exposures WHERE {of_any_trial} AND {of_units}");
    grouped(store, planned_anew(select).bind(first.0).bind(last.0), |row| Ok(of_trial(row.try_get(0)?)), exposed)
        .await
}

async fn conversions(
    store: &mut AnyConnection,
    (first, last): (UnitHash, UnitHash),
) -> Result<BTreeMap<String, Vec<Converted>>, sqlx::Error> {
    let of_units = among(store, "unit", UNITS_OF_RANGE);
    let select = format!("SELECT goal, {CONVERSION} FROM conversions WHERE {of_units}");
    let goal = |row: &AnyRow| Ok(of_goal(row.try_get(0)?));
    grouped(store, planned_anew(select).bind(first.0).bind(last.0), goal, converted).await
}

/// Puts the rows of the changed units into the packs of their kind, in place of those that were there.
async fn merge<R: Row>(
    store: &mut AnyConnection,
    changed: &Changed,
    packs: &mut BTreeMap<String, Vec<u8>>,
    (kind, mut fresh): (&str, BTreeMap<String, Vec<R>>),
) -> Result<(), sqlx::Error> {
    let known: Vec<_> = packs.extract_if(.., |rows_of, _| rows_of.starts_with(kind)).collect();
    for (rows_of, packed) in known {
        let mut rows: Vec<R> = Vec::new();
        unpack(&packed, &mut rows).ok_or_else(|| unreadable(&rows_of, changed.shard))?;
        let before = rows.len();
        rows.retain(|row| !changed.hashes.contains(&row.hash()));
        let more = fresh.remove(&rows_of).unwrap_or_default();
        if rows.len() < before || !more.is_empty() {
            keep(store, changed.shard, &rows_of, rows, more).await?;
        }
    }
    for (rows_of, rows) in fresh {
        keep(store, changed.shard, &rows_of, rows, Vec::new()).await?;
    }
    Ok(())
}

async fn keep<R: Row>(
    store: &mut AnyConnection,
    shard: u8,
    rows_of: &str,
    mut rows: Vec<R>,
    more: Vec<R>,
) -> Result<(), sqlx::Error> {
    rows.extend(more);
    if rows.is_empty() {
        let delete = sqlx::query("DELETE FROM packs WHERE shard = $1 AND rows_of = $2");
        return delete.bind(i64::from(shard)).bind(rows_of.to_owned()).execute(store).await.map(drop);
    }
    rows.sort_by_key(Row::hash);
    let units = rows.chunk_by(|a, b| a.hash() == b.hash()).count();
    let upsert = "INSERT INTO packs (shard, rows_of, units, packed) VALUES ($1, $2, $3, $4)
                  ON CONFLICT (shard, rows_of) DO UPDATE SET units = excluded.units, packed = excluded.packed";
    let upsert = sqlx::query(upsert).bind(i64::from(shard)).bind(rows_of.to_owned());
    let upsert = upsert.bind(i64::try_from(units).unwrap_or(i64::MAX)).bind(pack(&rows));
    upsert.execute(store).await.map(drop)
}

/// A pack that somebody else wrote, or that is damaged.
pub(crate) fn unreadable(rows_of: &str, shard: u8) -> sqlx::Error {
    sqlx::Error::Decode(format!("the pack {shard} of {rows_of} is not of this version").into())
}
