//! What the tests promise, measured on simulated visitors. Every run has its own fixed seed.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use fastrand::Rng;
use flagstaff_stats::guard::{Count, Law, SequentialTest};
use flagstaff_stats::sequential::{self, Sequence};
use flagstaff_stats::{Estimate, Level, Proportion, power, proportion, srm, strata};

const ALPHA: f64 = 0.05;
const FALSE_ALARM: f64 = 0.001;

/// False alarms a test at level `alpha` may show in `runs`, three standard errors above the level.
fn tolerated(alpha: f64, runs: u64) -> f64 {
    alpha + 3.0 * (alpha / runs as f64).sqrt()
}

/// Visitors and converters of an arm that grows.
#[derive(Clone, Copy, Default)]
struct Arm {
    n: u64,
    x: u64,
}

impl Arm {
    fn visit(&mut self, random: &mut Rng, rate: f64) {
        self.n += 1;
        self.x += u64::from(random.f64() < rate);
    }

    fn proportion(&self) -> Option<Proportion> {
        Proportion::new(self.n, self.x).ok()
    }
}

/// One experiment read after every 50 visitors.
struct Experiment {
    visitors: u64,
    share: f64,
    rates: [f64; 2],
    sequence: Sequence,
}

#[derive(Default)]
struct Outcome {
    /// The sequence ever excluded no effect, on the difference or on the lift.
    found: bool,
    found_lift: bool,
    /// A plain z-test ever did.
    peeked: bool,
}

impl Experiment {
    fn run(&self, seed: u64) -> Outcome {
        let mut random = Rng::with_seed(seed);
        let (mut t, mut c) = (Arm::default(), Arm::default());
        let mut outcome = Outcome::default();
        for visitor in 1..=self.visitors {
            if random.f64() < self.share {
                t.visit(&mut random, self.rates[0]);
            } else {
                c.visit(&mut random, self.rates[1]);
            }
            if visitor % 50 == 0 {
                self.look(t, c, &mut outcome);
            }
        }
        outcome
    }

    fn look(&self, t: Arm, c: Arm, outcome: &mut Outcome) {
        let (Some(t), Some(c)) = (t.proportion(), c.proportion()) else {
            return;
        };
        if !sequential::is_shown(&t, &c) {
            return;
        }
        let (level_t, level_c) = (t.level(), c.level());
        let difference = Estimate::difference(&level_t, &level_c).unwrap();
        let lift = Estimate::lift(&level_t, &level_c).unwrap();
        outcome.found |= self.sequence.p_value(&difference) <= self.sequence.alpha();
        outcome.found_lift |= !self.sequence.interval(&lift).contains(0.0);
        outcome.peeked |= proportion::z_test(&t, &c).unwrap().p_value <= self.sequence.alpha();
    }
}

fn part(runs: u64, happened: impl Fn(u64) -> bool) -> f64 {
    (0..runs).filter(|seed| happened(*seed)).count() as f64 / runs as f64
}

#[test]
fn peeking_at_nothing_finds_nothing_in_95_of_100() {
    for (share, rate) in [(0.5, 0.1), (0.5, 0.5), (0.2, 0.1), (0.1, 0.3)] {
        let experiment = Experiment { visitors: 10_000, share, rates: [rate, rate], sequence: Sequence::default() };
        let outcomes: Vec<Outcome> = (0..1000).map(|seed| experiment.run(seed)).collect();
        let of = |pick: fn(&Outcome) -> bool| outcomes.iter().filter(|o| pick(o)).count();
        let (found, lift, peeked) = (of(|o| o.found), of(|o| o.found_lift), of(|o| o.peeked));
        println!("share {share}, rate {rate}: difference {found}, lift {lift}, plain z {peeked} of 1000");
        assert!(found <= 50 && lift <= 50, "{found} and {lift} false alarms");
        // the same peeking undoes a fixed-size test, so the experiment above was able to fail
        assert!(peeked > 200, "{peeked}");
    }
}

