//! Rows become the counts an experiment is judged by: one pass over them per goal.
//!
//! A unit belongs to the period in which it was first exposed. Within it the variants are compared as they were until the
//! shares changed: a unit that came back afterwards may have been moved to another variant, and only one variant loses its
//! regulars to that. So conversions count for a period's comparison up to its end. The totals show something else: units that
//! saw one variant and no other, with all they did.
//!
//! A unit may come after a change with a variant that was remembered from before: it was drawn by shares that are not recorded. Of
//! such units only those are compared that would have had the same variant all along, in a step of their own.

use std::time::Duration;

use flagstaff_experiment::{Goal, Observed};
use flagstaff_flags::{Holdout, Trigger};
use jiff::Timestamp;
use sqlx::AnyConnection;

use crate::read::group::{DAY, Group, VALUE, bounce, counts, ends, group_code, micros, numbers};
use crate::read::ledger::Ledger;
use crate::read::question::Question;
use crate::read::recorded::{Recorded, find};
use crate::read::sums::Sums;
use crate::store::error::Error;
use crate::store::query::query;

impl Ledger {
    /// Counts one experiment. Where nothing was recorded, it has no variants.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn tally(&mut self, question: &Question) -> Result<Observed, Error> {
        count(self.connection(), question).await.map_err(|error| self.error(error))
    }
}

async fn count(store: &mut AnyConnection, question: &Question) -> Result<Observed, sqlx::Error> {
    let recorded = find(store, question).await?.filter(|recorded| !recorded.periods.is_empty());
    let counted = match recorded {
        Some(recorded) => counted(store, question, &recorded).await?,
        None => Observed { goals: question.goals.iter().map(Goal::of).collect(), ..Observed::default() },
    };
    Ok(Observed { flag: question.flag.clone(), is_holdout: question.flag == Holdout::NAME, ..counted })
}

async fn counted(
    store: &mut AnyConnection,
    question: &Question,
    recorded: &Recorded,
) -> Result<Observed, sqlx::Error> {
    let mut sums = Sums::new(recorded, &question.goals);
    let now = question.now.as_microsecond();
    exposed(store, recorded, now, &mut sums).await?;
    for (index, goal) in question.goals.iter().enumerate() {
        match goal.trigger {
            Trigger::Bounce { after } => bounced(store, recorded, (index, after), now, &mut sums).await?,
            Trigger::Request { .. } | Trigger::Event(_) => {
                reached(store, recorded, (index, goal.name.as_str()), &mut sums).await?;
            }
        }
    }
    sums.observed.began = Timestamp::from_microsecond(recorded.began).ok();
    Ok(sums.observed)
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
        group_code(recorded)
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
    let per_day = recent as f64 * DAY as f64 / (now - first).clamp(60_000_000, DAY) as f64;
    sums.observed.per_day = Some(per_day).filter(|per_day| *per_day > 0.0);
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
        group_code(recorded),
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
        arm.value.add(value, value_sq);
        arm.times.add(times, times_sq);
        arm.value_times += value_times;
        if with_past > 0 {
            arm.before.get_or_insert_default().add(past, past_sq);
            arm.value_before += value_past;
        }
    }
    Ok(())
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
        group_code(recorded),
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
        query(bounced_sql(recorded)).bind(recorded.trial).bind(now).bind(micros(after)).fetch_all(store).await?;
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
