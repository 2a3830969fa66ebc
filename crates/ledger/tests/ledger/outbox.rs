//! Each hook is told of each fact once, by any program.

use std::collections::BTreeMap;
use std::time::Duration;

use flagstaff_flags::{Definition, Fact, FactKind};
use flagstaff_ledger::{FactStore, Location, Outbox};
use jiff::Timestamp;

use crate::desk::*;
use crate::postgres::each_store;

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(600);

fn fact(flag: &str, number: u64, seconds: i64) -> Fact {
    Fact {
        flag: name(flag),
        number,
        at: at(seconds),
        definition: Definition(7),
        kind: FactKind::Step,
        step: 1,
        by: "ada".into(),
        why: String::new(),
        evidence: None,
    }
}

async fn happen(place: &Location, facts: &[Fact]) {
    let mut register = FactStore::open(place).await.unwrap();
    assert!(register.add(facts).await.unwrap());
    register.close().await;
}

async fn open(place: &Location) -> Outbox {
    open_as(place, "hook", LONG).await
}

async fn open_as(place: &Location, hook: &str, claim: Duration) -> Outbox {
    Outbox::open(place, hook, at(0), &Outbox::holder().unwrap(), claim).await.unwrap()
}

/// A hook that begins so many seconds later.
async fn open_later(place: &Location, hook: &str, seconds: i64) -> Outbox {
    Outbox::open(place, hook, at(seconds), &Outbox::holder().unwrap(), LONG).await.unwrap()
}

/// What is next, as `flag-number`.
async fn next(outbox: &mut Outbox) -> Option<String> {
    let delivery = outbox.next().await.unwrap()?;
    let fact = delivery.fact().unwrap();
    Some(format!("{}-{}", fact.flag, fact.number))
}

async fn tell(outbox: &mut Outbox) -> Option<String> {
    let delivery = outbox.next().await.unwrap()?;
    outbox.done(&delivery).await.unwrap();
    let fact = delivery.fact().unwrap();
    Some(format!("{}-{}", fact.flag, fact.number))
}

async fn fail(outbox: &mut Outbox, wait: Duration) {
    let delivery = outbox.next().await.unwrap().unwrap();
    outbox.again(&delivery, wait, false).await.unwrap();
}

/// The clock of a virtual machine may be ahead until it asks the network for the time.
#[test]
fn a_hook_that_began_while_a_clock_was_ahead_is_told_after_the_next_start() {
    each_store(|place| {
        block_on(async {
            let begin = |since| Outbox::open(place, "early", since, "holder", LONG);
            let now = Timestamp::now();
            begin(now + Duration::from_secs(7_200)).await.unwrap().close().await;
            let mut outbox = begin(now).await.unwrap();
            let later = Timestamp::now() + Duration::from_secs(1);
            happen(place, &[Fact { at: later, ..fact("late", 1, 0) }]).await;
            let delivery = outbox.next().await.unwrap().expect("it is told");
            assert_eq!((delivery.fact().unwrap().flag.as_str(), delivery.age()), ("late", Duration::ZERO));
            outbox.done(&delivery).await.unwrap();
            happen(place, &[Fact { at: now - Duration::from_secs(90_000), ..fact("lost", 1, 0) }]).await;
            assert!(outbox.next().await.unwrap().is_none(), "it happened before the hook began");
            outbox.close().await;
        });
    });
}

#[test]
fn a_hook_is_told_of_what_comes_after_it() {
    each_store(|place| {
        block_on(async {
            happen(place, &[fact("old", 1, -2), fact("old", 2, -1)]).await;
            let mut outbox = open(place).await;
            assert!(!outbox.is_due().await.unwrap());
            assert_eq!(next(&mut outbox).await, None);
            happen(place, &[fact("old", 3, 5), fact("new", 1, 3), fact("new", 2, 4)]).await;
            assert!(outbox.is_due().await.unwrap());
            let mut told = Vec::new();
            while let Some(one) = tell(&mut outbox).await {
                told.push(one);
            }
            assert_eq!(told, ["new-1", "new-2", "old-3"], "by time");
            outbox.close().await;
            // a second start goes on where the first one ended; another hook begins
            happen(place, &[fact("old", 4, 6)]).await;
            let mut other = open_later(place, "other", 7).await;
            assert_eq!(next(&mut other).await, None);
        });
        block_on(async {
            let mut register = FactStore::open(place).await.unwrap();
            assert_eq!(register.newest().await.unwrap().len(), 2);
            let mut outbox = open_later(place, "other", 7).await;
            assert!(!outbox.is_due().await.unwrap());
        });
    });
}

