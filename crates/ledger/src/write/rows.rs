//! A batch, or a part of one, becomes rows, in one transaction.

use std::collections::HashSet;

use sqlx::{AnyConnection, Connection};

use crate::store::connection::Store;
use crate::store::note::note_changes;
use crate::store::query::{is_file, places, query};
use crate::write::batch::{Batch, Conversion, Exposure};
use crate::write::period::id;

/// Rows of one statement: with eleven columns well below the 32,766 values SQLite takes.
const ROWS: usize = 500;

/// Units of one statement that looks for all their exposures in PostgreSQL: with more, it reads the whole table instead.
const UNITS: usize = 100;

type Done = Result<(), sqlx::Error>;
/// Whether rows changed.
type Changed = Result<bool, sqlx::Error>;

/// Writes all of it or nothing.
pub(crate) async fn write(store: &mut Store, batch: &Batch, (boot, latest): (i64, i64)) -> Done {
    let begin = store.begin();
    let mut transaction = store.connection.begin_with(begin).await?;
    let mut changed: HashSet<&str> = HashSet::new();
    for wave in batch.exposures.iter() {
        // a row that is written confirmed need not be written again for a cookie that came back
        let is_confirmed = |unit: &str, exposure: &Exposure| exposure.confirmed || batch.returned.contains(unit);
        let rows = wave.iter().map(|((_, unit), exposure)| (&**unit, exposure, is_confirmed(unit, exposure)));
        let mut rows: Vec<_> = rows.collect();
        // instances that write the same rows take them in the same order, so none waits for another that waits for it
        rows.sort_unstable_by_key(|(unit, ..)| *unit);
        for rows in rows.chunks(ROWS) {
            if expose(&mut transaction, rows).await? {
                changed.extend(rows.iter().map(|(unit, ..)| *unit));
            }
        }
    }
    let mut returned: Vec<_> = batch.returned.iter().map(|unit| &**unit).collect();
    returned.sort_unstable();
    let units_at_once = if is_file(&transaction) { ROWS } else { UNITS };
    for units in returned.chunks(units_at_once) {
        if confirm(&mut transaction, units).await? {
            changed.extend(units);
        }
    }
    for wave in batch.pages.iter() {
        let mut rows: Vec<_> = wave.iter().map(|(unit, at)| (&**unit, *at)).collect();
        rows.sort_unstable();
        for rows in rows.chunks(units_at_once) {
            if pages(&mut transaction, rows).await? {
                changed.extend(rows.iter().map(|(unit, _)| *unit));
            }
        }
    }
    for rows in batch.conversions.chunk_by(|a, b| a.met == b.met) {
        for rows in rows.chunks(ROWS) {
            if convert(&mut transaction, rows).await? {
                changed.extend(rows.iter().map(|row| &*row.unit));
            }
        }
    }
    remember(&mut transaction, boot, latest).await?;
    note_changes(&mut transaction, changed).await?;
    transaction.commit().await
}

/// Writes exposures of units, confirmed or not. The first one stays. A second one can confirm it, or mark that another variant was met.
async fn expose(store: &mut AnyConnection, rows: &[(&str, &Exposure, bool)]) -> Changed {
    let sql = format!(
        "INSERT INTO exposures (trial, unit, variant, period, place, held, confirmed, at) VALUES {}
         ON CONFLICT (trial, unit) DO UPDATE SET
           confirmed = CASE WHEN excluded.confirmed > exposures.confirmed THEN excluded.confirmed ELSE exposures.confirmed END,
           crossed = CASE WHEN exposures.crossed IS NULL AND exposures.variant <> excluded.variant
                          THEN excluded.at ELSE exposures.crossed END
         WHERE excluded.confirmed > exposures.confirmed
            OR (exposures.crossed IS NULL AND exposures.variant <> excluded.variant)",
        places(store, rows.len(), 8)
    );
    let mut insert = query(sql);
    for (unit, row, confirmed) in rows {
        let period = row.period.unwrap_or_default();
        insert = insert.bind(id(&row.experiment)).bind((*unit).to_owned()).bind(i64::from(row.variant)).bind(period);
        insert = insert.bind(i64::from(row.place)).bind(i64::from(row.held)).bind(i64::from(*confirmed)).bind(row.at);
    }
    insert.execute(store).await.map(|done| done.rows_affected() > 0)
}