/// Also where the sequence is tightest long before the end, or after it.
#[test]
fn the_size_of_a_test_read_at_any_time_finds_what_it_was_made_for() {
    let aim = power::Aim::new(ALPHA, 0.8).unwrap();
    for (base, target, planned) in
        [(0.05, 0.06, 5_000.0), (0.05, 0.06, 200.0), (0.1, 0.13, 5_000.0), (0.1, 0.13, 100_000.0)]
    {
        let sequence = Sequence::new(ALPHA, planned).unwrap();
        let variance = 2.0 * (base * (1.0 - base) + target * (1.0 - target));
        let needed = power::at_any_time((target - base) / f64::sqrt(variance), &sequence, 1.0, 0.8).unwrap();
        let fixed = 2.0 * power::per_arm(base, target, &aim).unwrap();
        let of = |visitors: f64| {
            let experiment = Experiment { visitors: visitors as u64, share: 0.5, rates: [target, base], sequence };
            part(1000, |seed| experiment.run(seed).found)
        };
        let (at_needed, at_half) = (of(needed), of(needed / 2.0));
        println!(
            "{base} to {target}, planned {planned}: {:.2} times the fixed size; found {at_needed}, {at_half} at half",
            needed / fixed
        );
        assert!((0.8..0.95).contains(&at_needed), "{at_needed}");
        assert!(at_half < 0.7, "{at_half}");
    }
}

/// A ramp from 5 to 50 % while everybody's rate falls, as from a weekend into a week.
fn ramp(random: &mut Rng, lift: f64) -> Vec<(Proportion, Proportion)> {
    let steps = [(0.05, 0.30, 4000), (0.25, 0.15, 4000), (0.5, 0.05, 4000)];
    let step = |(share, rate, visitors): (f64, f64, u64)| {
        let (mut t, mut c) = (Arm::default(), Arm::default());
        for _ in 0..visitors {
            if random.f64() < share {
                t.visit(random, rate * lift);
            } else {
                c.visit(random, rate);
            }
        }
        (t.proportion().unwrap(), c.proportion().unwrap())
    };
    steps.into_iter().map(step).collect()
}

fn levels(steps: &[(Proportion, Proportion)]) -> (Level, Level) {
    strata::standardise(steps.iter().map(|(t, c)| (t.level(), c.level()))).unwrap()
}

#[test]
fn a_ramp_does_not_bias_what_is_compared_within_its_steps() {
    let runs = 1000;
    let (mut covered, mut covered_lift, mut cochran, mut pooled) = (0, 0, 0, 0);
    let mut mean_lift = 0.0;
    for seed in 0..runs {
        let steps = ramp(&mut Rng::with_seed(seed), 1.0);
        let (t, c) = levels(&steps);
        let interval = Estimate::difference(&t, &c).unwrap().normal_interval(ALPHA).unwrap();
        covered += u32::from(interval.contains(0.0));
        cochran += u32::from(strata::cochran(steps.iter().copied()).unwrap().p_value <= ALPHA);
        let sum = |pick: fn(&(Proportion, Proportion)) -> Proportion| {
            let arms = steps.iter().map(pick);
            let (n, x) = arms.fold((0, 0), |(n, x), arm| (n + arm.n(), x + arm.x()));
            Proportion::new(n, x).unwrap()
        };
        pooled += u32::from(proportion::z_test(&sum(|s| s.0), &sum(|s| s.1)).unwrap().p_value <= ALPHA);

        let (t, c) = levels(&ramp(&mut Rng::with_seed(seed), 1.3));
        let lift = Estimate::lift(&t, &c).unwrap();
        mean_lift += lift.value() / runs as f64;
        covered_lift += u32::from(lift.normal_interval(ALPHA).unwrap().contains(0.3));
    }
    println!(
        "covered {covered}, lift {covered_lift}, mean lift {mean_lift:.4}; alarms: {cochran} by step, {pooled} added up"
    );
    assert!((930..=970).contains(&covered), "{covered}");
    assert!((930..=970).contains(&covered_lift), "{covered_lift}");
    assert!((mean_lift - 0.3).abs() < 0.01, "{mean_lift}");
    assert!(cochran <= 70, "{cochran}");
    assert!(pooled > 900, "adding the arms up should have been wrong: {pooled}");
}

