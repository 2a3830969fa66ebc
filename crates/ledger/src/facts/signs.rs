//! The signs that guards saw: what they rest on. Each flag and epoch has its own sequence of them.

use std::collections::{BTreeMap, HashMap};

use flagstaff_flags::Name;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Connection, Row};

use super::fact_store::{FactStore, ROWS, whole};
use super::news::{News, tell};
use crate::store::connection::in_time;
use crate::store::error::Error;
use crate::store::fault::Fault;
use crate::store::name::stored_name;
use crate::store::query::{places, query};

/// What the signs of [`came_at`] begin with.
const CAME: &str = "came:";

/// Signs that are read at once.
const READ_AT_ONCE: usize = 5_000;
/// Flags that are asked about at once.
const FLAGS_AT_ONCE: usize = 200;

/// The first time a unit showed something that a guard watches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstSign {
    /// What it was.
    pub sign: String,
    /// The unit, as [`flagstaff_flags::BucketBy::key`] names it.
    pub unit: String,
    /// The number of its variant among the arms, the control being 0.
    pub variant: u8,
    /// The step of the rollout, from 0.
    pub step: usize,
    /// When (µs since 1970). What one program saw later has a later time.
    pub at: i64,
}

/// A flag, and the number of the fact with which it began: what was seen of it since then.
pub type FlagEpoch = (Name, u64);

/// A sign, and to whom it belongs.
type Sign<'a> = (&'a FlagEpoch, &'a FirstSign);

/// Signs of a flag with the numbers up to one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NumberedSigns {
    /// In the order of their numbers. Some numbers have none, such as those of units that were forgotten.
    pub signs: Vec<FirstSign>,
    /// The number up to which these are all.
    pub up_to: u64,
    /// There are more.
    pub has_more: bool,
}

/// The sign of a unit that came to the treatment at a step, from 0. No guard looks for it.
#[must_use]
pub fn came_at(step: usize) -> String {
    format!("{CAME}{step}")
}

