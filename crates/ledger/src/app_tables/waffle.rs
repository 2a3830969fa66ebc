//! The tables of django-waffle.

use std::collections::HashMap;
use std::fmt::{self, Write as _};

use serde_json::{Map, Value};
use sqlx::{Executor, Row};

use crate::store::connection::{Store, in_time};
use crate::store::location::Location;
use crate::store::query::query;

/// Rows of one table. A flag of waffle has a row, and each user or group of a flag.
const MOST_ROWS: i64 = 200_000;

/// A model of waffle and its table.
const MODELS: [(&str, &str); 3] =
    [("waffle.flag", "waffle_flag"), ("waffle.switch", "waffle_switch"), ("waffle.sample", "waffle_sample")];
/// Whom a flag names: the key in the dump, the table, its column, and whether that is the id of a group.
const NAMED: [(&str, &str, &str, bool); 2] =
    [("users", "waffle_flag_users", "user_id", false), ("groups", "waffle_flag_groups", "group_id", true)];

/// Why the tables cannot be read.
#[derive(Debug)]
pub enum TablesError {
    /// There is no such file.
    NoFile(Location),
    /// The database has no flags of waffle.
    NoTable(Location),
    /// More rows than are read.
    TooMany(&'static str),
    /// The database gives no answer.
    Away {
        /// Where it is.
        location: Location,
        /// What it says.
        why: String,
    },
}

impl fmt::Display for TablesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFile(location) => write!(f, "there is no file {location}"),
            Self::NoTable(location) => write!(
                f,
                "{location} has no table `waffle_flag`: is it the app's database, and were its migrations applied? Where WAFFLE_FLAG_MODEL names a model of the app's own, write it with `manage.py dumpdata`"
            ),
            Self::TooMany(table) => write!(f, "the table `{table}` has more than {MOST_ROWS} rows"),
            Self::Away { location, why } => write!(f, "the database {location} gives no answer: {why}"),
        }
    }
}

// what the database says is part of the message already
impl std::error::Error for TablesError {}

/// One database, being read.
struct Reading<'l> {
    store: Store,
    location: &'l Location,
}

/// What an app's database has of flags, switches and samples, as `manage.py dumpdata waffle` writes it, with groups by their names.
///
/// # Errors
/// When it cannot be read, or has no table of waffle's.
pub async fn waffle_dump(location: &Location) -> Result<String, TablesError> {
    if location.path().is_some_and(|path| !path.is_file()) {
        return Err(TablesError::NoFile(location.clone()));
    }
    let store = Store::open_to_read(location).await.map_err(|error| away(location, &error))?;
    let mut reading = Reading { store, location };
    let dump = reading.dump().await;
    let _ = reading.store.connection.execute("ROLLBACK").await;
    reading.store.close().await;
    Ok(Value::Array(dump?).to_string())
}

impl Reading<'_> {
    async fn dump(&mut self) -> Result<Vec<Value>, TablesError> {
        let begin = self.store.begin_to_read();
        in_time(self.store.connection.execute(begin)).await.map_err(|error| away(self.location, &error))?;
        if self.columns("waffle_flag").await?.is_empty() {
            return Err(TablesError::NoTable(self.location.clone()));
        }
        let mut named = HashMap::new();
        for (key, table, column, is_group) in NAMED {
            named.insert(key, self.named(table, column, is_group).await?);
        }
        let mut all = Vec::new();
        for (model, table) in MODELS {
            for mut fields in self.rows(table, "id").await? {
                let id = fields.remove("id").unwrap_or_default();
                if model == "waffle.flag" {
                    let of = |key: &str| named.get(key).and_then(|all| all.get(&id.to_string())).cloned();
                    NAMED.iter().for_each(|(key, ..)| {
                        drop(fields.insert((*key).into(), Value::Array(of(key).unwrap_or_default())));
                    });
                }
                all.push(Value::Object(Map::from_iter([
                    ("model".into(), model.into()),
                    ("pk".into(), id),
                    ("fields".into(), Value::Object(fields)),
                ])));
            }
        }
        Ok(all)
    }

    /// Whom flags name, by the flag's id: users by their keys, groups by their names.
    async fn named(
        &mut self,
        table: &'static str,
        column: &str,
        is_group: bool,
    ) -> Result<HashMap<String, Vec<Value>>, TablesError> {
        let mut names = HashMap::new();
        if is_group {
            for mut group in self.rows("auth_group", "id").await? {
                let id = group.remove("id").unwrap_or_default().to_string();
                names.insert(id, group.remove("name").unwrap_or_default());
            }
        }
        let mut all: HashMap<String, Vec<Value>> = HashMap::new();
        for row in self.rows(table, "id").await? {
            let (Some(flag), Some(who)) = (row.get("flag_id"), row.get(column)) else { continue };
            let who = match names.get(&who.to_string()) {
                // as a natural key stands in a dump
                Some(name) => Value::Array(vec![name.clone()]),
                None => who.clone(),
            };
            all.entry(flag.to_string()).or_default().push(who);
        }
        Ok(all)
    }

    /// The rows of a table as objects, in order; none where there is no such table.
    async fn rows(&mut self, table: &'static str, order: &str) -> Result<Vec<Map<String, Value>>, TablesError> {
        let columns = self.columns(table).await?;
        if columns.is_empty() {
            return Ok(Vec::new());
        }
        let object = if self.is_file() { object_of(&columns) } else { "CAST(row_to_json(of_table) AS TEXT)".into() };
        let sql = format!("SELECT {object} FROM {table} of_table ORDER BY of_table.{order} LIMIT {}", MOST_ROWS + 1);
        let texts = self.texts(sql).await?;
        if i64::try_from(texts.len()).is_ok_and(|rows| rows > MOST_ROWS) {
            return Err(TablesError::TooMany(table));
        }
        Ok(texts.iter().filter_map(|text| serde_json::from_str(text).ok()).collect())
    }

    /// The columns of a table; none where there is no such table.
    async fn columns(&mut self, table: &str) -> Result<Vec<String>, TablesError> {
        let sql = if self.is_file() {
            format!("SELECT name FROM pragma_table_info('{table}')")
        } else {
            format!(
                "SELECT CAST(attname AS TEXT) FROM pg_attribute WHERE attrelid = to_regclass('{table}') AND attnum > 0 AND NOT attisdropped"
            )
        };
        self.texts(sql).await
    }

    /// The first column of each row, of a statement made of names of this file and columns of the table.
    async fn texts(&mut self, sql: String) -> Result<Vec<String>, TablesError> {
        let read = async {
            let rows = query(sql).fetch_all(&mut self.store.connection).await?;
            rows.iter().map(|row| row.try_get::<String, _>(0)).collect()
        };
        in_time(read).await.map_err(|error| away(self.location, &error))
    }

    fn is_file(&self) -> bool {
        self.location.path().is_some()
    }
}

/// A row of SQLite as an object.
fn object_of(columns: &[String]) -> String {
    let mut pairs = String::new();
    for column in columns {
        let join = if pairs.is_empty() { "" } else { ", " };
        let (text, name) = (column.replace('\'', "''"), column.replace('"', "\"\""));
        let _ = write!(pairs, "{join}'{text}', of_table.\"{name}\"");
    }
    format!("CAST(json_object({pairs}) AS TEXT)")
}

fn away(location: &Location, error: &sqlx::Error) -> TablesError {
    TablesError::Away { location: location.clone(), why: error.to_string() }
}
