//! What counts, and what does not. Each runs in a file and, where there is one, in PostgreSQL.

use std::time::Duration;

use flagstaff_experiment::{Observed, Sums};
use flagstaff_flags::Subject;
use flagstaff_ledger::{Ledger, LedgerSettings, Location};
use sqlx::{Connection, Executor, Row};

use crate::desk::*;
use crate::many::address_of;
use crate::postgres::{Server, each_store, with_clock};

fn visitors(tally: &Observed) -> [u64; 2] {
    [tally.variants[0].visitors, tally.variants[1].visitors]
}

fn conversions(tally: &Observed, goal: usize) -> [u64; 2] {
    [tally.goals[goal].totals[0].conversions, tally.goals[goal].totals[1].conversions]
}

#[test]
fn the_first_exposure_counts_and_goals_only_after_it() {
    each_store(|place| {
        let (desk, half) = (Desk::open(place), snapshot(form(50.0)));
        let mut expected = ([0u64; 2], [0u64; 2]);
        for i in 0..500 {
            let id = format!("v{i}");
            if i % 10 == 0 {
                desk.convert("sent", &id, 1); // before it met anything
            }
            let on = usize::from(desk.meet(&half, &id, 10) == "on");
            desk.meet(&half, &id, 20);
            expected.0[on] += 1;
            if i % 5 == 0 {
                desk.convert("sent", &id, 30);
                desk.convert("sent", &id, 31); // a second time: still one visitor
                expected.1[on] += 1;
            }
        }
        let tally = tally_at(&desk.close(), 60);
        assert_eq!((visitors(&tally), conversions(&tally, 0)), expected);
        let [step] = tally.steps.as_slice() else { panic!("{:?}", tally.steps) };
        assert_eq!(
            (step.shares.as_slice(), step.exposed.as_slice()),
            ([50_000.0, 50_000.0].as_slice(), expected.0.as_slice())
        );
        assert_eq!([step.arms[0][0].conversions, step.arms[0][1].conversions], expected.1);
        assert_eq!(step.arms[0][0].times.sum, 2.0 * expected.1[0] as f64);
    });
}

#[test]
fn nothing_is_counted_twice_after_a_restart() {
    each_store(|place| {
        let half = snapshot(form(50.0));
        for _ in 0..3 {
            let desk = Desk::open(place);
            for i in 0..100 {
                desk.meet(&half, &format!("v{i}"), 10);
                let key = format!("order-{i}");
                desk.recorder.visit(None).told("paid", &format!("v{i}"), (Some(2.5), Some(&key)), at(20)).unwrap();
            }
            desk.close();
        }
        let tally = tally_at(place, 60);
        assert_eq!(visitors(&tally).iter().sum::<u64>(), 100);
        assert_eq!(tally.steps.len(), 1);
        let paid = tally.goals[2].totals.iter().map(|goal| goal.sum).sum::<f64>();
        assert!((paid - 250.0).abs() < 1e-9, "{paid}");
    });
}

#[test]
fn values_add_up_per_visitor_with_their_past() {
    each_store(|place| {
        let (desk, half) = (Desk::open(place), snapshot(form(50.0)));
        let on = visitor_at(0..50_000, 0);
        let pay = |value, seconds| {
            let paid = desk.recorder.visit(None).told("paid", &on, (Some(value), None), at(seconds));
            assert!(paid.is_ok());
        };
        pay(3.0, 1);
        desk.meet(&half, &on, 10);
        pay(5.0, 20);
        pay(7.0, 30);
        let tally = tally_at(&desk.close(), 60);
        let arm = tally.steps[0].arms[2][1];
        let sums = |sum, sum_sq| Sums { sum, sum_sq };
        assert_eq!((arm.visitors, arm.conversions, arm.value, arm.times), (1, 1, sums(12.0, 144.0), sums(2.0, 4.0)));
        assert_eq!((arm.value_times, arm.before, arm.value_before), (24.0, Some(sums(3.0, 9.0)), 36.0));
        assert_eq!(tally.steps[0].arms[0][1].before, None);
    });
}