impl FactStore {
    /// What a guard looks for, as it was seen of a flag since the fact with which it began, in the order of its numbers.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn signs(&mut self, flag: &Name, epoch: u64) -> Result<Vec<FirstSign>, Error> {
        let select = "SELECT sign, unit, variant, step, at FROM signs
                      WHERE flag = $1 AND epoch = $2 AND NOT sign LIKE $3 ORDER BY number IS NULL, number, at, sign, unit";
        let select = sqlx::query(select).bind(flag.as_str().to_owned()).bind(epoch.cast_signed());
        let select = select.bind(format!("{CAME}%"));
        let rows = in_time(select.fetch_all(&mut self.store.connection)).await;
        rows.and_then(|rows| rows.iter().map(|row| first_sign(row, 0)).collect()).map_err(|error| self.error(error))
    }

    /// The next signs of flags, of each above a number, in their order. A reader that goes on from `up_to` sees each sign once, however many
    /// programs write. Flags without any are left out, and so are those that have to be asked about again when one says that it has more.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn signs_after(&mut self, of: &[(FlagEpoch, u64)]) -> Result<Vec<(FlagEpoch, NumberedSigns)>, Error> {
        let of = of.get(..FLAGS_AT_ONCE).unwrap_or(of);
        if of.is_empty() {
            return Ok(Vec::new());
        }
        let list = places(&self.store.connection, of.len(), 3);
        let select = query(format!(
            "SELECT flag, epoch, number, sign, unit, variant, step, at FROM (VALUES {list}) AS wanted
             JOIN signs ON flag = column1 AND epoch = column2 AND number > column3
             ORDER BY flag, epoch, number LIMIT {READ_AT_ONCE}"
        ));
        let select = of.iter().fold(select, |select, ((flag, epoch), after)| {
            select.bind(flag.as_str().to_owned()).bind(epoch.cast_signed()).bind(after.cast_signed())
        });
        let rows = in_time(select.fetch_all(&mut self.store.connection)).await;
        rows.and_then(|rows| by_flag(&rows)).map_err(|error| self.error(error))
    }

    /// The newest number that was given to a sign, of each of these flags that has some.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn newest_signs(&mut self, of: &[FlagEpoch]) -> Result<HashMap<FlagEpoch, u64>, Error> {
        let mut newest = HashMap::new();
        for of in of.chunks(FLAGS_AT_ONCE) {
            let list = places(&self.store.connection, of.len(), 2);
            let select =
                format!("SELECT flag, epoch, newest FROM sign_counters WHERE (flag, epoch) IN (VALUES {list})");
            let rows = bind_all(query(select), of).fetch_all(&mut self.store.connection);
            let rows = in_time(rows).await.map_err(|error| self.error(error))?;
            let read: Result<Vec<_>, _> = rows.iter().map(counter).collect();
            newest.extend(read.map_err(|error| self.error(error))?.into_iter().flatten());
        }
        Ok(newest)
    }

    /// Numbers the signs that an earlier version of the program wrote, after all others. Returns whether there were any.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn number_signs(&mut self, of: &[FlagEpoch]) -> Result<bool, Error> {
        let mut found = false;
        for of in of.chunks(FLAGS_AT_ONCE) {
            let list = places(&self.store.connection, of.len(), 2);
            let select = format!(
                "SELECT DISTINCT flag, epoch, epoch FROM signs WHERE (flag, epoch) IN (VALUES {list}) AND number IS NULL"
            );
            let rows = bind_all(query(select), of).fetch_all(&mut self.store.connection);
            let rows = in_time(rows).await.map_err(|error| self.error(error))?;
            let read: Result<Vec<_>, _> = rows.iter().map(counter).collect();
            for (of, _) in read.map_err(|error| self.error(error))?.into_iter().flatten() {
                found = true;
                self.number(&of).await.map_err(|error| self.error(error))?;
            }
        }
        Ok(found)
    }

    async fn number(&mut self, of: &FlagEpoch) -> Result<(), sqlx::Error> {
        const MARKS: &str =
            "UPDATE signs SET number = 0 WHERE flag = $1 AND epoch = $2 AND number IS NULL AND sign LIKE $3";
        const SIGNS: &str = "UPDATE signs SET number = $3 + new.place
             FROM (SELECT sign, unit, ROW_NUMBER() OVER (ORDER BY at, sign, unit) AS place FROM signs
                   WHERE flag = $1 AND epoch = $2 AND number IS NULL) AS new
             WHERE signs.flag = $1 AND signs.epoch = $2 AND signs.sign = new.sign AND signs.unit = new.unit";
        const COUNTER: &str = "UPDATE sign_counters SET newest = newest + $3 WHERE flag = $1 AND epoch = $2";
        let begin = self.store.begin();
        in_time(async {
            let mut transaction = self.store.connection.begin_with(begin).await?;
            let newest = count(&mut transaction, &BTreeMap::from([(of, 0)])).await?;
            let newest = newest.get(of).copied().unwrap_or_default();
            let (flag, epoch) = (of.0.as_str(), of.1.cast_signed());
            let marks = sqlx::query(MARKS).bind(flag.to_owned()).bind(epoch).bind(format!("{CAME}%"));
            marks.execute(&mut *transaction).await?;
            let signs = sqlx::query(SIGNS).bind(flag.to_owned()).bind(epoch).bind(newest.cast_signed());
            let numbered = signs.execute(&mut *transaction).await?.rows_affected();
            let counter = sqlx::query(COUNTER).bind(flag.to_owned()).bind(epoch).bind(numbered.cast_signed());
            counter.execute(&mut *transaction).await?;
            transaction.commit().await
        })
        .await
    }

    /// Keeps signs, and numbers them in their order. One that is there stays as it is. A sign that the store does not take is left out, and
    /// told.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn keep_signs(&mut self, signs: &[(FlagEpoch, Vec<FirstSign>)]) -> Result<(), Error> {
        let signs: Vec<Sign<'_>> =
            signs.iter().flat_map(|(of, signs)| signs.iter().map(move |sign| (of, sign))).collect();
        for signs in signs.chunks(ROWS) {
            self.keep(signs).await?;
        }
        Ok(())
    }

    async fn keep(&mut self, signs: &[Sign<'_>]) -> Result<(), Error> {
        match self.insert_signs(signs).await {
            Err(error) if Fault::of(&error) == Fault::Refused && signs.len() > 1 => {
                let (first, second) = signs.split_at(signs.len() / 2);
                Box::pin(self.keep(first)).await?;
                Box::pin(self.keep(second)).await
            }
            Err(error) if Fault::of(&error) == Fault::Refused => {
                let flag = signs.first().map(|((flag, _), _)| flag.as_str());
                tracing::error!(ledger = %self.location, flag, %error, "the ledger refuses a sign of a guard; it is lost");
                Ok(())
            }
            done => done.map_err(|error| self.error(error)),
        }
    }

    async fn insert_signs(&mut self, signs: &[Sign<'_>]) -> Result<(), sqlx::Error> {
        let mut counts: BTreeMap<&FlagEpoch, u64> = BTreeMap::new();
        for (of, _) in signs.iter().filter(|(_, sign)| is_numbered(sign)) {
            *counts.entry(of).or_default() += 1;
        }
        let begin = self.store.begin();
        let tells = self.tells && !counts.is_empty();
        in_time(async {
            let mut transaction = self.store.connection.begin_with(begin).await?;
            let newest = count(&mut transaction, &counts).await?;
            // of a sign that is there already the number stays unused
            let first = |of: &FlagEpoch| newest.get(of)?.checked_sub(*counts.get(of)?);
            let mut next: HashMap<&FlagEpoch, u64> =
                counts.keys().filter_map(|of| Some((*of, first(of)? + 1))).collect();
            insert(&mut transaction, signs, &mut next).await?;
            if tells {
                tell(&mut transaction, News::Signs).await?;
            }
            transaction.commit().await
        })
        .await
    }

    /// How many units came to the treatment of a flag at a step, since the fact with which the flag began: [`came_at`] is their sign.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn came(&mut self, flag: &Name, epoch: u64, step: usize) -> Result<u64, Error> {
        let select = sqlx::query("SELECT COUNT(*) FROM signs WHERE flag = $1 AND epoch = $2 AND sign = $3");
        let select = select.bind(flag.as_str().to_owned()).bind(epoch.cast_signed()).bind(came_at(step));
        let row = in_time(select.fetch_one(&mut self.store.connection)).await;
        let count = row.and_then(|row| row.try_get::<i64, _>(0)).map_err(|error| self.error(error))?;
        Ok(count.max(0).unsigned_abs())
    }
}