#[test]
fn peeking_along_a_ramp_stays_within_the_level() {
    let sequence = Sequence::default();
    let alarmed = |seed: u64| {
        let mut random = Rng::with_seed(seed);
        let mut steps: Vec<(Arm, Arm)> = Vec::new();
        [(0.1, 0.3), (0.25, 0.2), (0.5, 0.1)].into_iter().any(|(share, rate)| {
            steps.push(Default::default());
            (0..60).any(|_| {
                let (t, c) = steps.last_mut().unwrap();
                for _ in 0..50 {
                    let arm = if random.f64() < share { &mut *t } else { &mut *c };
                    arm.visit(&mut random, rate);
                }
                let known = steps.iter().filter_map(|(t, c)| Some((t.proportion()?, c.proportion()?)));
                let converted = |pick: fn(&(Arm, Arm)) -> u64| steps.iter().map(pick).sum::<u64>();
                if converted(|s| s.0.x).min(converted(|s| s.1.x)) < sequential::SHOWN_FROM {
                    return false;
                }
                let (t, c) = levels(&known.collect::<Vec<_>>());
                sequence.p_value(&Estimate::difference(&t, &c).unwrap()) <= ALPHA
            })
        })
    };
    let rate = part(1000, alarmed);
    println!("peeking along a ramp: {rate} false alarms");
    assert!(rate <= ALPHA, "{rate}");
}

#[test]
fn the_sequential_split_test_keeps_its_promise_and_finds_mismatches() {
    let ever = |seed: u64, actual: f64, visitors: u64| {
        let (mut random, mut counts) = (Rng::with_seed(seed), [0_u64, 0]);
        (0..visitors).any(|visitor| {
            counts[usize::from(random.f64() >= actual)] += 1;
            visitor % 20 == 0 && srm::is_alarm(srm::log_bayes_factor(&counts, &[1.0, 1.0]).unwrap())
        })
    };
    let false_alarms = part(1000, |seed| ever(seed, 0.5, 20_000));
    let found = part(200, |seed| ever(seed, 0.53, 20_000));
    println!("split: {false_alarms} false alarms, {found} of 53:47 found");
    assert!(false_alarms <= tolerated(FALSE_ALARM, 1000), "{false_alarms}");
    assert!(found > 0.95, "{found}");
}

/// Whether a guard ever trips at `alpha` on `events` of each step, hit in treatment `ratio` times as often.
fn trips(law: &Law, ratio: f64, alpha: f64, events: u32, seed: u64) -> bool {
    let mut random = Rng::with_seed(seed);
    let mut guard = SequentialTest::new(law.clone(), 0.01).unwrap();
    [0.01, 0.05, 0.25, 0.5].into_iter().any(|share| {
        guard.begin_step(share).unwrap();
        let hit = share * ratio / (share * ratio + 1.0 - share);
        (0..events).any(|_| {
            if random.f64() < hit {
                guard.observe(1, 0);
            } else {
                guard.observe(0, 1);
            }
            guard.trips(alpha).unwrap()
        })
    })
}

#[test]
fn a_harmless_flag_is_not_rolled_back() {
    let runs = 3000;
    let tolerated_harm = 1.25;
    let cases = [(Law::harm(), 1.0), (Law::harm(), tolerated_harm), (Law::goals(), 1.0), (Law::goals(), 1.1)];
    for (law, ratio) in cases {
        for alpha in [FALSE_ALARM, 0.05] {
            let rate = part(runs, |seed| trips(&law, ratio, alpha, 500, seed));
            println!("guard r0 {} at ratio {ratio}, alpha {alpha}: {rate} false alarms", law.tolerated());
            assert!(rate <= tolerated(alpha, runs), "{rate}");
        }
    }
}

#[test]
fn a_harmful_flag_is_rolled_back() {
    assert!(part(100, |seed| trips(&Law::harm(), 3.0, FALSE_ALARM, 500, seed)) > 0.99);
    assert!(part(100, |seed| trips(&Law::goals(), 0.5, FALSE_ALARM, 500, seed)) > 0.99);
}

