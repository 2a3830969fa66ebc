//! An experiment as it is stored.

use sqlx::{AnyConnection, Row};

use crate::read::question::Question;

/// One experiment as it is stored.
pub(crate) struct Recorded {
    pub(crate) trial: i64,
    pub(crate) variants: Vec<String>,
    pub(crate) began: i64,
    pub(crate) periods: Vec<Period>,
}

pub(crate) struct Period {
    /// From and to per variant.
    pub(crate) arms: Vec<(i64, i64)>,
    pub(crate) began: i64,
    pub(crate) ends: i64,
    /// The places a variant had in this and all earlier periods.
    pub(crate) unmoved: Vec<(i64, i64)>,
}

impl Period {
    /// Whether shares were the same all along, so that it does not matter when a variant was drawn.
    pub(crate) fn is_as_ever(&self) -> bool {
        self.arms == self.unmoved
    }
}

pub(crate) async fn find(store: &mut AnyConnection, question: &Question) -> Result<Option<Recorded>, sqlx::Error> {
    let select = "SELECT trial, variants, began FROM trials WHERE flag = $1 ORDER BY began DESC, trial";
    let rows = sqlx::query(select).bind(question.flag.clone()).fetch_all(&mut *store).await?;
    for row in rows {
        let trial: i64 = row.try_get(0)?;
        if question.trial.is_some_and(|wanted| wanted.as_u64().cast_signed() != trial) {
            continue;
        }
        let variants: String = row.try_get(1)?;
        let variants = variants.split(',').map(Into::into).collect();
        let periods = periods(store, trial).await?;
        return Ok(Some(Recorded { trial, variants, began: row.try_get(2)?, periods }));
    }
    Ok(None)
}

async fn periods(store: &mut AnyConnection, trial: i64) -> Result<Vec<Period>, sqlx::Error> {
    let select = "SELECT arms, began FROM periods WHERE trial = $1 ORDER BY period";
    let rows = sqlx::query(select).bind(trial).fetch_all(store).await?;
    let mut periods: Vec<Period> = Vec::new();
    for row in rows {
        let (arms, began): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
        let arms = read_arms(&arms);
        let unmoved = match periods.last() {
            Some(before) => before.unmoved.iter().zip(&arms).map(|(a, b)| (a.0.max(b.0), a.1.min(b.1))).collect(),
            None => arms.clone(),
        };
        if let Some(before) = periods.last_mut() {
            before.ends = began;
        }
        periods.push(Period { arms, began, ends: i64::MAX, unmoved });
    }
    Ok(periods)
}

fn read_arms(text: &str) -> Vec<(i64, i64)> {
    let arm = |arm: &str| {
        let (from, to) = arm.split_once('-')?;
        Some((from.parse().ok()?, to.parse().ok()?))
    };
    text.split(',').map(|text| arm(text).unwrap_or_default()).collect()
}