#[test]
fn a_bounce_is_one_page_and_open_until_its_time_is_over() {
    each_store(|place| {
        let (desk, half) = (Desk::open(place), snapshot(form(50.0)));
        let [left, stayed, late, api, again] = [0, 1, 2, 3, 4].map(|i| visitor_at(0..50_000, i));
        for id in [&left, &stayed, &late, &again] {
            desk.meet(&half, id, 100);
            desk.recorder.visit(None).page(id, at(100));
        }
        desk.meet(&half, &api, 100); // met it without looking at a page
        desk.recorder.visit(None).page(&stayed, at(100 + 1799));
        desk.recorder.visit(None).page(&late, at(100 + 1801));
        desk.recorder.visit(None).page(&again, at(100)); // the same page, told again
        let place = desk.close();
        let bounced = |tally: &Observed| {
            (tally.goals[1].totals[1].visitors, tally.goals[1].totals[1].conversions, tally.goals[1].totals[1].open)
        };
        assert_eq!(bounced(&tally_at(&place, 1000)), (0, 0, 5));
        assert_eq!(bounced(&tally_at(&place, 100 + 1800)), (5, 3, 0));
    });
}

#[test]
fn pages_count_in_whatever_order_they_come() {
    each_store(|place| {
        let half = snapshot(form(50.0));
        let (quick, slow) = (visitor_at(0..50_000, 0), visitor_at(0..50_000, 1));
        let desk = Desk::open(place);
        desk.meet(&half, &quick, 100);
        desk.meet(&half, &slow, 100);
        // the second page was answered before the first
        desk.recorder.visit(None).page(&quick, at(160));
        desk.recorder.visit(None).page(&quick, at(100));
        desk.recorder.visit(None).page(&slow, at(100 + 1900));
        desk.recorder.visit(None).page(&slow, at(100));
        let tally = tally_at(&desk.close(), 10_000);
        assert_eq!((tally.goals[1].totals[1].visitors, tally.goals[1].totals[1].conversions), (2, 1));
    });
}

#[test]
fn a_visitor_is_confirmed_once_the_cookie_came_back() {
    each_store(|place| {
        let (desk, half) = (Desk::open(place), snapshot(form(50.0)));
        let [once, twice, elsewhere] = [0, 1, 2].map(|i| visitor_at(0..50_000, i));
        for id in [&once, &twice, &elsewhere] {
            desk.meet_as(&half, id, false, 10);
        }
        desk.meet_as(&half, &twice, true, 20);
        desk.recorder.visit(None).returned(&elsewhere);
        let tally = tally_at(&desk.close(), 60);
        assert_eq!((tally.variants[1].visitors, tally.variants[1].confirmed), (3, 2));
    });
}

#[test]
fn requests_that_tell_the_same_record_nothing_more() {
    each_store(|place| {
        let (desk, half) = (Desk::open(place), snapshot(form(50.0)));
        let visitor = visitor_at(0..50_000, 0);
        let decisions = half.decide(&Subject::at(at(10)).visitor(&visitor));
        let exposures: Vec<_> = decisions.exposed("GET", "/", true).map(|(id, _, decision)| (id, decision)).collect();
        let comes_back = |seconds| {
            let visit = desk.recorder.visit(None);
            visit.returned_and_exposed(&half, &visitor, exposures.iter().copied(), at(seconds));
        };
        desk.meet_as(&half, &visitor, false, 10);
        (20..30).for_each(comes_back);
        wait_until("all that is told", || desk.recorder.status().pending == 0);
        assert_eq!(desk.recorder.status().written, 2, "the variant was met, and the cookie came back");
        desk.recorder.forget(&visitor).unwrap();
        (40..50).for_each(comes_back);
        let tally = tally_at(&desk.close(), 60);
        assert_eq!((tally.variants[1].visitors, tally.variants[1].confirmed), (1, 1));
    });
}

#[test]
fn forgetting_leaves_nothing() {
    each_store(|place| {
        let (desk, half) = (Desk::open(place), snapshot(form(50.0)));
        let [gone, later, stays] = [0, 1, 2].map(|i| visitor_at(0..50_000, i));
        for id in [&gone, &later, &stays] {
            desk.meet(&half, id, 10);
            desk.convert("sent", id, 20);
        }
        desk.recorder.forget(&gone).unwrap();
        let place = desk.close();
        assert_eq!(visitors(&tally_at(&place, 60)), [0, 2]);
        let rows = block_on(async { Ledger::open(&place).await.unwrap().forget(&[&later]).await.unwrap() });
        assert_eq!(rows, 2);
        let tally = tally_at(&place, 60);
        assert_eq!((visitors(&tally), conversions(&tally, 0)), ([0, 1], [0, 1]));
    });
}

/// This machine's time, as [`at`] counts.
fn now() -> i64 {
    jiff::Timestamp::now().as_second() - at(0).as_second()
}

