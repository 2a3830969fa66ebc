//! What is written is told at once to all who listen, and a lost connection is noticed.

use std::time::Duration;

use flagstaff_flags::{Definition, Fact, FactKind};
use flagstaff_ledger::{FactStore, FirstSign, Location, News, NewsListener, came_at};

use crate::desk::*;
use crate::postgres::{Server, database};

/// What is told next.
async fn told(listener: &mut NewsListener) -> Option<News> {
    tokio::time::timeout(Duration::from_secs(60), listener.next()).await.unwrap().unwrap_or_default()
}

fn fact(number: u64) -> Fact {
    let (by, why) = ("ada".into(), String::new());
    let (kind, definition) = (FactKind::Step, Definition(1));
    Fact { flag: name("form"), number, at: at(1), definition, kind, step: 0, by, why, evidence: None }
}

#[test]
fn facts_and_signs_are_told_to_all_who_listen() {
    let Some(server) = Server::start() else {
        return eprintln!("SKIPPED: PostgreSQL is not installed; tests/postgresql unpacks it");
    };
    let place = database(&server);
    block_on(async {
        let mut store = FactStore::open(&place).await.unwrap();
        let mut listener = NewsListener::connect(&place).await.unwrap().unwrap();
        let sign =
            |sign: &str, unit: &str| FirstSign { sign: sign.into(), unit: unit.into(), variant: 1, step: 0, at: 1 };
        let of = (name("form"), 1);
        assert!(store.add(&[fact(1)]).await.unwrap());
        assert_eq!(told(&mut listener).await, Some(News::Facts));
        assert!(!store.add(&[fact(1)]).await.unwrap(), "what is not added is not told");
        store.keep_signs(&[(of.clone(), vec![sign(&came_at(0), "a")])]).await.unwrap();
        store.keep_signs(&[(of, vec![sign("errors", "a")])]).await.unwrap();
        assert_eq!(told(&mut listener).await, Some(News::Signs));
        server.down();
        assert_eq!(told(&mut listener).await, None, "nobody knows what is told now");
        server.up();
        let mut listener = NewsListener::connect(&place).await.unwrap().unwrap();
        let mut store = FactStore::open(&place).await.unwrap();
        assert!(store.add(&[fact(2)]).await.unwrap());
        assert_eq!(told(&mut listener).await, Some(News::Facts));
    });
}

#[test]
fn a_file_tells_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let place = Location::file(&folder.path().join("facts.db")).unwrap();
    assert!(block_on(async { NewsListener::connect(&place).await.unwrap().is_none() }));
}
