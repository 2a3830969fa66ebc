//! Experiments with and without a difference, read again and again.
#![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

use flagstaff_experiment::{
    AnalysisSettings, Arm, Goal, Measure, Observed, Plan, Step, Variant, VerdictKind, analyse,
};

const EXPERIMENTS: u64 = 1_000;
const LOOK_EVERY: u64 = 50;

fn observed(counts: [(u64, u64); 2]) -> Observed {
    let names = ["off", "on"];
    let variant =
        |(name, (visitors, _)): (&str, (u64, u64))| Variant { name: name.into(), visitors, confirmed: 0, crossed: 0 };
    Observed {
        flag: "aa".into(),
        is_holdout: false,
        variants: names.into_iter().zip(counts).map(variant).collect(),
        goals: vec![Goal { name: "sent".into(), ..Goal::default() }],
        steps: vec![Step {
            shares: vec![0.5, 0.5],
            exposed: counts.map(|(n, _)| n).to_vec(),
            arms: vec![counts.map(|(n, x)| Arm::counts(n, x)).to_vec()],
        }],
        per_day: None,
        began: None,
    }
}

/// How many of the experiments are, at some look, decided by a significant difference; and how many were called broken.
fn run(rates: [f64; 2], visitors: u64, seed: u64) -> (u64, u64) {
    let settings = AnalysisSettings::default();
    let (mut decided, mut broken) = (0, 0);
    for experiment in 0..EXPERIMENTS {
        let mut random = fastrand::Rng::with_seed(seed + experiment);
        let mut counts = [(0u64, 0u64); 2];
        let (mut was_decided, mut was_broken) = (false, false);
        for visitor in 1..=visitors {
            let arm = random.usize(0..2);
            counts[arm].0 += 1;
            counts[arm].1 += u64::from(random.f64() < rates[arm]);
            if visitor % LOOK_EVERY == 0 {
                let report = analyse(&observed(counts), &settings);
                let p = report.goals[0].comparisons[0].always_valid.adjusted_p_value;
                was_broken |= report.verdict.kind == VerdictKind::BrokenSplit;
                was_decided |= p.is_some_and(|p| p < 0.05) && report.verdict.kind != VerdictKind::BrokenSplit;
                if was_decided {
                    break;
                }
            }
        }
        decided += u64::from(was_decided);
        broken += u64::from(was_broken);
    }
    (decided, broken)
}

#[test]
fn of_1000_experiments_without_a_difference_at_most_5_percent_are_ever_decided() {
    let (decided, broken) = run([0.1, 0.1], 5_000, 1);
    println!("decided {decided}, broken {broken} of {EXPERIMENTS}");
    assert!(decided <= EXPERIMENTS / 20, "{decided} were decided");
    assert!(broken <= EXPERIMENTS / 20, "{broken} were called broken");
}

/// 10 % against 13 %.
#[test]
fn of_as_many_visitors_as_are_planned_80_percent_of_differences_are_found() {
    let plan = Plan { baseline: 0.1, lift: 0.3, read_daily: true, ..Plan::default() };
    let (decided, _) = run([0.1, 0.13], plan.needed().unwrap().total, 50_000);
    println!("found {decided} of {EXPERIMENTS}");
    assert!(decided >= EXPERIMENTS * 80 / 100, "{decided} were found");
}

/// One visitor of twenty buys, most of them little: e to the power of 3 + `spread` times a normal number.
fn buys(random: &mut fastrand::Rng, spread: f64, arm: &mut Arm) {
    arm.visitors += 1;
    if random.f64() < 0.05 {
        let normal = (-2.0 * (1.0 - random.f64()).ln()).sqrt() * (std::f64::consts::TAU * random.f64()).cos();
        let value = (3.0 + spread * normal).exp();
        arm.conversions += 1;
        arm.value.add(value, value * value);
    }
}

/// Few visitors of such values mostly lack the large ones. So a small arm has a small mean, and a small variance too, which must not make
/// it certain that it is worse.
#[test]
fn values_that_are_seldom_large_are_decided_no_oftener_on_an_uneven_split() {
    for (share, spread) in [(0.9, 1.5), (0.9, 2.0), (0.1, 2.0), (0.95, 2.0), (0.5, 2.0)] {
        let mut decided = 0;
        for experiment in 0..200 {
            let mut random = fastrand::Rng::with_seed(experiment);
            let mut arms = [Arm::default(); 2];
            let was_decided = (0..40).any(|_| {
                for _ in 0..500 {
                    let arm = usize::from(random.f64() < share);
                    buys(&mut random, spread, &mut arms[arm]);
                }
                let counts = arms.map(|arm| (arm.visitors, arm.conversions));
                let mut observed = observed(counts);
                observed.goals[0].measure = Measure::Mean;
                observed.steps[0].shares = vec![1.0 - share, share];
                observed.steps[0].arms = vec![arms.to_vec()];
                let p = analyse(&observed, &AnalysisSettings::default()).goals[0].comparisons[0].always_valid.p_value;
                p.is_some_and(|p| p < 0.05)
            });
            decided += u64::from(was_decided);
        }
        println!("share {share}, spread {spread}: {decided} of 200 decided");
        assert!(decided <= 10, "{decided} were decided");
    }
}
