//! Rows for other programs: one per visitor, or one per day.

use std::time::Duration;

use flagstaff_flags::{Goal, Trigger};
use futures_util::{Stream, StreamExt};
use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use crate::read::group::{VALUE, bounce, micros};
use crate::read::ledger::Ledger;
use crate::store::error::Error;

/// What is exported of a flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Export {
    /// One row per unit: variant, when it was first met, what it did.
    Visitors,
    /// One row per day (UTC) and variant: units newly exposed, and what they have done since.
    Days,
}

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180, with a line of names first.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

/// One value of a row.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Text(String),
    Whole(i64),
    Number(f64),
    Truth(bool),
    Nothing,
}

impl Ledger {
    /// How many rows there will be of [`Export::Visitors`].
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn visitors(&mut self, flag: &str) -> Result<u64, Error> {
        let select = "SELECT COUNT(*) FROM exposures WHERE trial IN (SELECT trial FROM trials WHERE flag = $1)";
        let row = sqlx::query(select).bind(flag.to_owned()).fetch_one(self.connection()).await;
        let count = row.and_then(|row| row.try_get::<i64, _>(0)).map_err(|error| self.error(error))?;
        Ok(count.unsigned_abs())
    }

    /// The rows of a flag, each a line with its end. Nothing is held but the line that is being read.
    ///
    /// # Errors
    /// Each line may be one: the store does not answer.
    pub fn export<'a>(
        &'a mut self,
        flag: &str,
        goals: &[Goal],
        what: &Export,
        format: Format,
        now: Timestamp,
    ) -> impl Stream<Item = Result<String, Error>> + 'a {
        let columns = columns(what, goals);
        let head = match format {
            Format::Csv => Some(Ok(csv(columns.iter().map(|name| Value::Text(name.clone()))))),
            Format::JsonLines => None,
        };
        let mut select = sqlx::query(AssertSqlSafe(select(what, goals))).bind(flag.to_owned());
        select = select.bind(now.as_microsecond());
        for goal in goals {
            select = match bounce_time(goal) {
                None => select.bind(goal.name.to_string()),
                Some(after) => select.bind(micros(after)),
            };
        }
        let kinds = column_types(what, goals);
        let location = self.location().clone();
        let line = move |row: Result<AnyRow, sqlx::Error>| {
            let values = row.and_then(|row| read(&row, &kinds)).map_err(|error| Error::new(&location, error))?;
            Ok(match format {
                Format::Csv => csv(values.into_iter()),
                Format::JsonLines => json(&columns, &values),
            })
        };
        futures_util::stream::iter(head).chain(select.fetch(self.connection()).map(line))
    }
}

/// How long a second page may take, for a goal of bounces.
fn bounce_time(goal: &Goal) -> Option<Duration> {
    match goal.trigger {
        Trigger::Bounce { after } => Some(after),
        Trigger::Request { .. } | Trigger::Event(_) => None,
    }
}

/// What a column holds.
#[derive(Clone, Copy, PartialEq)]
enum ColumnType {
    Text,
    Whole,
    Number,
    Truth,
    Time,
    Day,
    /// The location of a variant among the names in the first column, which is not written.
    Variant,
}

fn fixed(what: &Export) -> &'static [(&'static str, ColumnType)] {
    match what {
        Export::Visitors => &[
            ("flag", ColumnType::Text),
            ("visitor", ColumnType::Text),
            ("variant", ColumnType::Variant),
            ("exposed_at", ColumnType::Time),
            ("confirmed", ColumnType::Truth),
            ("crossed_at", ColumnType::Time),
            ("step", ColumnType::Whole),
        ],
        Export::Days => &[
            ("flag", ColumnType::Text),
            ("day", ColumnType::Day),
            ("variant", ColumnType::Variant),
            ("visitors", ColumnType::Whole),
            ("confirmed", ColumnType::Whole),
            ("crossed", ColumnType::Whole),
        ],
    }
}

fn of_goal(what: &Export, goal: &Goal) -> Vec<(String, ColumnType)> {
    let name = goal.name.to_string();
    match (what, bounce_time(goal)) {
        (Export::Visitors, Some(_)) => vec![(name, ColumnType::Truth)],
        (Export::Days, Some(_)) => {
            vec![(name, ColumnType::Whole), (format!("{}_open", goal.name), ColumnType::Whole)]
        }
        (_, None) => vec![(name, ColumnType::Whole), (format!("{}_value", goal.name), ColumnType::Number)],
    }
}

fn all(what: &Export, goals: &[Goal]) -> Vec<(String, ColumnType)> {
    let fixed = fixed(what).iter().map(|(name, kind)| ((*name).to_owned(), *kind));
    fixed.chain(goals.iter().flat_map(|goal| of_goal(what, goal))).collect()
}

fn columns(what: &Export, goals: &[Goal]) -> Vec<String> {
    all(what, goals).into_iter().map(|(name, _)| name).collect()
}

fn column_types(what: &Export, goals: &[Goal]) -> Vec<ColumnType> {
    all(what, goals).into_iter().map(|(_, kind)| kind).collect()
}

