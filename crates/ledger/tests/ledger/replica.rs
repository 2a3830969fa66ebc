//! A standby from which results are read.

use flagstaff_ledger::{Location, Replica};
use sqlx::{Connection, Executor};

use crate::desk::*;
use crate::postgres::Server;

#[test]
fn a_replica_says_when_it_lags_and_when_it_is_away() {
    let Some(server) = Server::start() else {
        return eprintln!("SKIPPED: PostgreSQL is not installed; tests/postgresql unpacks it");
    };
    let address = server.database();
    let desk = Desk::open(&Location::new(&address).unwrap());
    let half = snapshot(form(50.0));
    desk.meet(&half, "a", 1);
    wait_until("it is written", || desk.recorder.status().written >= 1);
    let standby = server.standby();
    let copy = standby.same(&address);
    let place = Location::new(&copy).unwrap();
    // what was found holds for some seconds; each of these looks anew
    let notice = || {
        let replica = Replica::new(place.clone());
        let is_there = block_on(replica.is_there());
        (is_there, replica.notice())
    };
    wait_until("it follows", || notice() == (true, None));
    let pause = |sql: &str| {
        block_on(async {
            let mut standby = sqlx::AnyConnection::connect(&copy).await.unwrap();
            standby.execute(sqlx::AssertSqlSafe(sql.to_owned())).await.unwrap();
            standby.close().await.unwrap();
        });
    };
    pause("SELECT CAST(pg_wal_replay_pause() AS TEXT)");
    desk.meet(&half, "b", 2);
    wait_until("it lags", || {
        let (is_there, notice) = notice();
        is_there && notice.is_some_and(|notice| notice.contains("seconds behind the ledger"))
    });
    pause("SELECT CAST(pg_wal_replay_resume() AS TEXT)");
    wait_until("it has caught up", || notice() == (true, None));
    standby.down();
    let (is_there, notice) = notice();
    assert!(!is_there && notice.is_some_and(|notice| notice.contains("the ledger itself is read")));
    desk.close();
}
