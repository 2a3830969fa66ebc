//! Deciding, beside the engines of others, in one run. In each round every engine decides every flag for 10,000 visitors in turn, one engine
//! after the other. `benches/run --peers` calls it.
#![allow(clippy::unwrap_used, reason = "a bench may fail loudly")]

mod engine;
mod eppo;
mod flagstaff;
mod launchdarkly;
#[path = "../../population.rs"]
mod population;
mod unleash;

use std::hint::black_box;
use std::time::Instant;

use engine::Engine;
use population::VISITORS;

/// Rounds of which the median is told.
const ROUNDS: usize = 15;

fn main() {
    println!("hashing: {}", flagstaff_flags::hash_kernel());
    println!(
        "nanoseconds for one visitor, medians of {ROUNDS} rounds; in brackets how many times ours the median round took\n"
    );
    let visitors = population::visitors();
    for count in [1, 10, 50, 500] {
        let flags = population::flags(count);
        let engines: [Box<dyn Engine>; 4] = [
            Box::new(flagstaff::Flagstaff::new(population::snapshot(&flags), &visitors)),
            Box::new(unleash::Unleash::new(unleash::features(&flags), &visitors)),
            Box::new(eppo::Eppo::new(eppo::flags(&flags), &visitors)),
            Box::new(launchdarkly::LaunchDarkly::new(launchdarkly::flags(&flags), &visitors)),
        ];
        report(&format!("{count} flags"), &engines);
    }
    let (users, lists) = (population::users(), population::lists());
    let engines: [Box<dyn Engine>; 4] = [
        Box::new(flagstaff::Flagstaff::of_users(population::snapshot_of_rules(&lists), &users)),
        Box::new(unleash::Unleash::new(unleash::rules(&lists), &users)),
        Box::new(eppo::Eppo::new(eppo::rules(&lists), &users)),
        Box::new(launchdarkly::LaunchDarkly::new(launchdarkly::rules(&lists), &users)),
    ];
    report("20 rules over lists of 100 users", &engines);
    for count in [1, 10_000] {
        let names = population::names(count);
        let engines: [Box<dyn Engine>; 4] = [
            Box::new(flagstaff::Flagstaff::of_users(population::snapshot_of_allowed(&names), &users)),
            Box::new(unleash::Unleash::new(unleash::allowed(&names), &users)),
            Box::new(eppo::Eppo::new(eppo::rules(std::slice::from_ref(&names)), &users)),
            Box::new(launchdarkly::LaunchDarkly::new(launchdarkly::allowed(&names), &users)),
        ];
        report(&format!("one flag, allowed for {count} users"), &engines);
    }
}

/// Rounds of all engines in turn, and their medians.
fn report(what: &str, engines: &[Box<dyn Engine>]) {
    // how many flags are on: engines draw differently, so these only come near each other
    let on: Vec<usize> = engines.iter().map(|engine| (0..VISITORS).map(|i| engine.decide(i)).sum()).collect();
    let rounds: Vec<Vec<f64>> = (0..ROUNDS).map(|_| engines.iter().map(|engine| time(&**engine)).collect()).collect();
    println!("{what}");
    for (i, engine) in engines.iter().enumerate() {
        let time = median(rounds.iter().map(|round| round[i]));
        let ratio = median(rounds.iter().map(|round| round[i] / round[0]));
        #[allow(clippy::cast_precision_loss, reason = "counts are small")]
        let on = on[i] as f64 / VISITORS as f64;
        println!("  {:<14}{time:>10.1}  [{ratio:>6.2}]   {on:.2} on", engine.name());
    }
    println!();
}

/// Nanoseconds for one visitor.
#[allow(clippy::cast_precision_loss, reason = "counts are small")]
fn time(engine: &dyn Engine) -> f64 {
    let begin = Instant::now();
    for visitor in 0..VISITORS {
        black_box(engine.decide(black_box(visitor)));
    }
    begin.elapsed().as_secs_f64() * 1e9 / VISITORS as f64
}

fn median(all: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = all.collect();
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}
