//! Stretches of time in which the shares of an experiment stayed the same.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::{AnyConnection, Row};

use crate::write::batch::Batch;
use crate::write::experiment::Experiment;

/// Requests that began with the shares before may still come for so long (µs).
const UNDER_WAY: i64 = 30_000_000;

/// The periods this process writes to, by trial.
#[derive(Default)]
pub(crate) struct Periods(HashMap<i64, KnownPeriods>);

/// The last two periods of a trial.
#[derive(Default)]
struct KnownPeriods {
    periods: Vec<Period>,
    /// The experiment that was found last to have the shares of the latest one: most exposures come with the same.
    of_latest: Option<Arc<Experiment>>,
}

#[derive(Clone, Debug)]
struct Period {
    arms: String,
    number: i64,
    began: i64,
}

/// A trial as the store numbers it.
pub(crate) fn id(experiment: &Experiment) -> i64 {
    experiment.trial().as_u64().cast_signed()
}

impl Periods {
    /// The period that holds at a time with these shares; none until it was opened.
    fn find(&mut self, experiment: &Arc<Experiment>, at: i64) -> Option<i64> {
        let known = self.0.get_mut(&id(experiment))?;
        let latest = known.periods.last()?;
        if known.of_latest.as_ref().is_some_and(|before| Arc::ptr_eq(before, experiment)) {
            return Some(latest.number);
        }
        let arms = experiment.arms_text();
        if latest.arms == arms {
            known.of_latest = Some(Arc::clone(experiment));
            return Some(latest.number);
        }
        let before = known.periods.iter().rev().nth(1)?;
        (before.arms == arms && at < latest.began + UNDER_WAY).then_some(before.number)
    }

    /// Gives every exposure of a batch its period, in the order of time, and opens or finds in the store those that are new.
    /// Each is a fact of its own, whatever becomes of the batch.
    pub(crate) async fn assign(&mut self, batch: &mut Batch, store: &mut AnyConnection) -> Result<(), sqlx::Error> {
        let mut exposures: Vec<_> =
            batch.exposures.values_mut().filter(|exposure| exposure.period.is_none()).collect();
        exposures.sort_by_key(|exposure| exposure.at);
        for exposure in exposures {
            let (experiment, at) = (&exposure.experiment, exposure.at);
            let number = match self.find(experiment, at) {
                Some(number) => number,
                None => self.open(experiment, at, store).await?,
            };
            exposure.period = Some(number);
        }
        Ok(())
    }

    async fn open(
        &mut self,
        experiment: &Experiment,
        at: i64,
        store: &mut AnyConnection,
    ) -> Result<i64, sqlx::Error> {
        let known = self.0.entry(id(experiment)).or_default();
        if known.periods.is_empty() {
            begin(experiment, at, store).await?;
        }
        let period = current(experiment, at, store).await?;
        let number = period.number;
        known.of_latest = None;
        known.periods.push(period);
        if known.periods.len() > 2 {
            known.periods.remove(0);
        }
        Ok(number)
    }
}

async fn begin(experiment: &Experiment, at: i64, store: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let insert = "INSERT INTO trials (trial, flag, bucket_by, variants, began) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    let insert = sqlx::query(insert).bind(id(experiment)).bind(experiment.flag().to_owned());
    let insert = insert.bind(experiment.bucket_by()).bind(experiment.variants()).bind(at);
    insert.execute(store).await.map(|_| ())
}

/// The store's latest period where it has these shares, else a new one. Of several instances that see the same change, one
/// opens the period and the others join it.
async fn current(experiment: &Experiment, at: i64, store: &mut AnyConnection) -> Result<Period, sqlx::Error> {
    let arms = experiment.arms_text();
    let latest = latest(experiment, store).await?;
    let number = match latest {
        Some(period) if period.arms == arms => return Ok(period),
        Some(period) => period.number + 1,
        None => 0,
    };
    let insert = "INSERT INTO periods (trial, period, arms, began) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    let insert = sqlx::query(insert).bind(id(experiment)).bind(number).bind(arms.clone()).bind(at);
    let inserted = insert.execute(&mut *store).await?.rows_affected() > 0;
    if inserted {
        return Ok(Period { arms, number, began: at });
    }
    Box::pin(current(experiment, at, store)).await
}

async fn latest(experiment: &Experiment, store: &mut AnyConnection) -> Result<Option<Period>, sqlx::Error> {
    let select = "SELECT arms, period, began FROM periods WHERE trial = $1 ORDER BY period DESC LIMIT 1";
    let row = sqlx::query(select).bind(id(experiment)).fetch_optional(store).await?;
    row.map(|row| Ok(Period { arms: row.try_get(0)?, number: row.try_get(1)?, began: row.try_get(2)? })).transpose()
}
