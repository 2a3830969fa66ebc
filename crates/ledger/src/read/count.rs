//! One pass over the rows per question.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::read::recorded::{Recorded, find};
use crate::read::sums::{Group, Sums};
use crate::read::tally::{GoalKind, Question, Tally};
use crate::store::query::query;
use crate::write::writer::micros;

pub(crate) const DAY: i64 = 86_400_000_000;

/// Counts one experiment.
pub(crate) async fn count(store: &mut AnyConnection, question: &Question) -> Result<Tally, sqlx::Error> {
    let Some(recorded) = find(store, question).await?.filter(|recorded| !recorded.periods.is_empty()) else {
        return Ok(Tally::default());
    };
    let mut sums = Sums::new(&recorded, question.goals.len());
    let now = micros(question.now);
    exposed(store, &recorded, now, &mut sums).await?;
    for (place, goal) in question.goals.iter().enumerate() {
        match goal.kind {
            GoalKind::Reached => reached(store, &recorded, (place, &goal.name), &mut sums).await?,
            GoalKind::Bounced(after) => bounced(store, &recorded, (place, after), now, &mut sums).await?,
        }
    }
    sums.tally.began = Timestamp::from_microsecond(recorded.began).ok();
    Ok(sums.tally)
}

/// More variants than a flag can have.
const VARIANTS: i64 = 256;
const BITS: i64 = 16;

/// What a conversion is worth. A value that no event may have, which older versions kept, is worth nothing.
pub(crate) const VALUE: &str = "CASE WHEN c.value BETWEEN -1e12 AND 1e12 THEN c.value ELSE 0 END";

impl Group {
    /// Reads a [`code`]; one that is none stands for a group of nobody.
    fn of(code: i64) -> Self {
        let has = |bit: i64| code & bit != 0;
        Self {
            period: usize::try_from(code / (VARIANTS * BITS)).unwrap_or(usize::MAX),
            variant: usize::try_from(code / BITS % VARIANTS).unwrap_or(usize::MAX),
            held: has(8),
            unmoved: has(4),
            clean: has(2),
            clean_in_step: has(1),
        }
    }

    pub(crate) fn read(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self::of(row.try_get(0)?))
    }
}

/// A group as one number, made in SQL: a million rows are grouped by one number in a third of the time that six columns take.
/// Times and places of the periods are numbers of our own, so they are written into the text.
pub(crate) fn code(recorded: &Recorded) -> String {
    format!(
        "e.period * {} + e.variant * {BITS} + CASE WHEN e.held = 0 THEN 0 WHEN {} THEN 12 ELSE 8 END
         + CASE WHEN e.crossed IS NULL THEN 3 WHEN e.crossed >= {} THEN 1 ELSE 0 END",
        VARIANTS * BITS,
        unmoved(recorded),
        ends(recorded)
    )
}

/// When the period of an exposure ends.
pub(crate) fn ends(recorded: &Recorded) -> String {
    let periods = recorded.periods.iter().enumerate();
    let cases = periods.map(|(number, period)| format!(" WHEN {number} THEN {}", period.ends));
    format!("CASE e.period{} END", cases.collect::<String>())
}

/// Whether the place of an exposure had its variant all along.
fn unmoved(recorded: &Recorded) -> String {
    let bound = |of: fn(&(i64, i64)) -> i64| {
        let cases = (0..).zip(&recorded.periods).flat_map(|(number, period)| {
            let variants = (0..).zip(&period.unmoved);
            variants.map(move |(variant, arm)| format!(" WHEN {} THEN {}", number * VARIANTS + variant, of(arm)))
        });
        format!("CASE e.period * {VARIANTS} + e.variant{} END", cases.collect::<String>())
    };
    format!("e.place >= {} AND e.place < {}", bound(|arm| arm.0), bound(|arm| arm.1))
}

/// Whole numbers of a row, from a column on.
pub(crate) fn counts<const N: usize>(row: &AnyRow, from: usize) -> Result<[u64; N], sqlx::Error> {
    let mut all = [0; N];
    for (slot, at) in all.iter_mut().zip(from..) {
        *slot = row.try_get::<i64, usize>(at)?.max(0).unsigned_abs();
    }
    Ok(all)
}

/// Numbers of a row, from a column on.
pub(crate) fn numbers<const N: usize>(row: &AnyRow, from: usize) -> Result<[f64; N], sqlx::Error> {
    let mut all = [0.0; N];
    for (slot, at) in all.iter_mut().zip(from..) {
        *slot = row.try_get(at)?;
    }
    Ok(all)
}

async fn exposed(
    store: &mut AnyConnection,
    recorded: &Recorded,
    now: i64,
    sums: &mut Sums,
) -> Result<(), sqlx::Error> {
    let sql = format!(
        "SELECT {}, COUNT(*), CAST(SUM(e.confirmed) AS BIGINT), CAST(SUM(CASE WHEN e.at >= $2 THEN 1 ELSE 0 END) AS BIGINT)
         FROM exposures e WHERE e.trial = $1 GROUP BY 1",
        code(recorded)
    );
    let rows = query(sql).bind(recorded.trial).bind(now - DAY).fetch_all(store).await?;
    let mut recent = 0;
    for row in rows {
        let [all, confirmed, of_late] = counts(&row, 1)?;
        recent += of_late;
        sums.expose(Group::read(&row)?, all, confirmed);
    }
    let first = recorded.periods.first().map_or(now, |period| period.began);
    // at least a minute: the first visitors of a test say little of a day
    sums.tally.per_day = recent as f64 * DAY as f64 / (now - first).clamp(60_000_000, DAY) as f64;
    Ok(())
}

