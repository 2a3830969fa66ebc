//! Tables of an app's own database: those of django-waffle, in SQLite and in PostgreSQL.

use flagstaff_ledger::{Location, TablesError, waffle_dump};
use serde_json::{Value, json};
use sqlx::{AnyConnection, Connection, Executor};

use crate::desk::block_on;
use crate::postgres::database;
use crate::server::Server;

/// As Django's migrations make them, as far as anything here looks at it.
const TABLES: [&str; 6] = [
    "CREATE TABLE auth_group (id BIGINT PRIMARY KEY, name VARCHAR(150) NOT NULL)",
    "CREATE TABLE waffle_flag (id BIGINT PRIMARY KEY, name VARCHAR(100) NOT NULL, everyone BOOLEAN, percent NUMERIC(3, 1), superusers BOOLEAN NOT NULL, languages TEXT NOT NULL, created TIMESTAMP NOT NULL)",
    "CREATE TABLE waffle_flag_groups (id BIGINT PRIMARY KEY, flag_id BIGINT NOT NULL, group_id BIGINT NOT NULL)",
    "CREATE TABLE waffle_flag_users (id BIGINT PRIMARY KEY, flag_id BIGINT NOT NULL, user_id BIGINT NOT NULL)",
    "CREATE TABLE waffle_switch (id BIGINT PRIMARY KEY, name VARCHAR(100) NOT NULL, active BOOLEAN NOT NULL)",
    "CREATE TABLE waffle_sample (id BIGINT PRIMARY KEY, name VARCHAR(100) NOT NULL, percent NUMERIC(4, 1) NOT NULL)",
];
const ROWS: [&str; 6] = [
    "INSERT INTO auth_group VALUES (7, 'beta, \"the\" second')",
    "INSERT INTO waffle_flag VALUES (2, 'my.Flag', NULL, 12.5, true, 'de, fr', '2026-11-20 10:00:00'), (1, 'a''b', false, NULL, false, '', '2026-11-20 10:00:00')",
    "INSERT INTO waffle_flag_groups VALUES (1, 2, 7)",
    "INSERT INTO waffle_flag_users VALUES (1, 2, 42), (2, 2, 9007199254740993)",
    "INSERT INTO waffle_switch VALUES (1, 'payments', true)",
    "INSERT INTO waffle_sample VALUES (1, 'tracing', 99.9)",
];

/// A database with these statements run, and where it is.
fn made(address: &str, statements: &[&'static str]) {
    sqlx::any::install_default_drivers();
    block_on(async {
        let mut connection = AnyConnection::connect(address).await.unwrap();
        for statement in statements {
            connection.execute(*statement).await.unwrap();
        }
        connection.close().await.unwrap();
    });
}

fn dump(location: &Location) -> Vec<Value> {
    serde_json::from_str(&block_on(waffle_dump(location)).unwrap()).unwrap()
}

#[track_caller]
fn tells_all(location: &Location) {
    let objects = dump(location);
    let of = |at: usize, key: &str| objects[at]["fields"][key].clone();
    let models: Vec<_> =
        objects.iter().map(|one| (one["model"].as_str().unwrap(), one["pk"].as_i64().unwrap())).collect();
    assert_eq!(models, [("waffle.flag", 1), ("waffle.flag", 2), ("waffle.switch", 1), ("waffle.sample", 1)]);
    assert_eq!((of(0, "name"), of(1, "name")), (json!("a'b"), json!("my.Flag")));
    assert_eq!((of(0, "groups"), of(0, "users"), of(1, "everyone")), (json!([]), json!([]), Value::Null));
    assert_eq!(
        (of(1, "groups"), of(1, "users")),
        (json!([["beta, \"the\" second"]]), json!([42, 9_007_199_254_740_993_i64]))
    );
    assert_eq!((of(1, "percent").as_f64(), of(3, "percent").as_f64()), (Some(12.5), Some(99.9)));
    assert!(of(1, "created").as_str().unwrap().starts_with("2026-11-20"), "{objects:?}");
}

#[test]
fn waffles_rows_are_read_as_a_dump_has_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db.sqlite3");
    made(&format!("sqlite://{}?mode=rwc", path.display()), &[TABLES, ROWS].concat());
    tells_all(&Location::of_app(&format!("sqlite:///{}", path.display())).unwrap());
    match Server::start() {
        Some(server) => {
            let place = server.database();
            made(&place, &[TABLES, ROWS].concat());
            tells_all(&Location::of_app(&place).unwrap());
        }
        None => eprintln!("SKIPPED for PostgreSQL, which is not installed; tests/postgresql unpacks it"),
    }
}

#[test]
fn a_database_without_waffle_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db.sqlite3");
    let location = Location::file(&path).unwrap();
    assert!(matches!(block_on(waffle_dump(&location)), Err(TablesError::NoFile(_))));
    assert!(!path.exists(), "asking makes no file");
    made(&format!("sqlite://{}?mode=rwc", path.display()), &["CREATE TABLE other (id BIGINT)"]);
    let error = block_on(waffle_dump(&location)).unwrap_err();
    assert!(matches!(error, TablesError::NoTable(_)) && error.to_string().contains("dumpdata"), "{error}");
    // a project without groups, users or samples has none of their tables
    made(&format!("sqlite://{}", path.display()), &[TABLES[1], ROWS[1]]);
    assert_eq!(dump(&location).len(), 2);
    std::fs::write(&path, "no database at all, but long enough to be looked at as one of them").unwrap();
    assert!(matches!(block_on(waffle_dump(&location)), Err(TablesError::Away { .. })));
    if let Some(server) = Server::start() {
        let error = block_on(waffle_dump(&database(&server))).unwrap_err();
        assert!(matches!(error, TablesError::NoTable(_)), "{error}");
    }
}
