//! Many programs, of several versions, on one PostgreSQL.

use std::time::{Duration, Instant};

use flagstaff_ledger::{FactStore, Ledger, Location, StoreHealth};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};

use crate::desk::*;
use crate::postgres::{Server, each_store};

fn is_fine(desk: &Desk) -> bool {
    desk.recorder.status().health == StoreHealth::Fine
}

fn is_away_for(desk: &Desk, reason: &str) -> bool {
    matches!(desk.recorder.status().health, StoreHealth::Away { why, .. } if why.contains(reason))
}

fn visitors(place: &Location) -> u64 {
    tally_at(place, 10_000).variants.iter().map(|variant| variant.visitors).sum()
}

/// A connection beside the ledger's own.
async fn connect(address: &str) -> AnyConnection {
    sqlx::any::install_default_drivers();
    AnyConnection::connect(address).await.unwrap()
}

pub(crate) async fn say(address: &str, sql: &[&str]) {
    let mut connection = connect(address).await;
    for sql in sql {
        connection.execute(AssertSqlSafe((*sql).to_owned())).await.unwrap();
    }
    connection.close().await.unwrap();
}

#[test]
fn programs_that_start_at_once_on_an_empty_database_all_come_up() {
    let Some(server) = Server::start() else {
        return eprintln!("SKIPPED: PostgreSQL is not installed; tests/postgresql unpacks it");
    };
    let place = Location::new(&server.database()).unwrap();
    let half = snapshot(form(50.0));
    let desks: Vec<_> = (0..12).map(|_| Desk::open(&place)).collect();
    for (number, desk) in desks.iter().enumerate() {
        (0..50).for_each(|i| drop(desk.meet(&half, &format!("v{}", number * 40 + i), 10)));
    }
    block_on(async {
        let opened = FactStore::open(&place).await.unwrap();
        opened.close().await;
    });
    wait_until("all are up", || desks.iter().all(is_fine));
    assert!(desks.into_iter().all(|desk| desk.keeper.close(STEP_WITHIN)));
    assert_eq!(visitors(&place), 12 * 40 + 10);
}

/// A version that is not written yet has changed the tables: it added a column, and a table.
#[test]
fn an_older_program_goes_on_beside_a_newer_one() {
    each_store(|place| {
        let half = snapshot(form(50.0));
        let desk = Desk::open(place);
        desk.meet(&half, "before", 1);
        desk.close();
        let address = address_of(place);
        let later = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                     SELECT 9001, 'later', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1";
        let changes = ["ALTER TABLE exposures ADD COLUMN later TEXT", "CREATE TABLE later (later TEXT)", later];
        block_on(say(&address, &changes));
        let desk = Desk::open(place);
        desk.meet(&half, "after", 2);
        wait_until("it is up", || is_fine(&desk));
        desk.close();
        block_on(async { FactStore::open(place).await.unwrap().close().await });
        assert_eq!(visitors(place), 2);
    });
}

/// The address of a store for a connection beside the ledger's.
pub(crate) fn address_of(place: &Location) -> String {
    match place.path() {
        Some(path) => format!("sqlite://{}", path.display().to_string().replace('?', "%3F").replace(' ', "%20")),
        None => format!("{}?sslmode=disable", place.to_string().replacen("://", "://tester@", 1)),
    }
}