/// Conversions by unit first, then units by group: those before the exposure, those within the step, and all after it.
fn reached_sql(recorded: &Recorded) -> String {
    let products = [
        "all_value",
        "value",
        "value * value",
        "times",
        "times * times",
        "value * times",
        "past",
        "past * past",
        "value * past",
    ];
    let products = products.map(|sum| format!("CAST(SUM({sum}) AS DOUBLE PRECISION)")).join(", ");
    format!(
        "WITH u AS (
           SELECT {} AS code,
             SUM(CASE WHEN c.at >= e.at THEN 1 ELSE 0 END) AS all_times,
             SUM(CASE WHEN c.at >= e.at THEN {VALUE} ELSE 0 END) AS all_value,
             SUM(CASE WHEN c.at >= e.at AND c.at < {ends} THEN 1 ELSE 0 END) AS times,
             SUM(CASE WHEN c.at >= e.at AND c.at < {ends} THEN {VALUE} ELSE 0 END) AS value,
             SUM(CASE WHEN c.at < e.at THEN {VALUE} ELSE 0 END) AS past
           FROM conversions c CROSS JOIN exposures e
           WHERE c.goal = $2 AND e.trial = $1 AND e.unit = c.unit
           GROUP BY e.unit, 1)
         SELECT code,
           CAST(SUM(CASE WHEN all_times > 0 THEN 1 ELSE 0 END) AS BIGINT),
           CAST(SUM(CASE WHEN times > 0 THEN 1 ELSE 0 END) AS BIGINT),
           CAST(SUM(CASE WHEN past <> 0 THEN 1 ELSE 0 END) AS BIGINT),
           {products}
         FROM u GROUP BY code",
        code(recorded),
        ends = ends(recorded)
    )
}

async fn reached(
    store: &mut AnyConnection,
    recorded: &Recorded,
    (goal, name): (usize, &str),
    sums: &mut Sums,
) -> Result<(), sqlx::Error> {
    let rows = query(reached_sql(recorded)).bind(recorded.trial).bind(name.to_owned()).fetch_all(store).await?;
    for row in rows {
        let (group, [converters, in_step, with_past]) = (Group::read(&row)?, counts(&row, 1)?);
        let [all_value, value, value_sq, times, times_sq, value_times, past, past_sq, value_past] = numbers(&row, 4)?;
        if let Some(total) = sums.total(group, goal) {
            total.conversions += converters;
            total.sum += all_value;
        }
        let Some(arm) = sums.arm(group, goal) else {
            continue;
        };
        arm.conversions += in_step;
        arm.value = (arm.value.0 + value, arm.value.1 + value_sq);
        arm.times = (arm.times.0 + times, arm.times.1 + times_sq);
        arm.value_times += value_times;
        if with_past > 0 {
            let before = arm.before.unwrap_or_default();
            arm.before = Some((before.0 + past, before.1 + past_sq));
            arm.value_before += value_past;
        }
    }
    Ok(())
}

/// Whether a unit left after one page, given the time it had for a second.
pub(crate) fn bounce(time: &str) -> String {
    format!("e.page1 <= e.at + {time} AND (e.page2 IS NULL OR e.page2 > e.at + {time})")
}

/// A time in µs: longer than anything was recorded at most, and far from where sums overflow.
pub(crate) fn after(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX).min(1000 * 365 * DAY)
}

/// Those whose time is over: within the step for the comparison, by now for the totals. A second page settles it early for
/// some, but only waiting for everybody treats all alike.
fn bounced_sql(recorded: &Recorded) -> String {
    let bounce = bounce("$3");
    let sum = |condition: &str| format!("CAST(SUM(CASE WHEN {condition} THEN 1 ELSE 0 END) AS BIGINT)");
    let over = "e.at <= $2 - $3";
    let in_step = format!("{over} AND e.at <= {} - $3", ends(recorded));
    format!(
        "SELECT {}, {}, {}, {}, {}, COUNT(*) FROM exposures e WHERE e.trial = $1 GROUP BY 1",
        code(recorded),
        sum(over),
        sum(&format!("{over} AND {bounce}")),
        sum(&in_step),
        sum(&format!("{in_step} AND {bounce}"))
    )
}

async fn bounced(
    store: &mut AnyConnection,
    recorded: &Recorded,
    (goal, after): (usize, Duration),
    now: i64,
    sums: &mut Sums,
) -> Result<(), sqlx::Error> {
    let rows =
        query(bounced_sql(recorded)).bind(recorded.trial).bind(now).bind(self::after(after)).fetch_all(store).await?;
    for row in rows {
        let (group, [settled, bounces, in_step, bounces_in_step, all]) = (Group::read(&row)?, counts(&row, 1)?);
        if let Some(total) = sums.total(group, goal) {
            total.visitors = total.visitors.saturating_sub(all - settled);
            total.open += all - settled;
            total.conversions += bounces;
        }
        if let Some(arm) = sums.arm(group, goal) {
            arm.visitors = arm.visitors.saturating_sub(all - in_step);
            arm.conversions += bounces_in_step;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_read_as_it_is_written() {
        let all = Group { period: 7, variant: 62, held: true, unmoved: true, clean: true, clean_in_step: true };
        assert_eq!(Group::of(7 * VARIANTS * BITS + 62 * BITS + 12 + 3), all);
        let crossed_later =
            Group { period: 0, variant: 1, held: false, unmoved: false, clean: false, clean_in_step: true };
        assert_eq!(Group::of(BITS + 1), crossed_later);
    }
}