/// Both arms fail alike, and half of all visitors meet an error at once.
#[test]
fn a_shared_outage_trips_nothing() {
    let runs = 2000;
    let tripped = |seed: u64| {
        let mut random = Rng::with_seed(seed);
        let mut guard = SequentialTest::new(Law::harm(), 0.05).unwrap();
        (0..12_000).any(|visitor| {
            let rate = if (5000..6000).contains(&visitor) { 0.5 } else { 0.01 };
            let treated = u64::from(random.f64() < 0.05);
            if random.f64() < rate {
                guard.observe(treated, 1 - treated);
            }
            guard.trips(FALSE_ALARM).unwrap()
        })
    };
    let rate = part(runs, tripped);
    println!("shared outage: {rate} false alarms");
    assert!(rate <= tolerated(FALSE_ALARM, runs), "{rate}");
}

/// The value below which `part` of the values lie.
fn quantile(mut values: Vec<f64>, part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * part) as usize]
}

fn near(got: f64, want: f64) {
    assert!((got - want).abs() <= 0.2 * want, "{got} is not within 20 % of {want}");
}

/// Treatment requests until the alarm, without restarts.
fn delay(share: f64, p_c: f64, p_t: f64, seed: u64) -> f64 {
    let law = Law::harm();
    let mut random = Rng::with_seed(seed);
    let (mut count, mut requests) = (Count { share, treatment: 0, control: 0 }, 0.0);
    loop {
        let treated = random.f64() < share;
        requests += f64::from(u8::from(treated));
        if random.f64() < if treated { p_t } else { p_c } {
            count.treatment += u64::from(treated);
            count.control += u64::from(!treated);
            if law.log_evidence([count]).unwrap() >= -FALSE_ALARM.ln() {
                return requests;
            }
        }
    }
}

#[test]
fn the_guard_is_as_quick_as_stated() {
    for (p_c, p_t, median) in [(0.01, 0.05, 279.0), (0.01, 0.1, 74.0), (0.01, 0.5, 7.0), (0.001, 0.01, 724.0)] {
        let delays: Vec<f64> = (0..1500).map(|seed| delay(0.05, p_c, p_t, seed)).collect();
        let (half, most) = (quantile(delays.clone(), 0.5), quantile(delays, 0.9));
        println!("{p_c} to {p_t}: median {half}, 90th percentile {most} treatment requests");
        near(half, median);
        assert!(most < 2.6 * half, "{most}");
    }
}

/// The median of bad events to the alarm after healthy ones, at a quarter of the traffic and five times the errors.
fn events_to_alarm(healthy: u32, restarts: bool) -> f64 {
    let (share, ratio) = (0.25, 5.0);
    let hit = share * ratio / (share * ratio + 1.0 - share);
    let events = |seed: u64| {
        let mut random = Rng::with_seed(seed);
        let mut guard = SequentialTest::new(Law::harm(), share).unwrap();
        let mut count = Count { share, treatment: 0, control: 0 };
        for event in 0_u32.. {
            let treated = u64::from(random.f64() < if event < healthy { share } else { hit });
            guard.observe(treated, 1 - treated);
            count.treatment += treated;
            count.control += 1 - treated;
            let plain = guard.law().log_evidence([count]).unwrap();
            let evidence = if restarts { guard.log_evidence() } else { plain };
            if event >= healthy && evidence >= -FALSE_ALARM.ln() {
                return f64::from(event + 1 - healthy);
            }
        }
        f64::INFINITY
    };
    quantile((0..300).map(events).collect(), 0.5)
}

#[test]
fn restarts_keep_the_guard_from_going_deaf() {
    let (plain, restarted) = (events_to_alarm(500, false), events_to_alarm(500, true));
    println!("after 500 healthy errors: {plain} more without restarts, {restarted} with");
    near(plain, 230.0);
    near(restarted, 59.0);
    // a hundred machines have been started by then and two thirds of them dropped: the right ones
    let later = events_to_alarm(5000, true);
    println!("after 5000: {later} with");
    assert!(later < 1.5 * restarted, "{later}");
}