fn keeping(place: &Location, seconds: u64) -> Desk {
    Desk::with(LedgerSettings { keep: Some(Duration::from_secs(seconds)), ..LedgerSettings::new(place.clone()) })
}

#[test]
fn what_is_too_old_is_deleted() {
    each_store(|place| {
        let half = snapshot(form(50.0));
        let desk = Desk::open(place);
        desk.meet(&half, &visitor_at(0..50_000, 0), 10);
        desk.meet(&half, &visitor_at(0..50_000, 1), now());
        desk.close();
        let desk = keeping(place, 3600);
        desk.meet(&half, &visitor_at(0..50_000, 2), now());
        assert_eq!(visitors(&tally_at(&desk.close(), now())), [0, 2]);
    });
}

/// A clock that jumps ahead by months looks like a program that was stopped for months: neither deletes everything at once.
#[test]
fn a_clock_far_beyond_what_a_file_knows_deletes_nothing_at_once() {
    const DAY: i64 = 86_400;
    let folder = tempfile::tempdir().unwrap();
    let place = Location::file(&folder.path().join("ledger.db")).unwrap();
    let half = snapshot(form(50.0));
    let desk = Desk::open(&place);
    for (number, days) in [0, 20, 32].into_iter().enumerate() {
        desk.meet(&half, &visitor_at(0..50_000, number), now() - 400 * DAY + days * DAY);
    }
    desk.close();
    for started in 3..6 {
        let desk = keeping(&place, 30 * 86_400);
        desk.meet(&half, &visitor_at(0..50_000, started), now());
        // of those before only the first is older than 30 days, by the newest time that was known before the clock jumped
        let visitors = visitors(&tally_at(&desk.close(), now()));
        assert_eq!(visitors, [0, u64::try_from(started).unwrap()]);
    }
}

#[test]
fn a_wrong_clock_of_one_machine_deletes_nothing_from_a_shared_ledger() {
    let Some(server) = Server::start() else {
        return eprintln!("SKIPPED: PostgreSQL is not installed; tests/postgresql unpacks it");
    };
    const YEAR: i64 = 365 * 86_400;
    // the machine is ahead of the database by more than rows are kept
    let place = with_clock(&server, "- interval '366 days'");
    let half = snapshot(form(50.0));
    let desk = Desk::open(&place);
    wait_until("it is open", || desk.recorder.status().health == flagstaff_ledger::StoreHealth::Fine);
    // rows get the ledger's time
    desk.meet(&half, &visitor_at(0..50_000, 0), now() - 2 * YEAR);
    desk.meet(&half, &visitor_at(0..50_000, 1), now());
    desk.close();
    let desk = keeping(&place, YEAR.unsigned_abs());
    wait_until("what is too old by the ledger's time is deleted", || visitors(&tally_at(&place, now())) != [0, 2]);
    assert_eq!(visitors(&tally_at(&desk.close(), now())), [0, 1]);
}

#[test]
fn a_goal_counts_where_the_machine_that_saw_the_exposure_has_another_clock() {
    let Some(server) = Server::start() else {
        return eprintln!("SKIPPED: PostgreSQL is not installed; tests/postgresql unpacks it");
    };
    // this machine is an hour ahead of the ledger, and of the machine that sees the goal
    let place = with_clock(&server, "- interval '1 hour'");
    let (half, visitor) = (snapshot(form(50.0)), visitor_at(0..50_000, 0));
    let desk = Desk::open(&place);
    wait_until("it is open", || desk.recorder.status().health == flagstaff_ledger::StoreHealth::Fine);
    desk.meet(&half, &visitor, now());
    wait_until("it is written", || desk.recorder.status().pending == 0);
    let goal = format!(
        "INSERT INTO conversions (goal, unit, key, at)
         VALUES ('sent', '{visitor}', 'k', CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT) + 1000000)"
    );
    block_on(async {
        let mut connection = sqlx::AnyConnection::connect(&address_of(&place)).await.unwrap();
        connection.execute(sqlx::AssertSqlSafe(goal)).await.unwrap();
    });
    assert_eq!(conversions(&tally_at(&desk.close(), now()), 0), [0, 1]);
}

