//! The rows of an experiment, a slice of its units at a time: most of them from packs, the rest from the tables.

use std::collections::HashSet;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

use crate::packs::backlog::is_whole;
use crate::packs::fetch::{CONVERSION, EXPOSURE, among, converted, exposed};
use crate::packs::pack::{of_goal, of_trial, unreadable};
use crate::packs::rows::{Converted, Exposed, Row, unpack};
use crate::store::query::planned_anew;
use crate::store::unit_hash::{SHARDS, UnitHash};

/// Units of a slice, about, from packs and from tables: so much memory is needed, however many there are in all.
const PACKED_UNITS: i64 = 200_000;
const UNITS: i64 = 5_000;

/// Some units of an experiment with all they did about its goals, in the order of their hashes.
pub(crate) struct Slice {
    pub(crate) exposed: Vec<Exposed>,
    /// By goal.
    pub(crate) converted: Vec<Vec<Converted>>,
}

impl Slice {
    fn sorted(mut self) -> Self {
        // packs are in order already, which this sees at once
        self.exposed.sort_by_key(|row| row.hash);
        self.converted.iter_mut().for_each(|rows| rows.sort_by_key(|row| row.hash));
        self
    }

    /// Units that reached a goal, each with when it did.
    pub(crate) fn reached(&self, goal: usize) -> impl Iterator<Item = (&Exposed, &[Converted])> {
        let mut units = self.exposed.iter();
        let all = self.converted.get(goal).map_or(&[][..], Vec::as_slice);
        all.chunk_by(|a, b| a.hash == b.hash).filter_map(move |conversions| {
            let hash = conversions.first()?.hash;
            // both are in order, so what is passed over here comes never again
            while units.as_slice().first()?.hash < hash {
                units.next();
            }
            let unit = units.as_slice().first().filter(|unit| unit.hash == hash)?;
            Some((unit, conversions))
        })
    }
}

/// What slices are read of.
pub(crate) struct Rows<'a> {
    pub(crate) trial: i64,
    /// The goals whose conversions are read; none for one that is told by pages.
    pub(crate) goals: &'a [Option<String>],
}