/// Takes the counters of flags, always in the same order, and adds to them. Another writer that wants one of them waits until this
/// transaction ends. Returns them as they are now.
async fn count(
    store: &mut AnyConnection,
    counts: &BTreeMap<&FlagEpoch, u64>,
) -> Result<HashMap<FlagEpoch, u64>, sqlx::Error> {
    if counts.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = places(store, counts.len(), 3);
    let mut upsert = query(format!(
        "INSERT INTO sign_counters (flag, epoch, newest) VALUES {rows}
         ON CONFLICT (flag, epoch) DO UPDATE SET newest = sign_counters.newest + excluded.newest RETURNING flag, epoch, newest"
    ));
    for ((flag, epoch), count) in counts {
        upsert = upsert.bind(flag.as_str().to_owned()).bind(epoch.cast_signed()).bind(count.cast_signed());
    }
    let rows = upsert.fetch_all(store).await?;
    rows.iter().filter_map(|row| counter(row).transpose()).collect()
}

async fn insert<'a>(
    store: &mut AnyConnection,
    signs: &[Sign<'a>],
    next: &mut HashMap<&'a FlagEpoch, u64>,
) -> Result<(), sqlx::Error> {
    let sql = format!(
        "INSERT INTO signs (flag, epoch, sign, unit, variant, step, at, number) VALUES {} ON CONFLICT DO NOTHING",
        places(store, signs.len(), 8)
    );
    let mut insert = query(sql);
    for (of, sign) in signs {
        let next = next.get_mut(of).filter(|_| is_numbered(sign));
        let number = next.map_or(0, |next| std::mem::replace(next, *next + 1));
        insert = insert.bind(of.0.as_str().to_owned()).bind(of.1.cast_signed());
        insert = insert.bind(stored_name(&sign.sign).into_owned()).bind(stored_name(&sign.unit).into_owned());
        insert = insert.bind(i64::from(sign.variant)).bind(whole(sign.step)).bind(sign.at).bind(number.cast_signed());
    }
    insert.execute(store).await.map(|_| ())
}

/// Nobody needs the order in which visitors came.
fn is_numbered(sign: &FirstSign) -> bool {
    !sign.sign.starts_with(CAME)
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

fn bind_all<'q>(select: Query<'q>, of: &[FlagEpoch]) -> Query<'q> {
    of.iter().fold(select, |select, (flag, epoch)| select.bind(flag.as_str().to_owned()).bind(epoch.cast_signed()))
}

/// A flag, its epoch and a number; none for what no flag can be called.
fn counter(row: &AnyRow) -> Result<Option<(FlagEpoch, u64)>, sqlx::Error> {
    let (flag, epoch, newest): (String, i64, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    Ok(Name::new(&flag).ok().map(|flag| ((flag, epoch.cast_unsigned()), newest.cast_unsigned())))
}

/// Rows of signs in the order of their flags; there may be more of the last one.
fn by_flag(rows: &[AnyRow]) -> Result<Vec<(FlagEpoch, NumberedSigns)>, sqlx::Error> {
    let mut all: Vec<(FlagEpoch, NumberedSigns)> = Vec::new();
    for row in rows {
        let Some((of, number)) = counter(row)? else { continue };
        if all.last().is_none_or(|(last, _)| *last != of) {
            all.push((of, NumberedSigns::default()));
        }
        if let Some((_, next)) = all.last_mut() {
            next.signs.push(first_sign(row, 3)?);
            next.up_to = number;
        }
    }
    if let Some((_, last)) = all.last_mut() {
        last.has_more = rows.len() >= READ_AT_ONCE;
    }
    Ok(all)
}

/// A sign, from a column on.
fn first_sign(row: &AnyRow, from: usize) -> Result<FirstSign, sqlx::Error> {
    Ok(FirstSign {
        sign: row.try_get(from)?,
        unit: row.try_get(from + 1)?,
        variant: u8::try_from(row.try_get::<i64, _>(from + 2)?).unwrap_or(u8::MAX),
        step: usize::try_from(row.try_get::<i64, _>(from + 3)?).unwrap_or_default(),
        at: row.try_get(from + 4)?,
    })
}