/// A ledger that was lost may be written again before a hook finds it.
#[test]
fn what_happened_since_a_hook_began_is_told_when_it_was_written_down_earlier() {
    each_store(|place| {
        block_on(async {
            happen(place, &[fact("form", 1, -20), fact("form", 2, 0), fact("new", 1, 3)]).await;
            let mut outbox = open(place).await;
            assert_eq!(tell(&mut outbox).await.unwrap(), "form-2");
            assert_eq!(tell(&mut outbox).await.unwrap(), "new-1");
            assert_eq!(tell(&mut outbox).await, None);
        });
    });
}

/// Facts keep their times when they are written down again in a new ledger.
#[test]
fn what_happened_before_a_hook_is_not_told_when_it_is_written_down_later() {
    each_store(|place| {
        block_on(async {
            let mut outbox = open(place).await;
            let again = [fact("form", 1, -20), fact("form", 2, -10), fact("old", 1, -5)];
            happen(place, &again).await;
            assert!(!outbox.is_due().await.unwrap());
            happen(place, &[fact("form", 3, 0), fact("form", 4, 1)]).await;
            assert_eq!(tell(&mut outbox).await.unwrap(), "form-3");
            assert_eq!(tell(&mut outbox).await.unwrap(), "form-4");
            assert_eq!(tell(&mut outbox).await, None);
        });
    });
}

#[test]
fn one_program_tells_at_a_time() {
    each_store(|place| {
        block_on(async {
            let short = Duration::from_millis(300);
            let (mut first, mut second) = (open(place).await, open(place).await);
            happen(place, &[fact("form", 1, 1), fact("form", 2, 2)]).await;
            assert!(first.claim().await.unwrap() && first.claim().await.unwrap(), "one's own is renewed");
            assert!(!second.claim().await.unwrap());
            assert_eq!(next(&mut second).await, None);
            assert!(second.is_due().await.unwrap(), "it is not told yet");
            assert_eq!(tell(&mut first).await.unwrap(), "form-1");
            first.release().await.unwrap();
            assert_eq!(tell(&mut second).await.unwrap(), "form-2");
            second.release().await.unwrap();
            // a program that is killed holds nothing for long
            let mut killed = open_as(place, "hook", short).await;
            assert!(killed.claim().await.unwrap());
            drop(killed);
            let mut next = open_as(place, "hook", short).await;
            let start = std::time::Instant::now();
            while !next.claim().await.unwrap() {
                assert!(start.elapsed() < STEP_WITHIN);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            next.release().await.unwrap();
        });
    });
}

#[test]
fn a_claim_from_a_clock_that_was_ahead_holds_nobody_up() {
    each_store(|place| {
        block_on(async {
            let mut ahead = open_as(place, "hook", LONG * 100).await;
            assert!(ahead.claim().await.unwrap());
            let mut now = open(place).await;
            assert!(now.claim().await.unwrap());
        });
    });
}

#[test]
fn what_is_not_taken_waits_and_its_flag_with_it() {
    each_store(|place| {
        block_on(async {
            let mut outbox = open(place).await;
            happen(place, &[fact("a", 1, 1), fact("a", 2, 2), fact("b", 1, 3)]).await;
            fail(&mut outbox, LONG).await;
            assert_eq!(tell(&mut outbox).await.unwrap(), "b-1", "another flag does not wait");
            assert_eq!(next(&mut outbox).await, None);
            assert!(!outbox.is_due().await.unwrap());
            outbox.close().await;
            let mut outbox = open_as(place, "hook", LONG).await;
            assert_eq!(next(&mut outbox).await, None, "a new start waits as well");
        });
        block_on(async {
            let mut outbox = open_later(place, "impatient", 10).await;
            happen(place, &[fact("c", 1, 10), fact("c", 2, 11), fact("d", 1, 12)]).await;
            fail(&mut outbox, Duration::ZERO).await;
            let delivery = outbox.next().await.unwrap().unwrap();
            assert_eq!((delivery.tries(), delivery.fact().unwrap().number), (1, 1), "its wait was none");
            for _ in 0..10 {
                fail(&mut outbox, Duration::ZERO).await;
            }
            fail(&mut outbox, LONG).await;
            assert_eq!(tell(&mut outbox).await.unwrap(), "c-2", "the next one does not wait without limit");
            assert_eq!(tell(&mut outbox).await.unwrap(), "d-1");
            assert_eq!(next(&mut outbox).await, None);
        });
    });
}

#[test]
fn a_receiver_that_is_back_gets_all_at_once() {
    each_store(|place| {
        block_on(async {
            let mut outbox = open(place).await;
            happen(place, &[fact("a", 1, 1), fact("b", 1, 2), fact("c", 1, 3)]).await;
            fail(&mut outbox, LONG).await;
            fail(&mut outbox, LONG).await;
            assert_eq!(tell(&mut outbox).await.unwrap(), "c-1");
            assert_eq!(next(&mut outbox).await, None, "that one took another says nothing about these");
            happen(place, &[fact("c", 2, 4)]).await;
            fail(&mut outbox, Duration::ZERO).await;
            assert_eq!(tell(&mut outbox).await.unwrap(), "c-2");
            assert_eq!(tell(&mut outbox).await.unwrap(), "a-1");
            assert_eq!(tell(&mut outbox).await.unwrap(), "b-1");
            assert_eq!(next(&mut outbox).await, None);
        });
    });
}

#[test]
fn a_receiver_that_asks_for_quiet_gets_it() {
    each_store(|place| {
        block_on(async {
            let mut outbox = open(place).await;
            happen(place, &[fact("a", 1, 1), fact("b", 1, 2)]).await;
            let delivery = outbox.next().await.unwrap().unwrap();
            outbox.again(&delivery, Duration::from_millis(300), true).await.unwrap();
            let start = std::time::Instant::now();
            let mut told = next(&mut outbox).await;
            while told.is_none() {
                assert!(start.elapsed() < STEP_WITHIN);
                tokio::time::sleep(Duration::from_millis(20)).await;
                told = next(&mut outbox).await;
            }
            assert!(start.elapsed() >= Duration::from_millis(200), "{:?}", start.elapsed());
            assert_eq!(told.unwrap(), "a-1");
        });
    });
}

#[test]
fn a_fact_of_a_later_version_says_nothing_and_stops_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("facts.db");
    let place = Location::file(&file).unwrap();
    block_on(async {
        let mut outbox = open(&place).await;
        happen(&place, &[fact("a", 1, 1), fact("a", 2, 2)]).await;
        let sql = "UPDATE facts SET kind = 'of a later version' WHERE number = 1";
        let script =
            format!("import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(\"{sql}\"); c.commit()");
        let done = std::process::Command::new("python3").args(["-c", &script]).arg(&file).status().unwrap();
        assert!(done.success());
        let delivery = outbox.next().await.unwrap().unwrap();
        assert_eq!(delivery.fact().map(|fact| fact.kind), Some(FactKind::Unknown));
        outbox.done(&delivery).await.unwrap();
        assert_eq!(tell(&mut outbox).await.unwrap(), "a-2");
    });
}

