//! Programs say that they are there, and see each other.

use std::time::Instant;

use flagstaff_ledger::{Location, Presence, Program, ProgramStore, SeenProgram};

use crate::desk::{STEP_WITHIN, at};
use crate::postgres::each_store;

fn program(id: &str) -> Program {
    Program {
        id: id.into(),
        host: "machine é".into(),
        process: 42,
        version: "0.1.0".into(),
        environment: Some("production".into()),
        source: "redis://redis:6379/0?key=flagstaff:flags".into(),
        revision: "r1".into(),
        problem: None,
        identity: "keys-cookies".into(),
        started: at(0),
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn all(place: &Location) -> Vec<SeenProgram> {
    block_on(async {
        let mut store = ProgramStore::open(place).await.unwrap();
        let all = store.all().await.unwrap();
        store.close().await;
        all
    })
}

#[test]
fn what_a_program_says_is_read_back_and_said_anew() {
    each_store(|place| {
        block_on(async {
            let mut store = ProgramStore::open(place).await.unwrap();
            store.is_there(&program("a")).await.unwrap();
            store.is_there(&program("b")).await.unwrap();
            let long = Program { revision: "r2".into(), problem: Some("x\0".repeat(5_000)), ..program("a") };
            store.is_there(&long).await.unwrap();
            let all = store.all().await.unwrap();
            assert_eq!(all.len(), 2, "{all:#?}");
            assert_eq!(all[0].program.revision, "r2", "those seen last come first");
            assert_eq!(all[0].program.problem.as_ref().map(String::len), Some(300));
            assert_eq!(all[1].program, program("b"));
            assert!(all[1].seconds_ago <= STEP_WITHIN.as_secs());
            store.is_gone("a").await.unwrap();
            store.is_gone("nobody").await.unwrap();
            assert_eq!(store.all().await.unwrap().len(), 1);
            store.close().await;
        });
    });
}

#[test]
fn a_program_is_there_until_it_ends() {
    each_store(|place| {
        let (heard, hearing) = std::sync::mpsc::channel();
        let presence = Presence::start(place.clone(), program, move |own, all| {
            let _ = heard.send((own.id.clone(), all.to_vec()));
        });
        let presence = presence.unwrap();
        let (id, seen) = hearing.recv_timeout(STEP_WITHIN).unwrap();
        assert_eq!((seen.len(), &seen[0].program), (1, &program(&id)));
        assert_eq!(presence.seen().get(), seen);
        assert_eq!(all(place).len(), 1);
        let began = Instant::now();
        drop(presence);
        assert!(all(place).is_empty(), "it said farewell");
        assert!(began.elapsed() < STEP_WITHIN, "nobody waits for its next word");
    });
}