/// What makes a row old makes its visitor a new one, in every program that writes to the ledger.
#[test]
fn visitors_who_keep_coming_are_recorded_again_once_their_rows_are_too_old() {
    each_store(|place| {
        let half = snapshot(form(50.0));
        let (regular, running) = (visitor_at(0..50_000, 0), Desk::open(place));
        // more than are told of with one number
        for number in 0..1_200 {
            running.meet(&half, &format!("others-{number}"), now() - 7200);
        }
        running.meet(&half, &regular, now() - 7200);
        running.meet(&half, &visitor_at(0..50_000, 1), now());
        wait_until("all are written", || running.recorder.status().pending == 0);
        let deleting = keeping(place, 3600);
        wait_until("what is too old is deleted", || visitors(&tally_at(place, now())) == [0, 1]);
        wait_until("a visitor who comes back is recorded again", || {
            running.meet(&half, &regular, now());
            running.meet(&half, "others-1199", now());
            visitors(&tally_at(place, now())).iter().sum::<u64>() == 3
        });
        running.close();
        deleting.close();
    });
}

#[test]
fn what_no_store_takes_is_dropped_and_counted() {
    each_store(|place| {
        let desk = Desk::open(place);
        assert!(desk.recorder.visit(None).told("sent", "", (None, None), at(1)).is_err());
        for value in [f64::NAN, 1e308, -1e13] {
            assert!(desk.recorder.visit(None).told("sent", "v", (Some(value), None), at(1)).is_err());
        }
        for unit in ["a\0b", &"x".repeat(600)] {
            assert!(desk.recorder.visit(None).told("sent", unit, (None, Some(&"k\0".repeat(300))), at(1)).is_ok());
        }
        assert!(desk.recorder.visit(None).told("sent", "né\"w;--", (None, None), at(1)).is_ok());
        assert_eq!(desk.recorder.status().dropped, 4);
        desk.close();
    });
}

#[test]
fn a_full_queue_drops_at_once() {
    let folder = tempfile::tempdir().unwrap();
    // a folder is no file: the store never opens, so nothing is taken from the queue
    let place = Location::file(folder.path()).unwrap();
    let desk = Desk::with(LedgerSettings { queue: 10, ..LedgerSettings::new(place) });
    wait_until("the store is away", || {
        matches!(desk.recorder.status().health, flagstaff_ledger::StoreHealth::Away { .. })
    });
    let taken = (0..1000)
        .filter(|i| desk.recorder.visit(None).told("sent", &format!("v{i}"), (None, None), at(*i)).is_ok())
        .count();
    let status = desk.recorder.status();
    assert!(taken < 1000 && status.dropped as usize == 1000 - taken, "{status:?}");
    assert!(desk.keeper.close(STEP_WITHIN));
}

/// More than one batch holds.
#[test]
fn nothing_that_waits_is_lost_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let place = Location::file(&folder.path().join("ledger.db")).unwrap();
    let (desk, half) = (Desk::open(&place), snapshot(form(50.0)));
    for i in 0..50_000 {
        desk.meet(&half, &format!("v{i}"), 10);
    }
    let recorder = desk.recorder.clone();
    let tally = tally_at(&desk.close(), 60);
    assert_eq!(visitors(&tally).iter().sum::<u64>(), 50_000);
    assert_eq!((recorder.status().written, recorder.status().dropped), (50_000, 0));
}

#[test]
fn forgetting_an_unknown_unit_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let desk = Desk::open(&Location::file(&path).unwrap());
    desk.meet(&snapshot(form(50.0)), "a", 10);
    let place = desk.close();
    let forget = |unit: &str| block_on(async { Ledger::open(&place).await.unwrap().forget(&[unit]).await.unwrap() });
    let url = format!("sqlite:{}", path.display());
    let told = || {
        block_on(async {
            let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
            let row = sqlx::query("SELECT COUNT(*) FROM forgotten").fetch_one(&mut connection).await.unwrap();
            row.get::<i64, _>(0)
        })
    };
    assert_eq!((forget("nobody"), told()), (0, 0));
    assert_eq!((forget("a"), told()), (1, 1));
}

#[test]
fn app_reports_about_a_unit_are_limited() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(&Location::file(&folder.path().join("ledger.db")).unwrap());
    let visit = desk.recorder.visit("192.0.2.0".parse().ok());
    let told =
        |unit: &str| (0..2_000).filter(|_| visit.told("sent", unit, (Some(1.0), None), at(10)).is_ok()).count();
    assert_eq!((told("a"), told("b")), (1_000, 1_000));
    assert_eq!(desk.recorder.status().dropped, 2_000);
    desk.close();
}