/// Several programs at once, receivers that fail now and then: every fact is told once, and those of a flag in their order.
#[test]
fn many_tell_each_fact_once() {
    each_store(|place| {
        let facts: Vec<_> =
            (1..=12).flat_map(|number| (0..5).map(move |flag| fact(&format!("flag_{flag}"), number, 1))).collect();
        block_on(async {
            open(place).await.close().await;
            happen(place, &facts).await;
        });
        let start = |seed| {
            let place = place.clone();
            std::thread::spawn(move || block_on(sender(&place, seed)))
        };
        let senders: Vec<_> = (0..4).map(start).collect();
        let mut told: Vec<_> = senders.into_iter().flat_map(|sender| sender.join().unwrap()).collect();
        told.sort();
        let mut order: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for (_, flag, number) in told {
            order.entry(flag).or_default().push(number);
        }
        assert_eq!(order.len(), 5);
        for numbers in order.values() {
            assert_eq!(*numbers, (1..=12).collect::<Vec<_>>());
        }
    });
}

/// Tells until there is nothing left, and says when it told what.
async fn sender(place: &Location, seed: u64) -> Vec<(std::time::Instant, String, u64)> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut outbox = open(place).await;
    let mut told = Vec::new();
    let mut idle = 0;
    while idle < 25 {
        match outbox.next().await.unwrap() {
            Some(delivery) if random.u32(..3) == 0 => {
                outbox.again(&delivery, Duration::from_millis(random.u64(..5)), false).await.unwrap();
            }
            Some(delivery) => {
                let fact = delivery.fact().unwrap();
                told.push((std::time::Instant::now(), fact.flag.to_string(), fact.number));
                outbox.done(&delivery).await.unwrap();
            }
            None => {
                idle += 1;
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            }
        }
        idle = 0;
        if random.u32(..3) == 0 {
            outbox.release().await.unwrap();
        }
    }
    // a program that holds the claim while others wait would keep them from the rest
    outbox.release().await.unwrap();
    told
}

/// Programs and their parts that begin a ledger at the same moment do not stand in each other's way.
#[test]
fn many_begin_a_ledger_at_once() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..20 {
        let place = Location::file(&folder.path().join(format!("{round}.db"))).unwrap();
        let start = std::sync::Barrier::new(6);
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    start.wait();
                    block_on(async { open(&place).await.close().await });
                });
            }
        });
    }
}
