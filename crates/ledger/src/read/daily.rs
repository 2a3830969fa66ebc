//! An experiment as it stood at the end of each day.
//!
//! A reader who looks at a test every day may keep the smallest p-value of all days. Looks at the ends of days need no note of who looked
//! when: they can be repeated from the rows at any time, and come out the same.

use std::collections::BTreeMap;

use flagstaff_experiment::Day;
use flagstaff_flags::{Goal, Trigger};
use jiff::Timestamp;
use sqlx::{AnyConnection, Row};

use crate::read::group::{DAY, Group, VALUE, bounce, counts, ends, group_code, micros, numbers};
use crate::read::ledger::Ledger;
use crate::read::question::Question;
use crate::read::recorded::{Recorded, find};
use crate::read::sums::Sums;
use crate::store::error::Error;
use crate::store::query::query;

impl Ledger {
    /// How an experiment stood at the end of each day (UTC) that is over, from the first exposure on. A unit that saw a second variant
    /// later is left out from the start.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn daily(&mut self, question: &Question) -> Result<Vec<Day>, Error> {
        daily(self.connection(), question).await.map_err(|error| self.error(error))
    }
}

/// What one day added to one group.
enum Added {
    Exposed(u64),
    /// Of a goal: those who reached it first, the sum of values, and by how much the sum of squares grew.
    Reached(usize, u64, f64, f64),
    /// Of a goal: those whose time was over, and those of them who had left.
    Settled(usize, u64, u64),
}

type Days = BTreeMap<i64, Vec<(Group, Added)>>;

async fn daily(store: &mut AnyConnection, question: &Question) -> Result<Vec<Day>, sqlx::Error> {
    let until = question.now.as_microsecond().div_euclid(DAY) * DAY;
    let recorded = find(store, question).await?.filter(|recorded| !recorded.periods.is_empty());
    let Some(recorded) = recorded.filter(|recorded| recorded.began < until) else {
        return Ok(Vec::new());
    };
    let mut days = Days::new();
    exposed(store, &recorded, until, &mut days).await?;
    for (goal, asked) in question.goals.iter().enumerate() {
        match asked.trigger {
            Trigger::Bounce { after } => settled(store, &recorded, until, (goal, micros(after)), &mut days).await?,
            Trigger::Request { .. } | Trigger::Event(_) => {
                reached(store, &recorded, until, (goal, asked.name.as_str()), &mut days).await?;
            }
        }
    }
    Ok(added_up(&recorded, &question.goals, &days, until))
}

/// Every day from the first on, also those on which nothing happened but time passing.
fn added_up(recorded: &Recorded, goals: &[Goal], days: &Days, until: i64) -> Vec<Day> {
    let mut sums = Sums::new(recorded, goals);
    let first = days.keys().next().copied().unwrap_or(until / DAY);
    let mut all = Vec::new();
    for day in first..until / DAY {
        let Some(added) = days.get(&day) else { continue };
        added.iter().for_each(|(group, added)| add(&mut sums, goals, *group, added));
        if let Ok(end) = Timestamp::from_microsecond((day + 1) * DAY) {
            all.push(Day { end, steps: sums.observed.steps.clone() });
        }
    }
    all
}

fn add(sums: &mut Sums, goals: &[Goal], group: Group, added: &Added) {
    match *added {
        Added::Exposed(units) => {
            sums.expose(group, units, 0);
            let is_bounce = |goal: &Goal| matches!(goal.trigger, Trigger::Bounce { .. });
            for (goal, _) in goals.iter().enumerate().filter(|(_, goal)| is_bounce(goal)) {
                // of these only those count whose time is over
                if let Some(arm) = sums.arm(group, goal) {
                    arm.visitors = arm.visitors.saturating_sub(units);
                }
            }
        }
        Added::Reached(goal, units, value, squares) => {
            if let Some(arm) = sums.arm(group, goal) {
                arm.conversions += units;
                arm.value.add(value, squares);
            }
        }
        Added::Settled(goal, units, left) => {
            if let Some(arm) = sums.arm(group, goal) {
                arm.visitors += units;
                arm.conversions += left;
            }
        }
    }
}

async fn exposed(
    store: &mut AnyConnection,
    recorded: &Recorded,
    until: i64,
    days: &mut Days,
) -> Result<(), sqlx::Error> {
    let sql = format!(
        "SELECT {}, e.at / {DAY} AS day, COUNT(*) FROM exposures e WHERE e.trial = $1 AND e.at < $2 GROUP BY 1, 2",
        group_code(recorded)
    );
    for row in query(sql).bind(recorded.trial).bind(until).fetch_all(store).await? {
        let [units] = counts(&row, 2)?;
        days.entry(row.try_get(1)?).or_default().push((Group::read(&row)?, Added::Exposed(units)));
    }
    Ok(())
}

/// Conversions by unit and day first; what a unit brought so far, day by day; then days by group.
async fn reached(
    store: &mut AnyConnection,
    recorded: &Recorded,
    until: i64,
    (goal, name): (usize, &str),
    days: &mut Days,
) -> Result<(), sqlx::Error> {
    let sql = format!(
        "WITH d AS (
           SELECT {} AS code, e.unit AS unit, c.at / {DAY} AS day, COUNT(*) AS times,
             CAST(COALESCE(SUM({VALUE}), 0) AS DOUBLE PRECISION) AS value
           FROM conversions c CROSS JOIN exposures e
           WHERE c.goal = $2 AND e.trial = $1 AND e.unit = c.unit AND c.at >= e.at AND c.at < {} AND c.at < $3
           GROUP BY e.unit, 1, 3),
         r AS (
           SELECT code, day, times, value, SUM(times) OVER so_far AS all_times, SUM(value) OVER so_far AS all_value
           FROM d WINDOW so_far AS (PARTITION BY unit ORDER BY day))
         SELECT code, day, CAST(SUM(CASE WHEN all_times = times THEN 1 ELSE 0 END) AS BIGINT),
           CAST(SUM(value) AS DOUBLE PRECISION),
           CAST(SUM(all_value * all_value - (all_value - value) * (all_value - value)) AS DOUBLE PRECISION)
         FROM r GROUP BY code, day",
        group_code(recorded),
        ends(recorded)
    );
    let select = query(sql).bind(recorded.trial).bind(name.to_owned()).bind(until);
    for row in select.fetch_all(store).await? {
        let ([units], [value, squares]) = (counts(&row, 2)?, numbers(&row, 3)?);
        let added = Added::Reached(goal, units, value, squares);
        days.entry(row.try_get(1)?).or_default().push((Group::read(&row)?, added));
    }
    Ok(())
}

/// Units by the day on which their time was over.
async fn settled(
    store: &mut AnyConnection,
    recorded: &Recorded,
    until: i64,
    (goal, after): (usize, i64),
    days: &mut Days,
) -> Result<(), sqlx::Error> {
    let sql = format!(
        "SELECT {}, (e.at + $3) / {DAY} AS day, COUNT(*), CAST(SUM(CASE WHEN {} THEN 1 ELSE 0 END) AS BIGINT)
         FROM exposures e WHERE e.trial = $1 AND e.at < $2 - $3 AND e.at <= {} - $3 GROUP BY 1, 2",
        group_code(recorded),
        bounce("$3"),
        ends(recorded)
    );
    for row in query(sql).bind(recorded.trial).bind(until).bind(after).fetch_all(store).await? {
        let [units, left] = counts(&row, 2)?;
        days.entry(row.try_get(1)?).or_default().push((Group::read(&row)?, Added::Settled(goal, units, left)));
    }
    Ok(())
}
