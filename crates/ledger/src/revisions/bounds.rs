//! How many revisions are kept. A disk does not fill up with flag files.

use sqlx::{AnyConnection, Row};

/// Revisions that are kept of one environment.
pub(super) const KEPT_REVISIONS: i64 = 10_000;

/// Bytes of packed texts that are kept of all environments.
pub(super) const KEPT_BYTES: i64 = 64 * 1024 * 1024;

/// Where there are too many bytes, this part of the revisions goes at once.
const PART: i64 = 20;

/// Deletes the oldest revisions beyond the bounds, and texts that no revision needs any more. The newest of each environment stays. Returns
/// how many revisions went.
pub(super) async fn drop_oldest(
    store: &mut AnyConnection,
    environment: &str,
    newest: i64,
) -> Result<u64, sqlx::Error> {
    within(store, (environment, newest), KEPT_REVISIONS, KEPT_BYTES).await
}

async fn within(
    store: &mut AnyConnection,
    (environment, newest): (&str, i64),
    most: i64,
    bytes: i64,
) -> Result<u64, sqlx::Error> {
    let delete = "DELETE FROM revisions WHERE environment = $1 AND number <= $2";
    let delete = sqlx::query(delete).bind(environment.to_owned()).bind(newest - most);
    let mut gone = delete.execute(&mut *store).await?.rows_affected();
    let mut texts_to_check = gone > 0;
    loop {
        if texts_to_check {
            drop_texts(store).await?;
        }
        let more = if size(store).await? > bytes { drop_part(store).await? } else { 0 };
        if more == 0 {
            return Ok(gone);
        }
        gone += more;
        texts_to_check = true;
    }
}

async fn size(store: &mut AnyConnection) -> Result<i64, sqlx::Error> {
    let select = "SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM revision_texts";
    sqlx::query(select).fetch_one(store).await?.try_get(0)
}

/// Deletes a part of each environment's revisions, the oldest ones.
async fn drop_part(store: &mut AnyConnection) -> Result<u64, sqlx::Error> {
    let select = "SELECT environment, MIN(number), MAX(number) FROM revisions GROUP BY environment";
    let mut gone = 0;
    for row in sqlx::query(select).fetch_all(&mut *store).await? {
        let (environment, first, last): (String, i64, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let until = (first + (last - first) / PART).min(last - 1);
        let delete = sqlx::query("DELETE FROM revisions WHERE environment = $1 AND number <= $2");
        gone += delete.bind(environment).bind(until).execute(&mut *store).await?.rows_affected();
    }
    Ok(gone)
}

async fn drop_texts(store: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let delete = "DELETE FROM revision_texts WHERE text NOT IN
                  (SELECT definitions FROM revisions UNION SELECT overlay FROM revisions WHERE overlay IS NOT NULL)";
    sqlx::query(delete).execute(store).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use sqlx::{Connection, Executor};

    use super::*;
    use crate::store::schema::migrator;

    async fn numbers(store: &mut AnyConnection, environment: &str) -> (i64, i64) {
        let select = "SELECT MIN(number), MAX(number) FROM revisions WHERE environment = $1";
        let row = sqlx::query(select).bind(environment.to_owned()).fetch_one(store).await.unwrap();
        (row.get(0), row.get(1))
    }

    #[test]
    fn the_oldest_go_and_the_newest_stays() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            sqlx::any::install_default_drivers();
            let mut store = AnyConnection::connect("sqlite::memory:").await.unwrap();
            migrator(true).run(&mut store).await.unwrap();
            let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
                        INSERT INTO revisions SELECT '', i, i, i, 'file', '', NULL, '', '', 't' || i, NULL, '', '' FROM n";
            store.execute(many).await.unwrap();
            store.execute("INSERT INTO revisions SELECT 'test', number, revision, at, source, author, git_commit, why, place, definitions, 'o', flags, changes FROM revisions WHERE number = 7").await.unwrap();
            store.execute("INSERT INTO revision_texts SELECT definitions, 10, x'00' FROM revisions WHERE environment = '' UNION SELECT 'o', 10, x'00'").await.unwrap();
            assert_eq!(within(&mut store, ("", 100), 100, 10_000).await.unwrap(), 0);
            assert_eq!(within(&mut store, ("", 100), 60, 10_000).await.unwrap(), 40);
            assert_eq!(numbers(&mut store, "").await, (41, 100));
            assert_eq!(size(&mut store).await.unwrap(), 620, "60 of one environment, two of the other");
            let gone = within(&mut store, ("", 100), 60, 300).await.unwrap();
            let (first, last) = numbers(&mut store, "").await;
            assert!(size(&mut store).await.unwrap() <= 300 && last == 100, "{first} to {last}");
            assert_eq!((gone.cast_signed(), numbers(&mut store, "test").await), (first - 41, (7, 7)));
            within(&mut store, ("", 100), 60, 0).await.unwrap();
            assert_eq!(numbers(&mut store, "").await, (100, 100), "the newest stays whatever its size");
        });
    }
}