/// A table to join, and a condition, by which exposures of a unit are found by their key, `(trial, unit)`. PostgreSQL takes a join with all
/// trials for a reason to read all exposures, as soon as there are many units.
fn of_any_trial(store: &AnyConnection) -> (&'static str, &'static str) {
    if is_file(store) {
        return ("trials,", "exposures.trial = trials.trial");
    }
    ("", "exposures.trial = ANY (ARRAY (SELECT trial FROM trials))")
}

async fn confirm(store: &mut AnyConnection, units: &[&str]) -> Changed {
    let (trials, of_any) = of_any_trial(store);
    let sql = format!(
        "UPDATE exposures SET confirmed = 1 FROM {trials} (VALUES {}) AS seen
         WHERE {of_any} AND exposures.unit = seen.column1 AND exposures.confirmed = 0",
        places(store, units.len(), 1)
    );
    let mut update = query(sql);
    for unit in units {
        update = update.bind((*unit).to_owned());
    }
    update.execute(store).await.map(|done| done.rows_affected() > 0)
}

/// Keeps the times of the first two pages from the exposure on, in whatever order they come: they tell a bounce within any time.
async fn pages(store: &mut AnyConnection, rows: &[(&str, i64)]) -> Changed {
    let (trials, of_any) = of_any_trial(store);
    let sql = format!(
        "UPDATE exposures SET
           page2 = CASE WHEN page1 IS NULL OR page1 = seen.column2 THEN page2
                        WHEN seen.column2 < page1 THEN page1
                        WHEN page2 IS NULL OR seen.column2 < page2 THEN seen.column2 ELSE page2 END,
           page1 = CASE WHEN page1 IS NULL OR seen.column2 < page1 THEN seen.column2 ELSE page1 END
         FROM {trials} (VALUES {}) AS seen
         WHERE {of_any} AND exposures.unit = seen.column1 AND exposures.at <= seen.column2
           AND (page2 IS NULL OR seen.column2 < page2)",
        places(store, rows.len(), 2)
    );
    let mut update = query(sql);
    for (unit, at) in rows {
        update = update.bind((*unit).to_owned()).bind(*at);
    }
    update.execute(store).await.map(|done| done.rows_affected() > 0)
}

async fn convert(store: &mut AnyConnection, rows: &[Conversion]) -> Changed {
    let values = places(store, rows.len(), 5);
    let from = match rows.first().and_then(|row| row.met.as_deref()) {
        None => format!("VALUES {values}"),
        Some(trials) => {
            let trials: Vec<_> = trials.iter().map(|trial| trial.as_u64().cast_signed().to_string()).collect();
            format!(
                // a join, which a database that spreads visitors over machines can send to each; what it finds twice is written once
                "SELECT column1, column2, column3, column4, column5 FROM (VALUES {values}) AS said CROSS JOIN exposures
                 WHERE exposures.trial IN ({}) AND exposures.unit = said.column2",
                if trials.is_empty() { "NULL".into() } else { trials.join(", ") }
            )
        }
    };
    let sql = format!("INSERT INTO conversions (goal, unit, key, at, value) {from} ON CONFLICT DO NOTHING");
    let mut insert = query(sql);
    for row in rows {
        insert = insert.bind((*row.goal).to_owned()).bind(row.unit.to_string()).bind(row.key.clone());
        insert = insert.bind(row.at).bind(row.value);
    }
    insert.execute(store).await.map(|done| done.rows_affected() > 0)
}

async fn remember(store: &mut AnyConnection, boot: i64, latest: i64) -> Done {
    let upsert = "INSERT INTO boots (boot, latest, notes_changes) VALUES ($1, $2, 1)
         ON CONFLICT (boot) DO UPDATE SET latest = excluded.latest";
    sqlx::query(upsert).bind(boot).bind(latest).execute(store).await.map(|_| ())
}