/// The statement: names of variants first, then the columns. Goals are parameters from $3 on.
fn select(what: &Export, goals: &[Goal]) -> String {
    let per_unit = goals.iter().zip(3..).map(|(goal, at)| per_unit(goal, at));
    let of_goals: Vec<_> = per_unit.flatten().zip(0..).map(|(sql, at)| format!(", {sql} AS g{at}")).collect();
    // all that results count, however far ahead a clock was; only bounces ask for the time
    let from = "FROM exposures e JOIN trials t ON e.trial = t.trial WHERE t.flag = $1 AND $2 = $2";
    match what {
        Export::Visitors => format!(
            "SELECT t.variants, t.flag, e.unit, e.variant, e.at, e.confirmed, e.crossed, e.period {} {from}",
            of_goals.concat()
        ),
        Export::Days => {
            let sums = goals.iter().flat_map(|goal| match bounce_time(goal) {
                None => {
                    ["CAST(SUM(CASE WHEN {} > 0 THEN 1 ELSE 0 END) AS BIGINT)", "CAST(SUM({}) AS DOUBLE PRECISION)"]
                }
                Some(_) => [
                    "CAST(SUM(COALESCE({}, 0)) AS BIGINT)",
                    "CAST(SUM(CASE WHEN {} IS NULL THEN 1 ELSE 0 END) AS BIGINT)",
                ],
            });
            // a bounce is one column per unit, read twice
            let places = goals.iter().scan(0, |next, goal| {
                let first = *next;
                let is_bounce = bounce_time(goal).is_some();
                *next += if is_bounce { 1 } else { 2 };
                Some([first, if is_bounce { first } else { first + 1 }])
            });
            let sums =
                sums.zip(places.flatten()).map(|(sum, at)| format!(", {}", sum.replace("{}", &format!("g{at}"))));
            format!(
                "WITH u AS (SELECT t.variants AS variants, t.flag AS flag, e.at / 86400000000 AS day, e.variant AS variant,
                   e.confirmed AS confirmed, e.crossed AS crossed {} {from})
                 SELECT variants, flag, day, variant, COUNT(*), CAST(SUM(confirmed) AS BIGINT),
                   CAST(SUM(CASE WHEN crossed IS NULL THEN 0 ELSE 1 END) AS BIGINT) {}
                 FROM u GROUP BY variants, flag, day, variant ORDER BY day, variant",
                of_goals.concat(),
                sums.collect::<String>()
            )
        }
    }
}

/// What one unit did about a goal, as one or two columns.
fn per_unit(goal: &Goal, at: usize) -> Vec<String> {
    match bounce_time(goal) {
        None => {
            let of = format!("FROM conversions c WHERE c.goal = ${at} AND c.unit = e.unit AND c.at >= e.at");
            vec![
                format!("(SELECT COUNT(*) {of})"),
                format!("(SELECT CAST(COALESCE(SUM({VALUE}), 0) AS DOUBLE PRECISION) {of})"),
            ]
        }
        Some(_) => vec![format!(
            "CASE WHEN e.at > $2 - ${at} THEN NULL WHEN {} THEN 1 ELSE 0 END",
            bounce(&format!("${at}"))
        )],
    }
}

fn read(row: &AnyRow, kinds: &[ColumnType]) -> Result<Vec<Value>, sqlx::Error> {
    let names: String = row.try_get(0)?;
    let value = |(at, kind): (usize, &ColumnType)| -> Result<Value, sqlx::Error> {
        let whole = || row.try_get::<Option<i64>, _>(at + 1);
        Ok(match kind {
            ColumnType::Text => Value::Text(row.try_get(at + 1)?),
            ColumnType::Number => row.try_get::<Option<f64>, _>(at + 1)?.map_or(Value::Nothing, Value::Number),
            ColumnType::Whole => whole()?.map_or(Value::Nothing, Value::Whole),
            ColumnType::Truth => whole()?.map_or(Value::Nothing, |n| Value::Truth(n != 0)),
            ColumnType::Time => whole()?.map_or(Value::Nothing, |at| Value::Text(time(at))),
            ColumnType::Day => whole()?.map_or(Value::Nothing, |day| Value::Text(self::day(day))),
            ColumnType::Variant => {
                let number = whole()?.and_then(|n| usize::try_from(n).ok());
                let name = number.and_then(|number| names.split(',').nth(number));
                name.map_or(Value::Nothing, |name| Value::Text(name.into()))
            }
        })
    };
    kinds.iter().enumerate().map(value).collect()
}

fn time(micros: i64) -> String {
    Timestamp::from_microsecond(micros).map_or_else(|_| micros.to_string(), |time| format!("{time:.6}"))
}

fn day(day: i64) -> String {
    let start = Timestamp::from_second(day.saturating_mul(86_400));
    start.map_or_else(|_| day.to_string(), |start| start.to_string().chars().take(10).collect())
}

fn csv(values: impl Iterator<Item = Value>) -> String {
    let mut line = values.map(|value| match value {
        Value::Text(text) if text.contains([',', '"', '\n', '\r']) => {
            format!("\"{}\"", text.replace('"', "\"\""))
        }
        Value::Text(text) => text,
        Value::Whole(n) => n.to_string(),
        Value::Number(n) => n.to_string(),
        Value::Truth(truth) => truth.to_string(),
        Value::Nothing => String::new(),
    });
    let mut text = line.next().unwrap_or_default();
    for value in line {
        text.push(',');
        text.push_str(&value);
    }
    text.push('\n');
    text
}

fn json(columns: &[String], values: &[Value]) -> String {
    let pairs = columns.iter().zip(values).map(|(name, value)| {
        let value = match value {
            Value::Text(text) => serde_json::Value::from(text.as_str()),
            Value::Whole(n) => (*n).into(),
            Value::Number(n) => (*n).into(),
            Value::Truth(truth) => (*truth).into(),
            Value::Nothing => serde_json::Value::Null,
        };
        format!("{}:{value}", serde_json::Value::from(name.as_str()))
    });
    format!("{{{}}}\n", pairs.collect::<Vec<_>>().join(","))
}