impl Rows<'_> {
    /// Gives each slice to `take`. A unit is in one of them.
    pub(crate) async fn each(
        &self,
        store: &mut AnyConnection,
        mut take: impl FnMut(&Slice),
    ) -> Result<(), sqlx::Error> {
        if !is_whole(store).await? {
            return self.each_of_tables(store, &mut take).await;
        }
        self.each_packed(store, &mut take).await?;
        self.each_unpacked(store, &mut take).await
    }

    async fn each_packed(&self, store: &mut AnyConnection, take: &mut impl FnMut(&Slice)) -> Result<(), sqlx::Error> {
        let unpacked = sqlx::query_scalar::<_, i64>("SELECT hash FROM unpacked").fetch_all(&mut *store).await?;
        let unpacked: HashSet<_> = unpacked.into_iter().map(UnitHash).collect();
        let units = "SELECT CAST(COALESCE(SUM(units), 0) AS BIGINT) FROM packs WHERE rows_of = $1";
        let units = sqlx::query_scalar::<_, i64>(units).bind(of_trial(self.trial)).fetch_one(&mut *store).await?;
        let shards = (i64::from(SHARDS) * PACKED_UNITS / units.max(1)).clamp(1, i64::from(SHARDS));
        let mut first = 0;
        while first < i64::from(SHARDS) {
            take(&self.packed(store, (first, first + shards - 1), &unpacked).await?);
            first += shards;
        }
        Ok(())
    }

    /// The units of some shards, but for those whose rows changed since.
    async fn packed(
        &self,
        store: &mut AnyConnection,
        shards: (i64, i64),
        but: &HashSet<UnitHash>,
    ) -> Result<Slice, sqlx::Error> {
        let exposed = packed_rows(store, &of_trial(self.trial), shards, but).await?;
        let mut converted = Vec::new();
        for goal in self.goals {
            converted.push(match goal {
                Some(goal) => packed_rows(store, &of_goal(goal), shards, but).await?,
                None => Vec::new(),
            });
        }
        Ok(Slice { exposed, converted }.sorted())
    }

    /// The units whose rows changed since they were packed, if they were.
    async fn each_unpacked(
        &self,
        store: &mut AnyConnection,
        take: &mut impl FnMut(&Slice),
    ) -> Result<(), sqlx::Error> {
        let mut after = None;
        loop {
            let select = "SELECT hash FROM unpacked WHERE hash > $1 OR (hash = $1 AND $2 = 0) ORDER BY hash LIMIT $3";
            let (least, is_begun) = after.map_or((i64::MIN, 0), |hash| (hash, 1));
            let select = sqlx::query_scalar::<_, i64>(select).bind(least).bind(is_begun).bind(UNITS);
            let hashes = select.fetch_all(&mut *store).await?;
            let (Some(first), Some(last)) = (hashes.first(), hashes.last()) else { return Ok(()) };
            take(&self.unpacked(store, (*first, *last)).await?);
            after = Some(*last);
        }
    }

    async fn unpacked(&self, store: &mut AnyConnection, (first, last): (i64, i64)) -> Result<Slice, sqlx::Error> {
        let of_units = among(store, "unit", "SELECT unit FROM unpacked WHERE hash BETWEEN $2 AND $3");
        let select = format!("SELECT {EXPOSURE} FROM exposures WHERE trial = $1 AND {of_units}");
        let select = planned_anew(select).bind(self.trial).bind(first).bind(last);
        let exposed = all(&select.fetch_all(&mut *store).await?, exposed)?;
        let mut rows = Vec::new();
        for goal in self.goals {
            let Some(goal) = goal else {
                rows.push(Vec::new());
                continue;
            };
            let select = format!("SELECT {CONVERSION} FROM conversions WHERE goal = $1 AND {of_units}");
            let select = planned_anew(select).bind(goal.clone()).bind(first).bind(last);
            rows.push(all(&select.fetch_all(&mut *store).await?, converted)?);
        }
        Ok(Slice { exposed, converted: rows }.sorted())
    }

    /// All rows of the tables, where there are no packs that hold most of them.
    pub(crate) async fn each_of_tables(
        &self,
        store: &mut AnyConnection,
        take: &mut impl FnMut(&Slice),
    ) -> Result<(), sqlx::Error> {
        let select =
            format!("SELECT {EXPOSURE} FROM exposures WHERE trial = $1 AND unit > $2 ORDER BY unit LIMIT $3");
        let mut after = String::new();
        loop {
            let some = planned_anew(select.clone()).bind(self.trial).bind(after.clone()).bind(UNITS);
            let some = some.fetch_all(&mut *store).await?;
            let Some(last) = some.last().map(|row| row.try_get::<String, _>(0)).transpose()? else { return Ok(()) };
            let exposed = all(&some, exposed)?;
            let converted = self.converted_of_tables(store, (&after, &last)).await?;
            take(&Slice { exposed, converted }.sorted());
            after = last;
        }
    }

    /// What units did whose names are after one, up to another.
    async fn converted_of_tables(
        &self,
        store: &mut AnyConnection,
        (after, last): (&str, &str),
    ) -> Result<Vec<Vec<Converted>>, sqlx::Error> {
        let mut rows = Vec::new();
        for goal in self.goals {
            let Some(goal) = goal else {
                rows.push(Vec::new());
                continue;
            };
            let select = format!("SELECT {CONVERSION} FROM conversions WHERE goal = $1 AND unit > $2 AND unit <= $3");
            let select = planned_anew(select).bind(goal.clone()).bind(after.to_owned()).bind(last.to_owned());
            rows.push(all(&select.fetch_all(&mut *store).await?, converted)?);
        }
        Ok(rows)
    }
}

fn all<R>(rows: &[AnyRow], read: impl Fn(&AnyRow, usize) -> Result<R, sqlx::Error>) -> Result<Vec<R>, sqlx::Error> {
    rows.iter().map(|row| read(row, 0)).collect()
}

async fn packed_rows<R: Row>(
    store: &mut AnyConnection,
    rows_of: &str,
    (first, last): (i64, i64),
    but: &HashSet<UnitHash>,
) -> Result<Vec<R>, sqlx::Error> {
    let select = "SELECT shard, packed FROM packs WHERE shard BETWEEN $1 AND $2 AND rows_of = $3 ORDER BY shard";
    let packs = sqlx::query(select).bind(first).bind(last).bind(rows_of.to_owned()).fetch_all(store).await?;
    let mut rows = Vec::new();
    for pack in packs {
        let shard = u8::try_from(pack.try_get::<i64, _>(0)?).unwrap_or_default();
        unpack(pack.try_get(1)?, &mut rows).ok_or_else(|| unreadable(rows_of, shard))?;
    }
    rows.retain(|row: &R| !but.contains(&row.hash()));
    Ok(rows)
}
