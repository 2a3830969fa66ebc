//! The rows of an experiment, a slice of its units at a time: most of them from packs, the rest from the tables.

use std::collections::HashMap;

use futures_util::TryStreamExt;
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AnyConnection, Row as _};

use crate::packs::backlog::is_whole;
use crate::packs::fetch::{CONVERSION, EXPOSURE, among, converted, exposed};
use crate::packs::pack::{of_goal, of_trial, unreadable};
use crate::packs::rows::{Converted, Exposed, Row, unpack};
use crate::store::query::{places, planned_anew};
use crate::store::unit_hash::{SHARDS, UnitHash};

/// Units of a slice from tables, about. A slice from packs is a shard.
const UNITS: i64 = 5_000;

/// Units whose packs are asked for at a time, about, an experiment's and those of goals: what is read ahead of the count takes memory.
const READ_AHEAD: i64 = 1_000_000;

/// Some units of an experiment with all they did about its goals, in the order of their hashes.
pub(crate) struct Slice {
    pub(crate) exposed: Vec<Exposed>,
    /// By goal.
    pub(crate) converted: Vec<Vec<Converted>>,
}

impl Slice {
    fn sorted(mut self) -> Self {
        self.sort();
        self
    }

    fn sort(&mut self) {
        // packs are in order already, which this sees at once
        self.exposed.sort_by_key(|row| row.hash);
        self.converted.iter_mut().for_each(|rows| rows.sort_by_key(|row| row.hash));
    }

    /// Adds the rows of a pack: its shard, what it has rows of, and they.
    fn add(&mut self, pack: &AnyRow, wanted: &Wanted) -> Result<(), sqlx::Error> {
        let (shard, rows_of, packed): (i64, &str, &[u8]) = (pack.try_get(0)?, pack.try_get(1)?, pack.try_get(2)?);
        let goals = wanted.get(rows_of).map_or(&[][..], Vec::as_slice);
        let read = if goals.is_empty() {
            unpack(packed, &mut self.exposed)
        } else {
            let mut converted = goals.iter().filter_map(|goal| Some(unpack(packed, self.converted.get_mut(*goal)?)));
            converted.try_for_each(|read| read)
        };
        read.ok_or_else(|| unreadable(rows_of, u8::try_from(shard).unwrap_or_default()))
    }

    /// Leaves out units. Both are in the order of their hashes.
    fn leave_out(&mut self, hashes: &[UnitHash]) {
        leave_out(&mut self.exposed, hashes);
        self.converted.iter_mut().for_each(|rows| leave_out(rows, hashes));
    }

    /// Empties it, and keeps its room for the next.
    fn clear(&mut self) {
        self.exposed.clear();
        self.converted.iter_mut().for_each(Vec::clear);
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

/// What packs are read of: of goals with their places, and of the experiment, which has none.
type Wanted = HashMap<String, Vec<usize>>;

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

    /// The units of each shard, but for those whose rows changed since.
    async fn each_packed(&self, store: &mut AnyConnection, take: &mut impl FnMut(&Slice)) -> Result<(), sqlx::Error> {
        let unpacked = sqlx::query_scalar::<_, i64>("SELECT hash FROM unpacked").fetch_all(&mut *store).await?;
        let mut unpacked: Vec<_> = unpacked.into_iter().map(UnitHash).collect();
        unpacked.sort_unstable();
        let wanted = self.wanted();
        let rows_of = format!("rows_of IN {}", places(store, 1, wanted.len()));
        let units = format!("SELECT CAST(COALESCE(SUM(units), 0) AS BIGINT) FROM packs WHERE {rows_of}");
        let units = bound(units, &wanted).fetch_one(&mut *store).await?.try_get(0)?;
        let mut slice = Slice { exposed: Vec::new(), converted: self.goals.iter().map(|_| Vec::new()).collect() };
        let mut whole = |slice: &mut Slice| {
            slice.sort();
            slice.leave_out(&unpacked);
            take(slice);
            slice.clear();
        };
        for (first, last) in ranges(units) {
            let select = format!("SELECT shard, rows_of, packed FROM packs WHERE {rows_of}");
            let select = format!("{select} AND shard BETWEEN {first} AND {last} ORDER BY shard");
            each_shard(store, (select, &wanted), &mut slice, &mut whole).await?;
        }
        Ok(())
    }

    fn wanted(&self) -> Wanted {
        let mut wanted = Wanted::from([(of_trial(self.trial), Vec::new())]);
        for (place, goal) in self.goals.iter().enumerate() {
            if let Some(goal) = goal {
                wanted.entry(of_goal(goal)).or_default().push(place);
            }
        }
        wanted
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

/// Shards that are read at a time, the first and the last, where so many units are in all.
fn ranges(units: i64) -> impl Iterator<Item = (u16, u16)> {
    let at_a_time = i64::from(SHARDS).saturating_mul(READ_AHEAD).checked_div(units).unwrap_or(i64::MAX);
    let at_a_time = u16::try_from(at_a_time).unwrap_or(SHARDS).clamp(1, SHARDS);
    (0..SHARDS).step_by(at_a_time.into()).map(move |first| (first, SHARDS.min(first + at_a_time) - 1))
}

/// Some shards, one after the other. While one is counted, the store sends the next.
async fn each_shard(
    store: &mut AnyConnection,
    (select, wanted): (String, &Wanted),
    slice: &mut Slice,
    whole: &mut impl FnMut(&mut Slice),
) -> Result<(), sqlx::Error> {
    let mut packs = bound(select, wanted).fetch(store);
    let mut before = None;
    while let Some(pack) = packs.try_next().await? {
        let shard: i64 = pack.try_get(0)?;
        if before.is_some_and(|before| before != shard) {
            whole(slice);
        }
        before = Some(shard);
        slice.add(&pack, wanted)?;
    }
    whole(slice);
    Ok(())
}

/// A query of what packs are wanted of.
fn bound<'q>(select: String, wanted: &Wanted) -> Query<'q, Any, AnyArguments> {
    wanted.keys().fold(planned_anew(select), |select, rows_of| select.bind(rows_of.clone()))
}

fn leave_out<R: Row>(rows: &mut Vec<R>, mut hashes: &[UnitHash]) {
    let first = rows.first().map_or(UnitHash(0), Row::hash);
    hashes = hashes.get(hashes.partition_point(|hash| *hash < first)..).unwrap_or_default();
    rows.retain(|row| {
        while let [hash, rest @ ..] = hashes
            && *hash < row.hash()
        {
            hashes = rest;
        }
        hashes.first() != Some(&row.hash())
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shard_is_read_once_however_many_units_there_are() {
        for units in [0, 1, READ_AHEAD, 3 * READ_AHEAD, 100 * READ_AHEAD, 255 * READ_AHEAD, 1 << 40, i64::MAX] {
            let shards: Vec<_> = ranges(units).flat_map(|(first, last)| first..=last).collect();
            assert_eq!(shards, (0..SHARDS).collect::<Vec<_>>(), "{units}");
        }
        assert_eq!((ranges(READ_AHEAD).count(), ranges(2 * READ_AHEAD).count()), (1, 2));
    }
}
