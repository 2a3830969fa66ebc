//! Tests that run in a file, and in PostgreSQL where it is installed: as the ledger makes its tables, and with the large ones spread by visitor.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use flagstaff_ledger::{FactStore, Location};
use sqlx::{AssertSqlSafe, Connection, Executor};

use crate::desk::block_on;

pub(crate) use crate::server::Server;

/// Runs a test in a new file, and in a new database where PostgreSQL is installed.
pub(crate) fn each_store(test: impl Fn(&Location)) {
    let folder = tempfile::tempdir().unwrap();
    test(&Location::file(&folder.path().join("a ledger?.db")).unwrap());
    match shared() {
        Some(server) => {
            test(&database(&server));
            test(&spread(&server));
        }
        None => eprintln!("SKIPPED for PostgreSQL, which is not installed; tests/postgresql unpacks it"),
    }
}

/// A new, empty database.
pub(crate) fn database(server: &Server) -> Location {
    Location::new(&server.database()).unwrap()
}

/// A new database whose clock differs from this machine's by so much: `+ interval '2 seconds'`.
pub(crate) fn with_clock(server: &Server, by: &str) -> Location {
    let address = server.database();
    let name = address.rsplit('/').next().unwrap().split('?').next().unwrap();
    let clock = format!(
        "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
         AS $$ SELECT pg_catalog.clock_timestamp() {by} $$"
    );
    // what is looked for in `public` first is found there
    let path = format!("ALTER DATABASE {name} SET search_path = public, pg_catalog");
    block_on(async {
        sqlx::any::install_default_drivers();
        let mut connection = sqlx::AnyConnection::connect(&address).await.unwrap();
        for sql in [clock, path] {
            connection.execute(AssertSqlSafe(sql)).await.unwrap();
        }
        connection.close().await.unwrap();
    });
    Location::new(&address).unwrap()
}

/// A new database whose large tables are spread by visitor, each key and each statement being such that it can be: PostgreSQL refuses a key
/// without the column by which a table is spread.
fn spread(server: &Server) -> Location {
    let address = server.database();
    let place = Location::new(&address).unwrap();
    block_on(async {
        FactStore::open(&place).await.unwrap().close().await;
        let mut connection = sqlx::AnyConnection::connect(&address).await.unwrap();
        connection.execute(include_str!("../../../../deploy/postgresql/partitions.sql")).await.unwrap();
        connection.close().await.unwrap();
    });
    place
}

/// The server that tests share while any of them needs it; each has a database of its own.
fn shared() -> Option<Arc<Server>> {
    static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let running = shared.upgrade().or_else(|| Server::start().map(Arc::new))?;
    *shared = Arc::downgrade(&running);
    Some(running)
}
