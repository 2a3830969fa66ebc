//! Results that are read from packs are those of the rows, whatever happens to the rows.

use std::time::Duration;

use flagstaff_ledger::{Counted, Ledger, LedgerSettings, Location, Question};
use sqlx::{AnyConnection, Connection, Executor};

use crate::desk::*;
use crate::many::address_of;
use crate::postgres::each_store;

const DAY: i64 = 86_400;

/// Visitors, and how many of them may be read one by one.
const MANY: u32 = 1_500;
const FEW: u32 = 300;

/// What a result is made of, rounded: sums of values come out alike but for the last digits, in whatever order they are added up.
fn rounded(counted: &Counted) -> String {
    let text = format!("{counted:?}");
    let is_number = |part: &str| part.contains('.') && part.parse::<f64>().is_ok();
    let round = |part: &str| {
        if is_number(part) { format!("{:.6e}", part.parse::<f64>().unwrap_or_default()) } else { part.to_owned() }
    };
    text.split([' ', ',', '(', ')', '[', ']']).map(round).collect::<Vec<_>>().join(" ")
}

async fn say(place: &Location, statement: &'static str) -> u64 {
    let mut connection = AnyConnection::connect(&address_of(place)).await.unwrap();
    let done = connection.execute(statement).await.unwrap().rows_affected();
    connection.close().await.unwrap();
    done
}

fn number(place: &Location, select: &'static str) -> i64 {
    block_on(async {
        let mut connection = AnyConnection::connect(&address_of(place)).await.unwrap();
        let number = sqlx::query_scalar::<_, i64>(select).fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        number
    })
}

fn count(place: &Location, now: i64) -> Counted {
    // a goal that is named twice is counted twice
    let twice = goals().into_iter().take(1);
    let goals = goals().into_iter().chain(twice).collect();
    let question = Question { flag: "form".into(), trial: None, goals, now: at(now) };
    block_on(async {
        let mut ledger = Ledger::open(place).await.unwrap();
        let counted = ledger.count(&question).await.unwrap();
        ledger.close().await;
        counted
    })
}

/// That results from packs are those from the rows, at several times. Returns how many visitors there are.
fn agree(place: &Location) -> u64 {
    assert_eq!(number(place, "SELECT is_whole FROM packing"), 1, "it is read from packs");
    let times = [DAY / 2, 2 * DAY, 5 * DAY, 30 * DAY];
    let packed = times.map(|now| count(place, now));
    block_on(say(place, "UPDATE packing SET is_whole = 0"));
    let rows = times.map(|now| count(place, now));
    block_on(say(place, "UPDATE packing SET is_whole = 1"));
    for (packed, rows) in packed.iter().zip(&rows) {
        assert_eq!(rounded(packed), rounded(rows));
    }
    let all = |counted: &Counted| counted.observed.variants.iter().map(|one| one.visitors + one.crossed).sum();
    all(&packed[3])
}

