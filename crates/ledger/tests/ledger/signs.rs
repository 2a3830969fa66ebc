//! Signs of guards in the order of the ledger: many programs write at once, and a reader that goes on from a number misses none.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use flagstaff_ledger::{FactStore, FirstSign, FlagEpoch, Ledger, Location, NumberedSigns, came_at};
use sqlx::{Connection, Executor};

use crate::desk::*;
use crate::postgres::each_store;

const WRITERS: usize = 8;
const BATCHES: usize = 30;

fn sign(unit: &str, at: i64) -> FirstSign {
    FirstSign { sign: "errors".into(), unit: unit.into(), variant: 1, step: 0, at }
}

fn of(flag: &str) -> FlagEpoch {
    (name(flag), 3)
}

fn of_nobody() -> FlagEpoch {
    of("nobody")
}

/// Everything above a number, in the pieces in which it comes.
async fn all_after(store: &mut FactStore, of: &FlagEpoch, after: u64) -> NumberedSigns {
    let mut all = NumberedSigns { up_to: after, ..NumberedSigns::default() };
    loop {
        let next = store.signs_after(&[(of.clone(), all.up_to), (of_nobody(), 0)]).await.unwrap();
        let Some((_, next)) = next.into_iter().find(|(read, _)| read == of) else { return all };
        all.signs.extend(next.signs);
        all.up_to = next.up_to;
        if !next.has_more {
            return all;
        }
    }
}

/// One program's signs of two flags: most are its own, and some are seen by all. They go in the order that two who lock rows carelessly
/// would lock each other out in.
async fn write(place: &Location, writer: usize) {
    let mut store = FactStore::open(place).await.unwrap();
    for batch in 0..BATCHES {
        let number = i64::try_from(batch).unwrap() * 10;
        let signs = || {
            let own = (0..4).map(|n| sign(&format!("own-{writer}-{batch}-{n}"), number + n));
            let shared = sign(&format!("shared-{batch}"), number + 5);
            let mark = FirstSign { sign: came_at(0), ..sign(&format!("came-{writer}-{batch}"), number) };
            own.chain([shared, mark]).collect::<Vec<_>>()
        };
        let mut flags = ["form", "other"];
        flags.rotate_left(writer % 2);
        store.keep_signs(&flags.map(|flag| (of(flag), signs()))).await.unwrap();
    }
    store.close().await;
}

#[test]
fn who_reads_on_from_a_number_misses_none_and_sees_none_twice() {
    each_store(|place| {
        block_on(async { FactStore::open(place).await.unwrap().close().await });
        let writing = AtomicUsize::new(WRITERS);
        let seen = std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                let writing = &writing;
                scope.spawn(move || {
                    block_on(write(place, writer));
                    writing.fetch_sub(1, Ordering::SeqCst);
                });
            }
            block_on(async {
                let mut store = FactStore::open(place).await.unwrap();
                let (mut seen, mut last, start) = (Vec::new(), 0, Instant::now());
                loop {
                    // asked before the look: what is written by then is there
                    let is_last = writing.load(Ordering::SeqCst) == 0;
                    let next = all_after(&mut store, &of("form"), last).await;
                    (last, seen) = (next.up_to, [seen, next.signs].concat());
                    if is_last {
                        return seen;
                    }
                    assert!(start.elapsed() < Duration::from_secs(120));
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            })
        });
        let units: HashSet<_> = seen.iter().map(|sign| sign.unit.clone()).collect();
        assert_eq!((seen.len(), units.len()), ((WRITERS * 4 + 1) * BATCHES, seen.len()), "each once, none missing");
        for writer in 0..WRITERS {
            let own = seen.iter().filter(|sign| sign.unit.starts_with(&format!("own-{writer}-")));
            let times: Vec<_> = own.map(|sign| sign.at).collect();
            assert!(times.is_sorted(), "as it saw them: {times:?}");
        }
        block_on(async {
            let mut store = FactStore::open(place).await.unwrap();
            assert_eq!(all_after(&mut store, &of("form"), 0).await.signs, seen, "read again, they are the same");
            assert_eq!(store.signs(&name("form"), 3).await.unwrap(), seen);
            let newest = store.newest_signs(&[of("form"), of("nobody")]).await.unwrap();
            assert_eq!(newest.len(), 1);
            assert!(newest[&of("form")] >= seen.len() as u64);
        });
    });
}

/// A number is given once, also where the sign that had it was deleted with its visitor.
#[test]
fn a_number_that_became_free_is_not_given_again() {
    each_store(|place| {
        block_on(async {
            let mut store = FactStore::open(place).await.unwrap();
            store.keep_signs(&[(of("form"), vec![sign("a", 1), sign("b", 2)])]).await.unwrap();
            let read = all_after(&mut store, &of("form"), 0).await;
            assert_eq!((read.signs.len(), read.up_to), (2, 2));
            let mut ledger = Ledger::open(place).await.unwrap();
            assert_eq!(ledger.forget(&["b"]).await.unwrap(), 1);
            store.keep_signs(&[(of("form"), vec![sign("a", 3), sign("c", 4)])]).await.unwrap();
            let next = all_after(&mut store, &of("form"), read.up_to).await;
            assert_eq!(next.signs, [sign("c", 4)]);
            assert_eq!(store.newest_signs(&[of("form")]).await.unwrap()[&of("form")], next.up_to);
        });
    });
}

/// Writes as something else than this program does.
async fn execute(place: &Location, sql: &'static str) {
    if let Some(path) = place.path() {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
        let mut other = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        other.execute(sql).await.unwrap();
    } else {
        let address = place.to_string().replace("postgres://", "postgres://tester@");
        let mut other = sqlx::PgConnection::connect(&format!("{address}?sslmode=disable")).await.unwrap();
        other.execute(sql).await.unwrap();
    }
}

/// A program of an earlier version gives no numbers. What it writes is numbered after the rest, once.
#[test]
fn signs_of_earlier_versions_are_numbered() {
    each_store(|place| {
        block_on(async {
            let mut store = FactStore::open(place).await.unwrap();
            store.keep_signs(&[(of("form"), vec![sign("new", 50)])]).await.unwrap();
            let old = "INSERT INTO signs (flag, epoch, sign, unit, variant, step, at) VALUES
                       ('form', 3, 'errors', 'late', 1, 0, 20), ('form', 3, 'errors', 'early', 1, 0, 10),
                       ('form', 3, 'came:0', 'early', 1, 0, 10), ('form', 2, 'errors', 'before', 1, 0, 1)";
            execute(place, old).await;
            assert_eq!(all_after(&mut store, &of("form"), 0).await.signs, [sign("new", 50)]);
            let all = [sign("new", 50), sign("early", 10), sign("late", 20)];
            assert_eq!(store.signs(&name("form"), 3).await.unwrap(), all, "who only looks sees them");
            assert!(store.number_signs(&[of("form")]).await.unwrap());
            assert_eq!(all_after(&mut store, &of("form"), 1).await.signs, all[1..]);
            assert_eq!(store.came(&name("form"), 3, 0).await.unwrap(), 1);
            assert!(!store.number_signs(&[of("form")]).await.unwrap(), "all have one");
            store.keep_signs(&[(of("form"), vec![sign("next", 60)])]).await.unwrap();
            assert_eq!(all_after(&mut store, &of("form"), 3).await.signs, [sign("next", 60)]);
        });
    });
}
