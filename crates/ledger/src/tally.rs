//! Rows become the counts an experiment is judged by.
//!
//! A unit belongs to the period in which it was first exposed. Within it the variants are compared as they were until the
//! shares changed: whoever came back afterwards may have been moved to another variant, and only one variant loses its
//! regulars to that. So conversions count for a period's comparison up to its end. The totals show something else: those who
//! met one variant and no other, with all they did.
//!
//! Who was first exposed after a change with a variant remembered from before it was drawn by shares nobody recorded. Of
//! those only who would have had the same variant all along are compared, in a step of their own.

use std::time::Duration;

use flagstaff_flags::Trial;
use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::ledger::{Error, Ledger};
use crate::query::query;
use crate::writer::micros;

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The flag.
    pub flag: String,
    /// Which of its experiments; none: the latest.
    pub trial: Option<Trial>,
    /// Its goals.
    pub goals: Vec<TallyGoal>,
    /// The time now: bounces are open until their time is over.
    pub now: Timestamp,
}

/// A goal, and how it is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TallyGoal {
    /// Its name.
    pub name: String,
    /// How it is counted.
    pub kind: GoalKind,
}

/// How a goal is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoalKind {
    /// Who reached it.
    Reached,
    /// Who looked at exactly one page within this time.
    Bounced(Duration),
}

/// What was counted of one experiment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Its variants, the control first.
    pub variants: Vec<VariantTally>,
    /// Steps with the same shares.
    pub steps: Vec<Step>,
    /// Per goal, per variant: what those did who met it and no other.
    pub goals: Vec<Vec<GoalTally>>,
    /// When it began; none: nothing was recorded.
    pub began: Option<Timestamp>,
    /// Units newly exposed in the last 24 hours, or as many a day as came since it began.
    pub per_day: f64,
}

/// Who met a variant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VariantTally {
    /// Its name.
    pub name: String,
    /// Units that met it and no other.
    pub visitors: u64,
    /// Those of them whose cookie came back.
    pub confirmed: u64,
    /// Units that met it first and another later.
    pub crossed: u64,
}

/// What the units of one variant did, over the whole experiment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GoalTally {
    /// Units for which it is settled.
    pub visitors: u64,
    /// Units that reached it.
    pub conversions: u64,
    /// The sum of values.
    pub sum: f64,
    /// Units for which it is not settled.
    pub open: u64,
}

/// Units first exposed with the same shares.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    /// Shares of the variants, in thousandths of a percent.
    pub shares: Vec<f64>,
    /// Units first exposed, per variant.
    pub exposed: Vec<u64>,
    /// Per goal, per variant: those who met no second one within the step.
    pub arms: Vec<Vec<Arm>>,
}

/// What the units of one variant did in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Arm {
    /// Units for which it is settled.
    pub visitors: u64,
    /// Units that reached it.
    pub conversions: u64,
    /// Σ value and Σ value² per unit.
    pub value: (f64, f64),
    /// Σ times and Σ times² per unit.
    pub times: (f64, f64),
    /// Σ value·times.
    pub value_times: f64,
    /// Σ value and Σ value² per unit before its exposure; none where no unit had any.
    pub before: Option<(f64, f64)>,
    /// Σ value·before.
    pub value_before: f64,
}

const DAY: i64 = 86_400_000_000;

impl Ledger {
    /// Counts one experiment.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn tally(&mut self, question: &Question) -> Result<Tally, Error> {
        count(self.connection(), question)
            .await
            .map_err(|error| self.error(error))
    }
}

/// One experiment as it is stored.
struct Recorded {
    trial: i64,
    variants: Vec<String>,
    began: i64,
    periods: Vec<Period>,
}

struct Period {
    /// From and to per variant.
    arms: Vec<(i64, i64)>,
    began: i64,
    ends: i64,
    /// The places a variant had in this and all earlier periods.
    unmoved: Vec<(i64, i64)>,
}

impl Period {
    /// Whether shares were the same all along, so that it does not matter when a variant was drawn.
    fn is_as_ever(&self) -> bool {
        self.arms == self.unmoved
    }
}

