//! How an experiment stood at the end of a day is what a ledger that ended there would count.

use flagstaff_experiment::Step;
use flagstaff_ledger::{Ledger, Location, Question};
use jiff::Timestamp;

use crate::desk::{self, *};
use crate::postgres::each_store;

const DAY: i64 = 86_400;

/// Seconds after a midnight (UTC).
fn at(seconds: i64) -> Timestamp {
    desk::at(MIDNIGHT + seconds)
}

const MIDNIGHT: i64 = 54_400;

/// Something that happens at a time, in seconds.
enum Happens {
    Meets(String),
    Converts(&'static str, String, Option<f64>),
    Looks(String),
}

/// Visitors of four days. On the third the share is raised, so that there are steps; nobody comes back after it.
fn story() -> Vec<(i64, Happens)> {
    let mut draw = fastrand::Rng::with_seed(11);
    let mut all = Vec::new();
    for i in 0..400 {
        let (visitor, met) = (format!("visitor-{i}"), draw.i64(10..4 * DAY));
        all.push((met, Happens::Meets(visitor.clone())));
        for _ in 0..draw.u8(0..3) {
            let later = met + draw.i64(-DAY / 4..2 * DAY);
            let value = draw.bool().then(|| f64::from(draw.u32(1..9_000)) / 100.0);
            all.push((later, Happens::Converts(if draw.bool() { "sent" } else { "paid" }, visitor.clone(), value)));
        }
        for _ in 0..draw.u8(0..3) {
            all.push((met + draw.i64(0..3_600), Happens::Looks(visitor.clone())));
        }
    }
    all.sort_by_key(|(at, _)| *at);
    all.retain(|(at, _)| (10..5 * DAY).contains(at));
    all
}

/// A ledger of what happened up to a time.
fn told(place: &Location, until: i64) {
    let shares = [snapshot(form(30.0)), snapshot(form(60.0))];
    let desk = Desk::open(place);
    for (time, happens) in story().into_iter().filter(|(time, _)| *time < until) {
        match happens {
            Happens::Meets(visitor) => {
                desk.meet(&shares[usize::from(time > 2 * DAY + 40_000)], &visitor, MIDNIGHT + time);
            }
            Happens::Converts(goal, visitor, value) => {
                desk.recorder.visit(None).told(goal, &visitor, (value, None), at(time)).unwrap();
            }
            Happens::Looks(visitor) => desk.recorder.visit(None).page(&visitor, at(time)),
        }
    }
    desk.close();
}

/// Visitors, conversions, and sums of values and of their squares, rounded.
type Numbers = (u64, u64, i64, i64);

/// What the test that may be read every day needs of each step.
fn needed(steps: &[Step]) -> Vec<(Vec<f64>, Vec<Numbers>)> {
    let rounded = |x: f64| (x * 1e4).round() as i64;
    let met = steps.iter().filter(|step| step.exposed.iter().sum::<u64>() > 0);
    let of = |step: &Step| {
        let arms = step.arms.iter().flatten();
        let numbers = arms
            .map(|arm| (arm.visitors, arm.conversions, rounded(arm.value.sum), rounded(arm.value.sum_sq / 100.0)));
        (step.shares.clone(), numbers.collect())
    };
    met.map(of).collect()
}

#[test]
fn each_day_is_what_a_ledger_that_ended_there_counts() {
    assert_eq!(at(0).as_second() % DAY, 0, "the tests' time begins with a day");
    each_store(|place| {
        told(place, 10 * DAY);
        let question = Question { flag: "form".into(), trial: None, goals: goals(), now: at(4 * DAY + 100) };
        let days = block_on(async { Ledger::open(place).await.unwrap().count(&question).await.unwrap().days });
        assert_eq!(days.iter().map(|day| day.end).collect::<Vec<_>>(), [1, 2, 3, 4].map(|day| at(day * DAY)));
        for (day, number) in days.iter().zip(1..) {
            let folder = tempfile::tempdir().unwrap();
            let ended = Location::file(&folder.path().join("ledger.db")).unwrap();
            told(&ended, number * DAY);
            let tally = tally_at(&ended, MIDNIGHT + number * DAY);
            assert_eq!(needed(&day.steps), needed(&tally.steps), "day {number}");
        }
        assert!(days[3].steps.len() > 1 && days[0].steps[0].arms[2].iter().any(|arm| arm.value.sum_sq > 0.0));
        // on the first day there is no other yet
        let today = Question { now: at(DAY - 1), ..question };
        assert!(block_on(async { Ledger::open(place).await.unwrap().count(&today).await.unwrap().days }).is_empty());
    });
}
