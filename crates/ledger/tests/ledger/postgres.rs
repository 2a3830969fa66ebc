//! Tests that run in a file, and in PostgreSQL where it is installed.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use flagstaff_ledger::Location;

pub(crate) use crate::server::Server;

/// Runs a test in a new file, and in a new database where PostgreSQL is installed.
pub(crate) fn each_store(test: impl Fn(&Location)) {
    let folder = tempfile::tempdir().unwrap();
    test(&Location::file(&folder.path().join("a ledger?.db")).unwrap());
    match shared() {
        Some(server) => test(&database(&server)),
        None => eprintln!("SKIPPED for PostgreSQL, which is not installed; tests/postgresql unpacks it"),
    }
}

/// A new, empty database.
pub(crate) fn database(server: &Server) -> Location {
    Location::new(&server.database()).unwrap()
}

/// The server that tests share while any of them needs it; each has a database of its own.
fn shared() -> Option<Arc<Server>> {
    static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let running = shared.upgrade().or_else(|| Server::start().map(Arc::new))?;
    *shared = Arc::downgrade(&running);
    Some(running)
}