async fn find(store: &mut AnyConnection, question: &Question) -> Result<Option<Recorded>, sqlx::Error> {
    let select = "SELECT trial, variants, began FROM trials WHERE flag = $1 ORDER BY began DESC, trial";
    let rows = sqlx::query(select)
        .bind(question.flag.clone())
        .fetch_all(&mut *store)
        .await?;
    for row in rows {
        let trial: i64 = row.try_get(0)?;
        if question
            .trial
            .is_some_and(|wanted| wanted.as_u64().cast_signed() != trial)
        {
            continue;
        }
        let variants: String = row.try_get(1)?;
        let variants = variants.split(',').map(Into::into).collect();
        let periods = periods(store, trial).await?;
        return Ok(Some(Recorded {
            trial,
            variants,
            began: row.try_get(2)?,
            periods,
        }));
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
            Some(before) => before
                .unmoved
                .iter()
                .zip(&arms)
                .map(|(a, b)| (a.0.max(b.0), a.1.min(b.1)))
                .collect(),
            None => arms.clone(),
        };
        if let Some(before) = periods.last_mut() {
            before.ends = began;
        }
        periods.push(Period {
            arms,
            began,
            ends: i64::MAX,
            unmoved,
        });
    }
    Ok(periods)
}

fn read_arms(text: &str) -> Vec<(i64, i64)> {
    let arm = |arm: &str| {
        let (from, to) = arm.split_once('-')?;
        Some((from.parse().ok()?, to.parse().ok()?))
    };
    text.split(',')
        .map(|text| arm(text).unwrap_or_default())
        .collect()
}

/// Units that are counted together.
#[derive(Clone, Copy, Debug)]
struct Group {
    period: usize,
    variant: usize,
    /// Their variant was remembered, not drawn.
    held: bool,
    /// Their place had this variant all along.
    unmoved: bool,
    /// They met no other variant.
    clean: bool,
    /// They met no other variant within the period.
    clean_in_step: bool,
}

/// Columns of a [`Group`]; `ends` stands for the end of the period, `low` and `high` for the unmoved places.
const GROUP: &str = "e.period, e.variant, e.held,
    CASE WHEN e.place >= s.low AND e.place < s.high THEN 1 ELSE 0 END,
    CASE WHEN e.crossed IS NULL THEN 1 ELSE 0 END,
    CASE WHEN e.crossed IS NULL OR e.crossed >= s.ends THEN 1 ELSE 0 END";

impl Group {
    fn read(row: &AnyRow) -> Result<Self, sqlx::Error> {
        let number = |at: usize| row.try_get::<i64, _>(at);
        let is = |at: usize| number(at).map(|n| n != 0);
        Ok(Self {
            period: usize::try_from(number(0)?).unwrap_or(usize::MAX),
            variant: usize::try_from(number(1)?).unwrap_or(usize::MAX),
            held: is(2)?,
            unmoved: is(3)?,
            clean: is(4)?,
            clean_in_step: is(5)?,
        })
    }
}

/// The periods as rows that SQL can join: numbers of our own, so they are written into the text.
fn spans(recorded: &Recorded) -> String {
    let row = |(period, variant, ends, (low, high)): (usize, usize, i64, &(i64, i64))| {
        format!("({period}, {variant}, {ends}, {low}, {high})")
    };
    let periods = recorded.periods.iter().enumerate();
    let rows = periods.flat_map(|(number, period)| {
        let variants = period.unmoved.iter().enumerate();
        variants.map(move |(variant, unmoved)| row((number, variant, period.ends, unmoved)))
    });
    format!(
        "WITH s(period, variant, ends, low, high) AS (VALUES {})",
        rows.collect::<Vec<_>>().join(", ")
    )
}

const JOINED: &str = "exposures e JOIN s ON e.period = s.period AND e.variant = s.variant";

async fn count(store: &mut AnyConnection, question: &Question) -> Result<Tally, sqlx::Error> {
    let Some(recorded) = find(store, question).await? else {
        return Ok(Tally::default());
    };
    if recorded.periods.is_empty() {
        return Ok(Tally::default());
    }
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

/// A tally in the making.
struct Sums<'a> {
    recorded: &'a Recorded,
    tally: Tally,
    /// Place of each period's step, and of the step of those held, where that is another.
    steps: Vec<(usize, usize)>,
}

