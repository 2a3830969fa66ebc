//! Rows of revisions, as they are read.

use flagstaff_flags::RevisionSource;
use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::revision::RecordedRevision;
use crate::store::query::query;

/// The columns of a revision, in their order.
pub(super) const COLUMNS: &str =
    "environment, number, revision, at, source, author, git_commit, why, place, changes, definitions, overlay";

pub(super) fn revision(row: &AnyRow) -> Result<RecordedRevision, sqlx::Error> {
    let environment: String = row.try_get(0)?;
    Ok(RecordedRevision {
        environment: (!environment.is_empty()).then_some(environment),
        number: row.try_get::<i64, _>(1)?.cast_unsigned(),
        revision: row.try_get(2)?,
        at: Timestamp::from_microsecond(row.try_get(3)?).unwrap_or(Timestamp::UNIX_EPOCH),
        source: row.try_get::<String, _>(4)?.parse::<RevisionSource>().ok(),
        by: row.try_get(5)?,
        commit: row.try_get(6)?,
        why: row.try_get(7)?,
        place: row.try_get(8)?,
        changes: row.try_get(9)?,
        definitions: row.try_get(10)?,
        overlay: row.try_get(11)?,
    })
}

/// The newest revision of an environment.
pub(super) async fn newest(
    store: &mut AnyConnection,
    environment: &str,
) -> Result<Option<RecordedRevision>, sqlx::Error> {
    let select = format!("SELECT {COLUMNS} FROM revisions WHERE environment = $1 ORDER BY number DESC LIMIT 1");
    let row = query(select).bind(environment.to_owned()).fetch_optional(store).await?;
    row.as_ref().map(revision).transpose()
}
