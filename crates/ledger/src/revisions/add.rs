//! A revision becomes a row, once for all programs that share the ledger.
//!
//! The rows of an environment are a log. Each program knows the row of the revision that it has in force. When it accepts another one, it first
//! looks for that one further on: another program was there before it. Only where it is not found a row is added.

use flagstaff_flags::RevisionSource;
use jiff::Timestamp;
use sqlx::{AnyConnection, Connection, Row};

use super::bounds::drop_oldest;
use super::packed;
use super::revision::{NewRevision, RecordedRevision};
use super::rows::newest;
use crate::store::connection::Store;
use crate::store::query::query;

/// How often another program may be first with a number.
const TRIES: usize = 10;

/// So long (µs) after an edit, programs of other environments that take its text know its author by it.
const SAME_EDIT: i64 = 10 * 60 * 1_000_000;

/// Sources of revisions that this program did not make.
const BY_HAND: &str = "('file', 'overlay')";

/// Where a revision is in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Added {
    /// The number of its row.
    pub(crate) number: i64,
    /// Whether the row is new.
    pub(crate) is_new: bool,
    /// Old revisions that went for it.
    pub(crate) dropped: u64,
}

/// Adds a revision, unless it is there: from the row `position` on, which is that of the revision in force before; without one, as the
/// newest of its time.
pub(crate) async fn add(store: &mut Store, new: &NewRevision, position: Option<i64>) -> Result<Added, sqlx::Error> {
    for _ in 0..TRIES {
        if let Some(added) = try_add(store, new, position).await? {
            return Ok(added);
        }
    }
    Err(sqlx::Error::Io(std::io::Error::new(
        std::io::ErrorKind::ResourceBusy,
        "other programs add revisions all the time",
    )))
}

async fn try_add(store: &mut Store, new: &NewRevision, position: Option<i64>) -> Result<Option<Added>, sqlx::Error> {
    let begin = store.begin();
    let mut transaction = store.connection.begin_with(begin).await?;
    let environment = new.environment.as_deref().unwrap_or_default();
    let before = newest(&mut transaction, environment).await?;
    if let Some(number) = found(&mut transaction, new, position, before.as_ref()).await? {
        transaction.rollback().await?;
        return Ok(Some(Added { number, is_new: false, dropped: 0 }));
    }
    let number = before.as_ref().map_or(1, |before| before.number.cast_signed() + 1);
    if !insert(&mut transaction, new, number, before.as_ref()).await? {
        transaction.rollback().await?;
        return Ok(None);
    }
    let dropped = drop_oldest(&mut transaction, environment, number).await?;
    transaction.commit().await?;
    Ok(Some(Added { number, is_new: true, dropped }))
}

/// The row that the revision has already.
async fn found(
    store: &mut AnyConnection,
    new: &NewRevision,
    position: Option<i64>,
    newest: Option<&RecordedRevision>,
) -> Result<Option<i64>, sqlx::Error> {
    let Some(newest) = newest else { return Ok(None) };
    let last = newest.number.cast_signed();
    let position = match position {
        Some(position) if position <= last => position,
        None if let Some(number) = in_its_time(store, new).await? => return Ok(Some(number)),
        _ => return Ok((newest.revision == new.revision).then_some(last)),
    };
    let select = "SELECT MIN(number) FROM revisions WHERE environment = $1 AND revision = $2 AND number >= $3";
    let select = sqlx::query(select).bind(new.environment.clone().unwrap_or_default()).bind(new.revision.clone());
    select.bind(position).fetch_one(store).await?.try_get(0)
}

/// The row of the revision, where it was the newest when the revision was accepted, or the next one: a program that has just started is not late because others
/// went on before its first row was written. What it began with may have been recorded after that, by a command that was about to edit it.
async fn in_its_time(store: &mut AnyConnection, new: &NewRevision) -> Result<Option<i64>, sqlx::Error> {
    let select = "SELECT number, revision FROM revisions WHERE environment = $1 AND number >=
                    (SELECT COALESCE(MAX(number), 0) FROM revisions WHERE environment = $1 AND at <= $2)
                  ORDER BY number LIMIT 2";
    let select = sqlx::query(select).bind(new.environment.clone().unwrap_or_default()).bind(new.at.as_microsecond());
    for row in select.fetch_all(store).await? {
        if row.try_get::<String, _>(1)? == new.revision {
            return row.try_get(0).map(Some);
        }
    }
    Ok(None)
}