impl<'a> Sums<'a> {
    fn new(recorded: &'a Recorded, goals: usize) -> Self {
        let variants = recorded.variants.len();
        let mut tally = Tally {
            variants: recorded
                .variants
                .iter()
                .map(|name| VariantTally {
                    name: name.clone(),
                    ..Default::default()
                })
                .collect(),
            goals: vec![vec![GoalTally::default(); variants]; goals],
            ..Tally::default()
        };
        let mut steps = Vec::new();
        let widths = |arms: &[(i64, i64)]| arms.iter().map(|(from, to)| (to - from).max(0) as f64).collect();
        let step = |shares: Vec<f64>| Step {
            shares,
            exposed: vec![0; variants],
            arms: vec![vec![Arm::default(); variants]; goals],
        };
        for period in &recorded.periods {
            let drawn = tally.steps.len();
            tally.steps.push(step(widths(&period.arms)));
            if !period.is_as_ever() {
                tally.steps.push(step(widths(&period.unmoved)));
            }
            steps.push((drawn, tally.steps.len() - 1));
        }
        Self {
            recorded,
            tally,
            steps,
        }
    }

    /// The step a group is compared in; none for those it cannot be told of which shares drew them.
    fn step(&mut self, group: Group) -> Option<&mut Step> {
        let (drawn, held) = *self.steps.get(group.period)?;
        let is_fit = !group.held || drawn == held || group.unmoved;
        self.tally
            .steps
            .get_mut(if group.held { held } else { drawn })
            .filter(|_| is_fit)
    }

    fn arm(&mut self, group: Group, goal: usize) -> Option<&mut Arm> {
        self.step(group)
            .filter(|_| group.clean_in_step)?
            .arms
            .get_mut(goal)?
            .get_mut(group.variant)
    }

    fn total(&mut self, group: Group, goal: usize) -> Option<&mut GoalTally> {
        self.tally
            .goals
            .get_mut(goal)
            .filter(|_| group.clean)?
            .get_mut(group.variant)
    }
}

/// Whole numbers of a row, from a column on.
fn counts<const N: usize>(row: &AnyRow, from: usize) -> Result<[u64; N], sqlx::Error> {
    let mut all = [0; N];
    for (at, slot) in all.iter_mut().enumerate() {
        *slot = row.try_get::<i64, _>(from + at)?.max(0).unsigned_abs();
    }
    Ok(all)
}

fn numbers<const N: usize>(row: &AnyRow, from: usize) -> Result<[f64; N], sqlx::Error> {
    let mut all = [0.0; N];
    for (at, slot) in all.iter_mut().enumerate() {
        *slot = row.try_get(from + at)?;
    }
    Ok(all)
}

async fn exposed(
    store: &mut AnyConnection,
    recorded: &Recorded,
    now: i64,
    sums: &mut Sums<'_>,
) -> Result<(), sqlx::Error> {
    let sql = format!(
        "{} SELECT {GROUP}, COUNT(*), CAST(SUM(e.confirmed) AS BIGINT),
           CAST(SUM(CASE WHEN e.at >= $2 THEN 1 ELSE 0 END) AS BIGINT)
         FROM {JOINED} WHERE e.trial = $1 GROUP BY 1, 2, 3, 4, 5, 6",
        spans(recorded)
    );
    let rows = query(sql)
        .bind(recorded.trial)
        .bind(now - DAY)
        .fetch_all(store)
        .await?;
    let mut recent = 0;
    for row in rows {
        let (group, [all, confirmed, of_late]) = (Group::read(&row)?, counts(&row, 6)?);
        recent += of_late;
        if let Some(variant) = sums.tally.variants.get_mut(group.variant) {
            variant.visitors += if group.clean { all } else { 0 };
            variant.confirmed += if group.clean { confirmed } else { 0 };
            variant.crossed += if group.clean { 0 } else { all };
        }
        if let Some(exposed) = sums
            .step(group)
            .and_then(|step| step.exposed.get_mut(group.variant))
        {
            *exposed += all;
        }
        for goal in 0..sums.tally.goals.len() {
            if let Some(arm) = sums.arm(group, goal) {
                arm.visitors += all;
            }
            if let Some(total) = sums.total(group, goal) {
                total.visitors += all;
            }
        }
    }
    let first = sums.recorded.periods.first().map_or(now, |period| period.began);
    // at least a minute: the first visitors of a test say little of a day
    sums.tally.per_day = recent as f64 * DAY as f64 / (now - first).clamp(60_000_000, DAY) as f64;
    Ok(())
}

