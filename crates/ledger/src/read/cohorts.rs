//! An experiment by the week in which its units came first.

use std::collections::BTreeMap;

use flagstaff_experiment::{Cohort, Total};
use flagstaff_flags::{Goal, Trigger};
use jiff::Timestamp;
use sqlx::{AnyConnection, Row};

use crate::read::group::{DAY, VALUE, bounce, counts, micros, numbers};
use crate::read::ledger::Ledger;
use crate::read::question::Question;
use crate::read::recorded::{Recorded, find};
use crate::store::error::Error;
use crate::store::query::query;

const WEEK: i64 = 7 * DAY;
/// From the Monday before it to the beginning of 1970.
const MONDAY: i64 = 3 * DAY;

impl Ledger {
    /// What the units did that came first in each week (UTC, from Monday on), the oldest first: of those who met one variant and no other.
    /// All weeks together are the totals of [`Ledger::tally`].
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn cohorts(&mut self, question: &Question) -> Result<Vec<Cohort>, Error> {
        cohorts(self.connection(), question).await.map_err(|error| self.error(error))
    }
}

/// By week, goal and variant.
type Weeks = BTreeMap<i64, Vec<Vec<Total>>>;

async fn cohorts(store: &mut AnyConnection, question: &Question) -> Result<Vec<Cohort>, sqlx::Error> {
    let recorded = find(store, question).await?.filter(|recorded| !recorded.periods.is_empty());
    let Some(recorded) = recorded else {
        return Ok(Vec::new());
    };
    let mut weeks = Weeks::new();
    exposed(store, &recorded, question.goals.len(), &mut weeks).await?;
    for (goal, asked) in question.goals.iter().enumerate() {
        match asked.trigger {
            Trigger::Bounce { after } => {
                let times = (question.now.as_microsecond(), micros(after));
                bounced(store, &recorded, (goal, times), &mut weeks).await?;
            }
            Trigger::Request { .. } | Trigger::Event(_) => {
                reached(store, &recorded, (goal, asked), &mut weeks).await?;
            }
        }
    }
    let began = |week: i64| Timestamp::from_microsecond(week * WEEK - MONDAY).ok();
    Ok(weeks.into_iter().filter_map(|(week, goals)| Some(Cohort { began: began(week)?, goals })).collect())
}

/// The week of an exposure, and its variant.
fn place() -> String {
    format!("(e.at + {MONDAY}) / {WEEK} AS week, e.variant AS variant")
}

fn total(weeks: &mut Weeks, week: i64, goal: usize, variant: i64) -> Option<&mut Total> {
    weeks.get_mut(&week)?.get_mut(goal)?.get_mut(usize::try_from(variant).ok()?)
}

async fn exposed(
    store: &mut AnyConnection,
    recorded: &Recorded,
    goals: usize,
    weeks: &mut Weeks,
) -> Result<(), sqlx::Error> {
    let sql = format!(
        "SELECT {}, COUNT(*) FROM exposures e WHERE e.trial = $1 AND e.crossed IS NULL GROUP BY 1, 2",
        place()
    );
    for row in query(sql).bind(recorded.trial).fetch_all(store).await? {
        let (week, variant): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        let [units] = counts(&row, 2)?;
        let of_week =
            weeks.entry(week).or_insert_with(|| vec![vec![Total::default(); recorded.variants.len()]; goals]);
        let variant = usize::try_from(variant).unwrap_or(usize::MAX);
        of_week.iter_mut().filter_map(|goal| goal.get_mut(variant)).for_each(|total| total.visitors = units);
    }
    Ok(())
}

async fn reached(
    store: &mut AnyConnection,
    recorded: &Recorded,
    (goal, asked): (usize, &Goal),
    weeks: &mut Weeks,
) -> Result<(), sqlx::Error> {
    let sql = format!(
        "WITH u AS (
           SELECT {}, SUM({VALUE}) AS value FROM conversions c CROSS JOIN exposures e
           WHERE c.goal = $2 AND e.trial = $1 AND e.unit = c.unit AND c.at >= e.at AND e.crossed IS NULL
           GROUP BY e.unit, 1, 2)
         SELECT week, variant, COUNT(*), CAST(SUM(value) AS DOUBLE PRECISION) FROM u GROUP BY 1, 2",
        place()
    );
    for row in query(sql).bind(recorded.trial).bind(asked.name.to_string()).fetch_all(store).await? {
        let ([units], [value]) = (counts(&row, 2)?, numbers(&row, 3)?);
        if let Some(total) = total(weeks, row.try_get(0)?, goal, row.try_get(1)?) {
            total.conversions = units;
            total.sum = value;
        }
    }
    Ok(())
}

/// Those whose time is over, and those of them who had left.
async fn bounced(
    store: &mut AnyConnection,
    recorded: &Recorded,
    (goal, (now, after)): (usize, (i64, i64)),
    weeks: &mut Weeks,
) -> Result<(), sqlx::Error> {
    let sum = |condition: &str| format!("CAST(SUM(CASE WHEN {condition} THEN 1 ELSE 0 END) AS BIGINT)");
    let over = "e.at <= $2 - $3";
    let sql = format!(
        "SELECT {}, {}, {} FROM exposures e WHERE e.trial = $1 AND e.crossed IS NULL GROUP BY 1, 2",
        place(),
        sum(over),
        sum(&format!("{over} AND {}", bounce("$3")))
    );
    for row in query(sql).bind(recorded.trial).bind(now).bind(after).fetch_all(store).await? {
        let [settled, left] = counts(&row, 2)?;
        if let Some(total) = total(weeks, row.try_get(0)?, goal, row.try_get(1)?) {
            total.open = total.visitors.saturating_sub(settled);
            total.visitors = settled;
            total.conversions = left;
        }
    }
    Ok(())
}
