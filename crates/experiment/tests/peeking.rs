//! Experiments with and without a difference, read again and again.
#![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

use flagstaff_experiment::{AnalysisSettings, Arm, Goal, Observed, Step, Variant, VerdictKind, analyse};

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

/// 10 % against 13 %: 1,770 visitors an arm give a test of fixed size 80 %; twice as many are looked at here.
#[test]
fn at_twice_the_fixed_size_at_least_85_percent_of_differences_are_found() {
    let (decided, _) = run([0.1, 0.13], 4 * 1_772, 50_000);
    println!("found {decided} of {EXPERIMENTS}");
    assert!(decided >= EXPERIMENTS * 85 / 100, "{decided} were found");
}