/// Adds a row. Returns whether it did: not, where another program was first with its number.
async fn insert(
    store: &mut AnyConnection,
    new: &NewRevision,
    number: i64,
    before: Option<&RecordedRevision>,
) -> Result<bool, sqlx::Error> {
    let texts = match before {
        Some(before) => packed::read(store, &before.definitions, before.overlay.as_deref()).await?,
        None => None,
    };
    let changes = (new.compare)(texts.as_ref(), &new.texts);
    let definitions = packed::name(&new.texts.definitions);
    let is_same = before.is_some_and(|before| before.definitions == definitions);
    let made = if is_same { None } else { made_elsewhere(store, new, &definitions).await? };
    let (source, by, why) = made.unwrap_or_else(|| {
        let is_overlay = is_same && new.source == RevisionSource::File;
        let source = if is_overlay { RevisionSource::Overlay } else { new.source };
        (source.as_str().to_owned(), new.by.clone(), new.why.clone())
    });
    packed::keep(store, &new.texts.definitions).await?;
    if let Some(overlay) = &new.texts.overlay {
        packed::keep(store, overlay).await?;
    }
    let at = before.map_or(new.at, |before| new.at.max(before.at));
    let sql = "INSERT INTO revisions (environment, number, revision, at, source, author, git_commit, why, place,
                 definitions, overlay, flags, changes)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING";
    let row = sqlx::query(sql).bind(new.environment.clone().unwrap_or_default()).bind(number);
    let row = row.bind(new.revision.clone()).bind(at.as_microsecond()).bind(source).bind(text(&by));
    let row = row.bind(new.commit.as_deref().map(text)).bind(text(&why)).bind(text(&new.place)).bind(definitions);
    let row = row.bind(new.texts.overlay.as_deref().map(packed::name)).bind(listed(&changes.flags));
    Ok(row.bind(text(&changes.text)).execute(store).await?.rows_affected() > 0)
}

/// Who made an edit of the same flag file in another environment just now: source, person and reason.
async fn made_elsewhere(
    store: &mut AnyConnection,
    new: &NewRevision,
    definitions: &str,
) -> Result<Option<(String, String, String)>, sqlx::Error> {
    if new.source != RevisionSource::File || new.commit.is_some() {
        return Ok(None);
    }
    let select = "SELECT source, author, why FROM revisions
                  WHERE definitions = $1 AND environment <> $2 AND at >= $3 AND source IN ('command', 'admin')
                  ORDER BY at DESC LIMIT 1";
    let select = sqlx::query(select).bind(definitions.to_owned()).bind(new.environment.clone().unwrap_or_default());
    let row = select.bind(new.at.as_microsecond().saturating_sub(SAME_EDIT)).fetch_optional(store).await?;
    row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))).transpose()
}

/// Says of rows from a time on that this edit made them, where a running program was faster and took them for an edit by hand: of the same
/// environment those of the revision, of others those of the same flag file.
pub(super) async fn claim(store: &mut AnyConnection, new: &NewRevision, since: Timestamp) -> Result<(), sqlx::Error> {
    let sql = format!(
        "UPDATE revisions SET source = $1, author = $2, why = $3, git_commit = NULL
         WHERE at >= $4 AND source IN {BY_HAND} AND ((environment = $5 AND revision = $6)
           OR (environment <> $5 AND source = 'file' AND definitions = $7))"
    );
    let update = query(sql).bind(new.source.as_str()).bind(text(&new.by)).bind(text(&new.why));
    let update = update.bind(since.as_microsecond()).bind(new.environment.clone().unwrap_or_default());
    let update = update.bind(new.revision.clone()).bind(packed::name(&new.texts.definitions));
    update.execute(store).await.map(|_| ())
}

/// `,a,b,`: a name is found with the commas around it.
fn listed(flags: &[String]) -> String {
    if flags.is_empty() { String::new() } else { format!(",{},", flags.join(",")) }
}

/// PostgreSQL keeps no text with a NUL.
fn text(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
