//! kill -9 in the middle of writing.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use flagstaff_ledger::Location;

use crate::desk::*;

const CHILD: &str = "FLAGSTAFF_TEST_LEDGER";

/// Records visitor after visitor, and says which, until it is killed. Only as a child of the test below.
#[test]
fn child() {
    let Some(path) = std::env::var_os(CHILD) else {
        return;
    };
    let desk = Desk::open(&Location::file(path.as_ref()).unwrap());
    let half = snapshot(form(50.0));
    let start = Instant::now();
    for i in 0.. {
        let seconds = i64::try_from(start.elapsed().as_secs()).unwrap();
        desk.meet(&half, &format!("v{i}"), seconds);
        desk.convert("sent", &format!("v{i}"), seconds + 1);
        println!("recorded {i} {}", start.elapsed().as_millis());
        std::thread::sleep(Duration::from_micros(200));
    }
}

#[test]
fn at_most_the_last_second_is_missing_and_nothing_is_there_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::child", "--nocapture"])
        .env(CHILD, &path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told: Vec<(u64, u64)> = Vec::new();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for line in lines.map_while(Result::ok) {
        // the test program writes its own words before the first
        let Some((_, numbers)) = line.split_once("recorded ") else {
            continue;
        };
        let (number, millis) = numbers.split_once(' ').unwrap();
        told.push((number.parse().unwrap(), millis.parse().unwrap()));
        if told.last().unwrap().1 > 3000 {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    let (last, ended) = *told.last().unwrap();
    let second_before = told.iter().take_while(|(_, millis)| millis + 1000 < ended).count() as u64;
    let place = Location::file(&path).unwrap();
    let tally = tally_at(&place, 10_000);
    let exposed: u64 = tally.variants.iter().map(|variant| variant.visitors).sum();
    let sent: u64 = tally.goals[0].totals.iter().map(|goal| goal.conversions).sum();
    println!("{} told, {exposed} written", last + 1);
    assert!(exposed >= second_before && exposed <= last + 1, "{exposed} of {} ({second_before})", last + 1);
    assert!(sent >= second_before && sent <= exposed);
    let times: f64 = tally.steps[0].arms[0].iter().map(|arm| arm.times.sum).sum();
    assert_eq!(times, sent as f64, "none twice");
    // and it goes on where it was
    let desk = Desk::open(&place);
    desk.meet(&snapshot(form(50.0)), "after", 20_000);
    let after: u64 = tally_at(&desk.close(), 30_000).variants.iter().map(|variant| variant.visitors).sum();
    assert_eq!(after, exposed + 1);
}
