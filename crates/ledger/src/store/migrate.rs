//! Tables are brought up to date, while programs of other versions use them.

use sqlx::migrate::{Migrate, MigrateError};
use sqlx::{AnyConnection, Connection, Executor};

use crate::store::fault::Fault;
use crate::store::schema::migrator;

/// How long one program waits for another that changes the tables.
const TURN: &str = "SET lock_timeout = '10s'";
/// How long a change waits for those who use a table: who comes after it waits behind it, so a long reader must not stop all writers.
const CHANGE: &str = "SET lock_timeout = '1s'";
const NO_LIMIT: &str = "RESET lock_timeout";

/// Makes the changes that this version knows and the tables do not have yet. Those of later versions are theirs: they only add, so an
/// older program goes on beside a newer one.
pub(crate) async fn update(connection: &mut AnyConnection, is_file: bool) -> Result<(), sqlx::Error> {
    if is_up_to_date(connection, is_file).await? {
        return Ok(());
    }
    let done = if is_file { update_file(connection).await } else { update_database(connection).await };
    done.map_err(|error| match error {
        // what the store says decides what to do about it
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error,
        other => other.into(),
    })
}

/// Whether there is nothing to do. It needs no lock, and no right but to read.
async fn is_up_to_date(connection: &mut AnyConnection, is_file: bool) -> Result<bool, sqlx::Error> {
    let select = sqlx::query_scalar::<_, i64>("SELECT version FROM _sqlx_migrations WHERE success");
    match select.fetch_all(connection).await {
        Ok(done) => Ok(migrator(is_file).iter().all(|change| done.contains(&change.version))),
        Err(error) if Fault::of(&error) == Fault::NoTables => Ok(false),
        Err(error) => Err(error),
    }
}

/// Of several who begin one file at once, each has its turn.
async fn update_file(connection: &mut AnyConnection) -> Result<(), MigrateError> {
    let mut turn = connection.begin_with("BEGIN IMMEDIATE").await?;
    migrator(true).run(&mut *turn).await?;
    Ok(turn.commit().await?)
}

/// One program at a time makes changes, each in a transaction of its own. After an error the connection is closed, which ends its turn.
async fn update_database(connection: &mut AnyConnection) -> Result<(), MigrateError> {
    connection.execute(TURN).await?;
    connection.lock().await?;
    connection.execute(CHANGE).await?;
    migrator(false).set_locking(false).run(&mut *connection).await?;
    connection.unlock().await?;
    connection.execute(NO_LIMIT).await?;
    Ok(())
}