#[test]
fn a_change_of_the_tables_does_not_stop_writers_behind_a_long_reader() {
    let Some(server) = Server::start() else {
        return eprintln!("SKIPPED: PostgreSQL is not installed; tests/postgresql unpacks it");
    };
    let address = server.database();
    let place = Location::new(&address).unwrap();
    Desk::open(&place).close();
    block_on(async {
        // as a version left it that did not know of a column yet
        let older = ["ALTER TABLE hooks DROP COLUMN began", "DELETE FROM _sqlx_migrations WHERE version = 5"];
        say(&address, &older).await;
        let mut reader = connect(&address).await;
        reader.execute("BEGIN").await.unwrap();
        reader.execute("SELECT * FROM hooks").await.unwrap();
        let desk = Desk::open(&place);
        desk.meet(&snapshot(form(50.0)), "a", 1);
        wait_until("the change gives up its place in the queue", || is_away_for(&desk, "lock timeout"));
        // it is tried again and again, and a writer of the older version gets through each time
        let write = "INSERT INTO hooks (hook, holder, held, quiet) VALUES ($1, '', 0, 0)";
        let mut writer = connect(&address).await;
        for i in 0..20 {
            let insert = sqlx::query(write).bind(format!("hook {i}")).execute(&mut writer);
            tokio::time::timeout(STEP_WITHIN, insert).await.unwrap().unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(!is_fine(&desk), "the reader reads still");
        reader.execute("COMMIT").await.unwrap();
        wait_until("the change is made", || is_fine(&desk));
        desk.close();
    });
    assert_eq!(visitors(&place), 1);
}

#[test]
fn a_program_for_which_there_is_no_connection_waits_and_loses_nothing() {
    let Some(server) = Server::start() else {
        return eprintln!("SKIPPED: PostgreSQL is not installed; tests/postgresql unpacks it");
    };
    let address = server.database();
    let database = address.rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
    let place = Location::new(&address.replacen("tester@", "crowd@", 1)).unwrap();
    block_on(async {
        let owner = format!("ALTER DATABASE {database} OWNER TO crowd");
        say(&address, &["CREATE ROLE crowd LOGIN CONNECTION LIMIT 2", &owner]).await;
        let address = address.replacen("tester@", "crowd@", 1);
        let (one, other) = (connect(&address).await, connect(&address).await);
        let desk = Desk::open(&place);
        let start = Instant::now();
        let half = snapshot(form(50.0));
        (0..200).for_each(|i| drop(desk.meet(&half, &format!("v{i}"), 10)));
        assert!(start.elapsed() < STEP_WITHIN, "recording waits");
        wait_until("it says so", || is_away_for(&desk, "too many connections"));
        assert!(is_away_for(&desk, "max_connections"), "it says what to do");
        one.close().await.unwrap();
        wait_until("it goes on", || is_fine(&desk));
        other.close().await.unwrap();
        assert_eq!(desk.recorder.status().dropped, 0);
        desk.close();
    });
    assert_eq!(visitors(&place), 200);
}

#[test]
fn a_batch_that_gives_way_to_another_program_is_written_again_at_once() {
    let Some(server) = Server::start() else {
        return eprintln!("SKIPPED: PostgreSQL is not installed; tests/postgresql unpacks it");
    };
    let address = server.database();
    let database = address.rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
    let place = Location::new(&address).unwrap();
    let change = |unit: &str| AssertSqlSafe(format!("UPDATE exposures SET held = held WHERE unit = '{unit}'"));
    block_on(async {
        // the writer looks whether they wait for each other, the other one does not
        say(&address, &[&format!("ALTER DATABASE {database} SET deadlock_timeout = '5s'")]).await;
        let desk = Desk::open(&place);
        let half = snapshot(form(50.0));
        desk.meet(&half, "a", 1);
        desk.meet(&half, "b", 1);
        wait_until("they are written", || desk.recorder.status().written >= 2);
        let mut other = connect(&address).await;
        other.execute("SET deadlock_timeout = '300s'").await.unwrap();
        other.execute("BEGIN").await.unwrap();
        other.execute(change("b")).await.unwrap();
        desk.recorder.visit(None).page("a", at(10));
        desk.recorder.visit(None).page("b", at(10));
        let waits =
            "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        let mut looker = connect(&address).await;
        let start = Instant::now();
        while sqlx::query_scalar::<_, i64>(waits).fetch_one(&mut looker).await.unwrap() == 0 {
            assert!(start.elapsed() < STEP_WITHIN, "the writer does not come to the row");
        }
        other.execute(change("a")).await.unwrap();
        other.execute("COMMIT").await.unwrap();
        wait_until("they are written", || {
            assert!(!is_away_for(&desk, ""), "{:?}", desk.recorder.status());
            desk.recorder.status().written >= 4
        });
        assert_eq!(desk.recorder.status().dropped, 0);
        desk.close();
    });
    assert_eq!(visitors(&place), 2);
}

#[test]
fn questions_share_their_connections() {
    let Some(server) = Server::start() else {
        return eprintln!("SKIPPED: PostgreSQL is not installed; tests/postgresql unpacks it");
    };
    let place = Location::new(&server.database()).unwrap();
    Desk::open(&place).close();
    let shared = place.clone().with_connections(2);
    block_on(async {
        let (first, second) = (Ledger::open(&shared).await.unwrap(), FactStore::open(&shared).await.unwrap());
        let error = Ledger::open(&shared.clone()).await.unwrap_err().to_string();
        assert!(error.contains("all 2 connections of `ledger_connections` are in use"), "{error}");
        // the program's own have no part in it
        Ledger::open(&place).await.unwrap().close().await;
        let waiting = tokio::join!(Ledger::open(&shared), first.close()).0;
        waiting.unwrap().close().await;
        second.close().await;
    });
}