/// Conversions by unit first, then units by group: those before the exposure, those within the step, and all after it.
async fn reached(
    store: &mut AnyConnection,
    recorded: &Recorded,
    (goal, name): (usize, &str),
    sums: &mut Sums<'_>,
) -> Result<(), sqlx::Error> {
    let sql = format!(
        "{}, c AS (
           SELECT {GROUP},
             SUM(CASE WHEN c.at >= e.at THEN 1 ELSE 0 END),
             SUM(CASE WHEN c.at >= e.at THEN COALESCE(c.value, 0) ELSE 0 END),
             SUM(CASE WHEN c.at >= e.at AND c.at < s.ends THEN 1 ELSE 0 END),
             SUM(CASE WHEN c.at >= e.at AND c.at < s.ends THEN COALESCE(c.value, 0) ELSE 0 END),
             SUM(CASE WHEN c.at < e.at THEN COALESCE(c.value, 0) ELSE 0 END)
           FROM conversions c CROSS JOIN {JOINED}
           WHERE c.goal = $2 AND e.trial = $1 AND e.unit = c.unit
           GROUP BY e.unit, 1, 2, 3, 4, 5, 6),
         u(period, variant, held, unmoved, clean, in_step, all_times, all_value, times, value, past) AS (SELECT * FROM c)
         SELECT period, variant, held, unmoved, clean, in_step,
           CAST(SUM(CASE WHEN all_times > 0 THEN 1 ELSE 0 END) AS BIGINT),
           CAST(SUM(CASE WHEN times > 0 THEN 1 ELSE 0 END) AS BIGINT),
           CAST(SUM(CASE WHEN past <> 0 THEN 1 ELSE 0 END) AS BIGINT),
           {}
         FROM u GROUP BY 1, 2, 3, 4, 5, 6",
        spans(recorded),
        ["all_value", "value", "value * value", "times", "times * times", "value * times", "past", "past * past", "value * past"]
            .map(|sum| format!("CAST(SUM({sum}) AS DOUBLE PRECISION)"))
            .join(", ")
    );
    let rows = query(sql)
        .bind(recorded.trial)
        .bind(name.to_owned())
        .fetch_all(store)
        .await?;
    for row in rows {
        let (group, [converters, in_step, with_past]) = (Group::read(&row)?, counts(&row, 6)?);
        let [
            all_value,
            value,
            value_sq,
            times,
            times_sq,
            value_times,
            past,
            past_sq,
            value_past,
        ] = numbers(&row, 9)?;
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

/// Those whose time is over: within the step for the comparison, by now for the totals. A second page settles it early for
/// some, but only waiting for everybody treats all alike.
async fn bounced(
    store: &mut AnyConnection,
    recorded: &Recorded,
    (goal, after): (usize, Duration),
    now: i64,
    sums: &mut Sums<'_>,
) -> Result<(), sqlx::Error> {
    let sql = format!(
        "{} SELECT {GROUP},
           CAST(SUM(CASE WHEN e.at <= $2 - $3 THEN 1 ELSE 0 END) AS BIGINT),
           CAST(SUM(CASE WHEN e.at <= $2 - $3 AND e.page1 <= e.at + $3 AND (e.page2 IS NULL OR e.page2 > e.at + $3)
                THEN 1 ELSE 0 END) AS BIGINT),
           CAST(SUM(CASE WHEN e.at <= $2 - $3 AND e.at <= s.ends - $3 THEN 1 ELSE 0 END) AS BIGINT),
           CAST(SUM(CASE WHEN e.at <= $2 - $3 AND e.at <= s.ends - $3 AND e.page1 <= e.at + $3
                AND (e.page2 IS NULL OR e.page2 > e.at + $3) THEN 1 ELSE 0 END) AS BIGINT),
           COUNT(*)
         FROM {JOINED} WHERE e.trial = $1 GROUP BY 1, 2, 3, 4, 5, 6",
        spans(recorded)
    );
    let after = i64::try_from(after.as_micros())
        .unwrap_or(i64::MAX / 4)
        .min(i64::MAX / 4);
    let rows = query(sql)
        .bind(recorded.trial)
        .bind(now)
        .bind(after)
        .fetch_all(store)
        .await?;
    for row in rows {
        let (group, [settled, bounces, in_step, bounces_in_step, all]) =
            (Group::read(&row)?, counts(&row, 6)?);
        if let Some(total) = sums.total(group, goal) {
            total.visitors = total.visitors - all + settled;
            total.open += all - settled;
            total.conversions += bounces;
        }
        if let Some(arm) = sums.arm(group, goal) {
            arm.visitors = arm.visitors - all + in_step;
            arm.conversions += bounces_in_step;
        }
    }
    Ok(())
}