/// Something that happens to a visitor.
enum Happens {
    /// Meets the flag with the share before or after the change, and whether the cookie came back.
    Meets(bool),
    Converts(&'static str, Option<f64>),
    Looks,
}

/// What happens to a visitor of three days. The share is raised on the second, so that some meet another variant; some reach goals, before and
/// after.
fn life(draw: &mut fastrand::Rng) -> Vec<(i64, Happens)> {
    let (met, goal) = (draw.i64(10..3 * DAY), if draw.bool() { "sent" } else { "paid" });
    let mut all = vec![(met, Happens::Meets(draw.bool()))];
    if draw.u8(0..9) == 0 {
        all.push((met - 5, Happens::Converts(goal, Some(2.5))));
    }
    if draw.u8(0..5) == 0 {
        let value = draw.bool().then(|| f64::from(draw.u32(1..9_000)) / 100.0);
        all.push((met + draw.i64(1..DAY), Happens::Converts(goal, value)));
    }
    if draw.u8(0..5) == 0 {
        all.push((met + draw.i64(1..DAY), Happens::Meets(true)));
    }
    if draw.u8(0..3) == 0 {
        all.push((met, Happens::Looks));
    }
    all
}

fn story(desk: &Desk, visitors: std::ops::Range<u32>) {
    let shares = [snapshot(form(30.0)), snapshot(form(60.0))];
    let mut draw = fastrand::Rng::with_seed(visitors.start.into());
    let lives = visitors.flat_map(|i| life(&mut draw).into_iter().map(move |(at, happens)| (at, i, happens)));
    let mut all: Vec<_> = lives.collect();
    // a ledger's time never goes back
    all.sort_by_key(|(at, i, _)| (*at, *i));
    for (time, i, happens) in all {
        let visitor = format!("visitor-{i}");
        match happens {
            Happens::Meets(confirmed) => {
                desk.meet_as(&shares[usize::from(time > DAY)], &visitor, confirmed, time);
            }
            Happens::Converts(goal, value) => {
                desk.recorder.visit(None).told(goal, &visitor, (value, None), at(time)).unwrap();
            }
            Happens::Looks => desk.recorder.visit(None).page(&visitor, at(time)),
        }
    }
}

fn wait_for_packs(place: &Location, desk: &Desk) {
    wait_until("all is written", || desk.recorder.status().queued == 0);
    wait_until("it is packed", || {
        number(place, "SELECT is_whole FROM packing") == 1
            && number(place, "SELECT COUNT(*) FROM unpacked") <= i64::from(FEW)
            && number(place, "SELECT COUNT(DISTINCT shard) FROM packs WHERE rows_of LIKE 'trial:%'") > 200
    });
}

fn open(place: &Location) -> Desk {
    Desk::with(LedgerSettings { unpacked: FEW, ..LedgerSettings::new(place.clone()) })
}

#[test]
fn packs_and_rows_tell_the_same() {
    each_store(|place| {
        let desk = open(place);
        story(&desk, 0..MANY);
        wait_for_packs(place, &desk);
        // of those who are packed, some go on, some are forgotten, and others come
        story(&desk, MANY - 100..MANY + 100);
        for i in (0..MANY).step_by(97) {
            desk.recorder.forget(&format!("visitor-{i}")).unwrap();
        }
        desk.close();
        assert!(number(place, "SELECT COUNT(*) FROM unpacked") > 0, "some are read from the rows");
        let gone = u64::from(MANY.div_ceil(97));
        assert_eq!(agree(place), u64::from(MANY) + 100 - gone);
        // a program that starts later takes from the packs what was forgotten, though there is little to pack
        let desk = open(place);
        wait_until("they are gone", || number(place, "SELECT COUNT(*) FROM unpacked WHERE unit = ''") == 0);
        desk.close();
        assert_eq!(agree(place), u64::from(MANY) + 100 - gone);
    });
}

#[test]
fn rows_that_were_there_before_are_packed_too() {
    each_store(|place| {
        let desk = open(place);
        story(&desk, 0..MANY);
        desk.close();
        // as a version left them that had no packs
        for statement in
            ["DELETE FROM packs", "DELETE FROM unpacked", "UPDATE packing SET began = 0, is_whole = 0, reached = ''"]
        {
            block_on(say(place, statement));
        }
        let visitors =
            |counted: &Counted| counted.observed.variants.iter().map(|one| one.visitors + one.crossed).sum::<u64>();
        assert_eq!(visitors(&count(place, 30 * DAY)), u64::from(MANY));
        let desk = open(place);
        wait_for_packs(place, &desk);
        desk.close();
        assert_eq!(agree(place), u64::from(MANY));
    });
}

#[test]
fn packs_that_cannot_be_trusted_are_not_read() {
    each_store(|place| {
        let desk = open(place);
        story(&desk, 0..MANY);
        wait_for_packs(place, &desk);
        desk.close();
        let truth = rounded(&count(place, 30 * DAY));
        // a program of a version that notes no changes writes
        let old = "INSERT INTO boots (boot, latest) VALUES (7, 9000000000000000)";
        block_on(say(place, old));
        assert!(block_on(say(place, "DELETE FROM packs WHERE shard < 100")) > 0);
        assert_eq!(rounded(&count(place, 30 * DAY)), truth);
        block_on(say(place, "DELETE FROM boots WHERE boot = 7"));
        assert_ne!(rounded(&count(place, 30 * DAY)), truth, "they were read before");
        // and packs of nobody knows what
        spoil(place);
        assert_eq!(rounded(&count(place, 30 * DAY)), truth);
        // which the next program makes again
        let desk = open(place);
        story(&desk, MANY..2 * MANY);
        wait_for_packs(place, &desk);
        desk.close();
        assert_eq!(agree(place), 2 * u64::from(MANY));
    });
}

/// Writes something into every pack that is none.
fn spoil(place: &Location) {
    block_on(async {
        let mut connection = AnyConnection::connect(&address_of(place)).await.unwrap();
        let update = sqlx::query("UPDATE packs SET packed = $1").bind(vec![7_u8; 30]);
        update.execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

/// The statements after which a store takes no packs, and takes them again.
fn refusal(place: &Location) -> [&'static str; 2] {
    match address_of(place).starts_with("postgres") {
        true => {
            let add = "ALTER TABLE packs ADD CONSTRAINT none_fits CHECK (shard < 0) NOT VALID";
            [add, "ALTER TABLE packs DROP CONSTRAINT none_fits"]
        }
        false => {
            let add = "CREATE TRIGGER none_fits BEFORE INSERT ON packs BEGIN SELECT RAISE(ABORT, 'it is full'); END";
            [add, "DROP TRIGGER none_fits"]
        }
    }
}

#[test]
fn a_store_that_takes_no_packs_loses_nothing() {
    each_store(|place| {
        let desk = open(place);
        story(&desk, 0..1);
        wait_until("all is written", || desk.recorder.status().queued == 0);
        wait_until("packs are trusted", || number(place, "SELECT is_whole FROM packing") == 1);
        desk.close();
        let [refuse, take] = refusal(place);
        block_on(say(place, refuse));
        let desk = open(place);
        story(&desk, 0..MANY);
        wait_until("all is written", || desk.recorder.status().queued == 0);
        assert_eq!(desk.recorder.status().dropped, 0);
        desk.close();
        assert!(number(place, "SELECT COUNT(*) FROM unpacked") >= i64::from(MANY) - 1);
        assert_eq!(agree(place), u64::from(MANY));
        block_on(say(place, take));
        let desk = open(place);
        wait_for_packs(place, &desk);
        desk.close();
        assert_eq!(agree(place), u64::from(MANY));
    });
}

#[test]
fn what_is_too_old_goes_from_the_packs_as_well() {
    each_store(|place| {
        let desk = open(place);
        story(&desk, 0..MANY);
        // the ledger knows how late it is
        desk.recorder.visit(None).page("nobody", jiff::Timestamp::now());
        wait_for_packs(place, &desk);
        desk.close();
        let keep = Some(Duration::from_secs(400 * 86_400));
        let desk = Desk::with(LedgerSettings { keep, ..LedgerSettings::new(place.clone()) });
        wait_until("it is deleted", || number(place, "SELECT COUNT(*) FROM exposures") == 0);
        wait_until("it is noted", || number(place, "SELECT COUNT(*) FROM conversions") == 0);
        desk.close();
        assert_eq!(agree(place), 0);
    });
}

#[test]
fn results_are_of_one_moment_while_others_write() {
    each_store(|place| {
        let (one, other) = (open(place), open(place));
        story(&one, 0..MANY);
        story(&other, MANY..2 * MANY);
        wait_until("there is a ledger", || one.recorder.status().written > 0);
        let question = Question { flag: "form".into(), trial: None, goals: goals(), now: at(30 * DAY) };
        let (mut reads, mut is_written) = (0, false);
        while !is_written || reads < 5 {
            is_written = one.recorder.status().queued + other.recorder.status().queued == 0;
            block_on(async {
                let mut ledger = Ledger::open(place).await.unwrap();
                ledger.hold().await.unwrap();
                let counted = ledger.count(&question).await.unwrap();
                let visitors: u64 = counted.observed.variants.iter().map(|one| one.visitors + one.crossed).sum();
                assert_eq!(visitors, ledger.visitors("form").await.unwrap());
                ledger.close().await;
            });
            reads += 1;
        }
        wait_for_packs(place, &one);
        one.close();
        other.close();
        assert_eq!(agree(place), 2 * u64::from(MANY));
    });
}
