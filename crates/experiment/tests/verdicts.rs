//! Each kind of verdict, the shape scripts rely on, and data that cannot be.
#![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

use flagstaff_experiment::{
    AnalysisSettings, Arm, Day, Direction, Goal, Measure, Observed, Plan, Report, Share, Step, Sums, Total, Variant,
    VerdictKind, analyse, analyse_daily, compare,
};
use flagstaff_stats::Proportion;
use proptest::prelude::*;
use serde_json::Value;

fn goal(name: &str, totals: &[(u64, u64)]) -> Goal {
    let totals = totals.iter().map(|(visitors, conversions)| Total {
        visitors: *visitors,
        conversions: *conversions,
        ..Total::default()
    });
    Goal { name: name.into(), totals: totals.collect(), ..Goal::default() }
}

fn variants(names: &[&str], visitors: &[u64]) -> Vec<Variant> {
    let variant = |(name, visitors): (&&str, &u64)| Variant {
        name: (*name).into(),
        visitors: *visitors,
        confirmed: *visitors,
        crossed: 0,
    };
    names.iter().zip(visitors).map(variant).collect()
}

/// Off and on, half each, one step: (visitors, conversions) of each.
fn halves(off: (u64, u64), on: (u64, u64)) -> Observed {
    Observed {
        flag: "form".into(),
        is_holdout: false,
        variants: variants(&["off", "on"], &[off.0, on.0]),
        goals: vec![goal("sent", &[off, on])],
        steps: vec![Step {
            shares: vec![0.5, 0.5],
            exposed: vec![off.0, on.0],
            arms: vec![vec![Arm::counts(off.0, off.1), Arm::counts(on.0, on.1)]],
        }],
        per_day: Some(1000.0),
        began: None,
    }
}

fn report(observed: &Observed) -> Report {
    analyse(observed, &AnalysisSettings::default())
}

fn kind(observed: &Observed) -> VerdictKind {
    report(observed).verdict.kind
}

#[test]
fn a_clear_winner_is_shipped_with_a_warning() {
    let report = report(&halves((10_000, 500), (10_000, 615)));
    assert_eq!((report.verdict.kind, report.verdict.variant.as_deref()), (VerdictKind::Ship, Some("on")));
    assert_eq!(report.verdict.days_left, None);
    let text = &report.verdict.text;
    assert!(text.contains("6.15 %") && text.contains("5 %") && text.contains("looks better than it is"), "{text}");
    let one = &report.goals[0].comparisons[0];
    assert!((one.difference.unwrap() - 0.0115).abs() < 1e-12 && (one.lift.unwrap() - 0.23).abs() < 1e-12);
    assert!(one.always_valid.p_value.unwrap() > one.p_value.unwrap(), "the price of looking every day");
}

/// The steps of halves at the end of an earlier day.
fn earlier(off: (u64, u64), on: (u64, u64)) -> Day {
    Day { steps: halves(off, on).steps, ..Day::default() }
}

#[test]
fn the_smallest_p_value_so_far_stays() {
    let (now, settings) = (halves((8_000, 400), (8_000, 430)), AnalysisSettings::default());
    let alone = report(&now).goals[0].comparisons[0].always_valid;
    assert_eq!((alone.p_value, alone.p_value_now), (Some(1.0), Some(1.0)));
    let best = earlier((4_000, 200), (4_000, 280));
    let days = [earlier((100, 1), (100, 2)), best.clone(), earlier((6_000, 300), (6_000, 350))];
    let report = analyse_daily(&now, &days, &settings);
    let after = report.goals[0].comparisons[0].always_valid;
    let then =
        analyse(&Observed { steps: best.steps, ..now.clone() }, &settings).goals[0].comparisons[0].always_valid;
    assert_eq!((after.p_value, after.p_value_now), (then.p_value, Some(1.0)));
    let (today, kept) = (alone.interval.unwrap(), after.interval.unwrap());
    assert!(
        kept.low > 0.0 && kept.low > today.low && kept.high <= today.high,
        "what an earlier day ruled out stays ruled out"
    );
    assert!(after.p_value < Some(0.05) && after.adjusted_p_value == after.p_value);
    assert_eq!(report.verdict.kind, VerdictKind::Ship);
    assert!(report.verdict.text.contains("on an earlier day"), "{}", report.verdict.text);
    assert!(!analyse(&halves((10_000, 500), (10_000, 615)), &settings).verdict.text.contains("earlier"));
}

#[test]
fn once_the_loser_is_no_winner_today() {
    let now = halves((8_000, 400), (8_000, 430));
    let days = [earlier((4_000, 280), (4_000, 200))];
    let report = analyse_daily(&now, &days, &AnalysisSettings::default());
    assert_eq!(report.goals[0].comparisons[0].always_valid.p_value, Some(1.0));
    assert_ne!(report.verdict.kind, VerdictKind::Ship);
}

#[test]
fn a_clear_loser_keeps_the_control() {
    let report = report(&halves((10_000, 615), (10_000, 500)));
    assert_eq!((report.verdict.kind, report.verdict.variant.as_deref()), (VerdictKind::KeepControl, Some("off")));
}

#[test]
fn less_is_better_where_it_is() {
    let mut observed = halves((10_000, 5_000), (10_000, 4_500));
    observed.goals[0].better = Direction::Down;
    assert_eq!(report(&observed).verdict.variant.as_deref(), Some("on"));
    observed.goals[0].better = Direction::Up;
    assert_eq!(report(&observed).verdict.variant.as_deref(), Some("off"));
}

#[test]
fn equal_rates_run_on_and_say_how_long() {
    let report = report(&halves((10_000, 500), (10_000, 505)));
    assert_eq!((report.verdict.kind, report.verdict.variant), (VerdictKind::KeepRunning, None));
    // N = (b(N) + 0.842)² · 0.0475 · 4 / 0.005², b(N) = 3.393: 136,300 in all, less the 20,000 seen, 1,000 a day
    assert_eq!(report.verdict.days_left, Some(116));
    assert!(report.verdict.text.starts_with("Keep running, about 116 days more"), "{}", report.verdict.text);
    assert!(report.verdict.text.contains("0.899 points"), "{}", report.verdict.text);
}

#[test]
fn without_traffic_no_days_are_named() {
    let mut observed = halves((10_000, 500), (10_000, 505));
    for per_day in [None, Some(0.0), Some(f64::NAN)] {
        observed.per_day = per_day;
        let verdict = report(&observed).verdict;
        assert_eq!((verdict.kind, verdict.days_left), (VerdictKind::KeepRunning, None));
    }
}

#[test]
fn what_would_matter_can_be_ruled_out() {
    let report = report(&halves((400_000, 20_000), (400_000, 20_010)));
    assert_eq!(report.verdict.kind, VerdictKind::KeepControl);
    assert!(report.verdict.text.contains("ruled out"), "{}", report.verdict.text);
}

#[test]
fn a_test_ends_when_its_visitors_came() {
    // 5 percent more: not sure, and 10 percent is not ruled out either
    let report = report(&halves((70_000, 3_500), (70_000, 3_675)));
    assert_eq!(report.verdict.kind, VerdictKind::KeepControl);
    assert!(report.verdict.text.contains("none was found"), "{}", report.verdict.text);
}

#[test]
fn nothing_is_shown_before_25_conversions_in_each() {
    let report = report(&halves((300, 24), (300, 90)));
    assert_eq!(report.verdict.kind, VerdictKind::NotEnough);
    let one = &report.goals[0].comparisons[0];
    assert_eq!(one.always_valid.p_value, None);
    assert!(report.verdict.text.contains("24 and 210"), "{}", report.verdict.text);
    assert_eq!(report.verdict.days_left, Some(1));
    assert_eq!(kind(&halves((300, 25), (300, 90))), VerdictKind::Ship);
}

#[test]
fn a_tampered_share_names_no_winner() {
    let report = report(&halves((10_400, 520), (9_600, 700)));
    assert!(report.sample_ratio.broken && report.sample_ratio.p_value < 1e-6);
    assert_eq!((report.verdict.kind, report.verdict.variant), (VerdictKind::BrokenSplit, None));
    assert!(
        report.verdict.text.contains("10,400 and 9,600 visitors, where 10,000 and 10,000"),
        "{}",
        report.verdict.text
    );
}

#[test]
fn one_visitor_of_a_one_percent_share_breaks_no_split() {
    let mut observed = halves((0, 0), (1, 0));
    observed.steps[0].shares = vec![0.99, 0.01];
    let report = report(&observed);
    assert!(!report.sample_ratio.broken, "{:?}", report.sample_ratio);
    assert_eq!(report.verdict.kind, VerdictKind::NotEnough);
}

/// Monday 10 % of visitors got it and few bought; Friday 50 % and many did. Added up, it looks like a winner.
#[test]
fn steps_of_a_ramp_are_compared_each_by_itself() {
    let step = |shares: [f64; 2], off: (u64, u64), on: (u64, u64)| Step {
        shares: shares.to_vec(),
        exposed: vec![off.0, on.0],
        arms: vec![vec![Arm::counts(off.0, off.1), Arm::counts(on.0, on.1)]],
    };
    let observed = Observed {
        flag: "form".into(),
        is_holdout: false,
        variants: variants(&["off", "on"], &[28_000, 12_000]),
        goals: vec![goal("sent", &[(28_000, 1_540), (12_000, 1_160)])],
        steps: vec![
            step([90.0, 10.0], (18_000, 540), (2_000, 60)),
            step([50.0, 50.0], (10_000, 1_000), (10_000, 1_000)),
        ],
        per_day: Some(1000.0),
        began: None,
    };
    let report = report(&observed);
    assert!(!report.sample_ratio.broken && report.steps == 2);
    let one = &report.goals[0].comparisons[0];
    assert!(one.difference.unwrap().abs() < 1e-12 && one.lift.unwrap().abs() < 1e-12);
    assert!(one.p_value.unwrap() > 0.99);
    assert_ne!(report.verdict.kind, VerdictKind::Ship);
}

#[test]
fn the_price_of_many_variants_is_paid() {
    let base = halves((10_000, 500), (10_000, 615));
    assert_eq!(kind(&base), VerdictKind::Ship);
    let mut many = base;
    many.variants = variants(&["a", "b", "c", "d", "e", "f"], &[10_000; 6]);
    let counts = [500, 615, 500, 505, 495, 500].map(|conversions| (10_000, conversions));
    many.goals = vec![goal("sent", &counts)];
    many.steps[0].shares = vec![1.0; 6];
    many.steps[0].exposed = vec![10_000; 6];
    many.steps[0].arms = vec![counts.map(|(n, x)| Arm::counts(n, x)).to_vec()];
    let report = report(&many);
    let one = &report.goals[0].comparisons[0];
    let (p, adjusted) = (one.always_valid.p_value.unwrap(), one.always_valid.adjusted_p_value.unwrap());
    assert!(p < 0.05 && (adjusted - 5.0 * p).abs() < 1e-12);
    assert_eq!(report.verdict.kind, VerdictKind::KeepRunning);
}

/// "None was found" and an interval beyond 0 cannot stand in one answer, whatever else is compared.
#[test]
fn a_change_that_shows_is_never_called_not_found() {
    let mut exhausted = 0;
    for goals in [1, 2, 10, 40] {
        for visitors in [20_000, 62_462, 70_000, 100_000, 2_000_000] {
            for lift in [0.0, 0.01, 0.03, 0.05, 0.0999, 0.12] {
                let counts = [(visitors, visitors / 20), (visitors, (visitors as f64 * 0.05 * (1.0 + lift)) as u64)];
                let mut observed = halves(counts[0], counts[1]);
                observed.goals = (0..goals).map(|n| goal(&format!("g{n}"), &counts)).collect();
                let others = counts.map(|(n, _)| Arm::counts(n, n / 20)).to_vec();
                let first = counts.map(|(n, x)| Arm::counts(n, x)).to_vec();
                observed.steps[0].arms = std::iter::once(first).chain(vec![others; goals - 1]).collect();
                let report = report(&observed);
                let one = &report.goals[0].comparisons[0].always_valid;
                let is_not_found = report.verdict.text.contains("none was found");
                exhausted += usize::from(is_not_found);
                let shows = one.interval.unwrap().low > 0.0;
                assert!(!(is_not_found && shows), "{goals} goals, {visitors}, {lift}: {}", report.verdict.text);
                assert!(
                    goals > 1
                        || !shows
                        || report.verdict.kind != VerdictKind::KeepControl
                        || one.lift_interval.unwrap().high < 0.1
                );
            }
        }
    }
    assert!(exhausted > 0, "the verdict that is asked for was never there");
}

/// Of a mean, visitors without a value say as much as those with one.
#[test]
fn a_value_that_everybody_has_is_judged() {
    let (mut off, mut on) = (purchases(400, 0.0, 3), purchases(400, 0.0, 4));
    for (arm, level) in [(&mut off, 100.0), (&mut on, 120.0)] {
        (arm.conversions, arm.value) = (400, Sums { sum: 400.0 * level, sum_sq: 400.0 * (level * level + 400.0) });
    }
    let mut observed = halves((400, 400), (400, 400));
    observed.goals[0].measure = Measure::Mean;
    observed.steps[0].arms = vec![vec![off, on]];
    let report = report(&observed);
    assert_eq!(report.verdict.kind, VerdictKind::Ship, "{}", report.verdict.text);
    for arm in &mut observed.steps[0].arms[0] {
        arm.value = Sums { sum: 400.0 * 5.0, sum_sq: 400.0 * 25.0 };
    }
    let verdict = analyse(&observed, &AnalysisSettings::default()).verdict;
    assert!(verdict.text.contains("sent is the same for all visitors"), "{}", verdict.text);
    assert_eq!((verdict.kind, verdict.days_left), (VerdictKind::NotEnough, None));
    observed.steps[0].arms[0][0].conversions = 24;
    let text = analyse(&observed, &AnalysisSettings::default()).verdict.text;
    assert!(text.contains("each variant has 25 visitors with sent; the fewest so far are 24."), "{text}");
}

#[test]
fn a_winner_that_harms_another_goal_is_shipped_with_a_but() {
    let mut observed = halves((10_000, 500), (10_000, 640));
    observed.goals.push(Goal { better: Direction::Down, ..goal("bounced", &[(10_000, 3_000), (10_000, 3_600)]) });
    observed.steps[0].arms.push(vec![Arm::counts(10_000, 3_000), Arm::counts(10_000, 3_600)]);
    let verdict = report(&observed).verdict;
    assert_eq!(verdict.kind, VerdictKind::Ship);
    assert!(verdict.text.contains("worse by bounced, which rises"), "{}", verdict.text);
}

/// Values y of which each visitor knows a past value: post = past + noise, and `more` on top for the treatment.
fn purchases(n: u64, more: f64, seed: u64) -> Arm {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut arm = Arm { visitors: n, before: Some(Sums::default()), ..Arm::default() };
    let add = |sums: &mut Sums, y: f64| {
        sums.sum += y;
        sums.sum_sq += y * y;
    };
    for _ in 0..n {
        let past = random.f64() * 100.0;
        let times = f64::from(random.u8(0..3));
        let value = if times > 0.0 { past + random.f64() * 20.0 + more } else { 0.0 };
        arm.conversions += u64::from(times > 0.0);
        add(&mut arm.value, value);
        add(&mut arm.times, times);
        arm.value_times += value * times;
        add(arm.before.as_mut().unwrap(), past);
        arm.value_before += value * past;
    }
    arm
}

#[test]
fn values_are_compared_by_their_mean_and_told_per_conversion() {
    let (off, on) = (purchases(5_000, 0.0, 1), purchases(5_000, 9.0, 2));
    let mut observed = halves((5_000, off.conversions), (5_000, on.conversions));
    observed.goals[0].measure = Measure::Mean;
    observed.steps[0].arms = vec![vec![off, on]];
    let report = report(&observed);
    let one = &report.goals[0].comparisons[0];
    let mean = |arm: &Arm| arm.value.sum / arm.visitors as f64;
    assert!((one.difference.unwrap() - (mean(&on) - mean(&off))).abs() < 1e-9);
    let ratio = one.per_conversion.unwrap();
    assert!((ratio.treatment - on.value.sum / on.times.sum).abs() < 1e-9);
    let adjusted = one.adjusted.unwrap();
    assert!(adjusted.variance_explained > 0.1 && adjusted.p_value < one.p_value.unwrap(), "{adjusted:?}");
    assert_eq!(report.verdict.kind, VerdictKind::Ship);
}

#[test]
fn the_json_has_the_shape_scripts_rely_on() {
    let json: Value = serde_json::to_value(report(&halves((10_000, 500), (10_000, 615)))).unwrap();
    assert_eq!(json["flag"], "form");
    assert!(json["sample_ratio"]["p_value"].as_f64().unwrap() > 0.99 && json["sample_ratio"]["broken"] == false);
    let goal = &json["goals"][0];
    assert_eq!(goal["goal"], "sent");
    assert_eq!(goal["variants"][1]["variant"], "on");
    assert_eq!(goal["variants"][1]["visitors"], 10_000);
    assert_eq!(goal["variants"][1]["conversions"], 615);
    assert_eq!(goal["variants"][1]["rate"], 0.0615);
    let one = &goal["comparisons"][0];
    assert_eq!(one["variant"], "on");
    for number in ["difference", "lift", "p_value"] {
        assert!(one[number].is_f64(), "{number}: {one}");
    }
    for range in [&one["interval"], &one["lift_interval"], &one["always_valid"]["interval"]] {
        assert!(range[0].as_f64().unwrap() < range[1].as_f64().unwrap());
    }
    assert!(one["always_valid"]["p_value"].as_f64().unwrap() < 0.05);
    assert_eq!(json["verdict"]["kind"], "ship");
    assert_eq!(json["verdict"]["variant"], "on");
    assert!(json["verdict"]["text"].is_string() && json["verdict"]["days_left"].is_null());
}

#[test]
fn two_counts_by_hand() {
    let count = |n, x| Proportion::new(n, x).unwrap();
    let result = compare(&count(10_000, 500), &count(10_000, 615), Share::HALF, &AnalysisSettings::default());
    let json = serde_json::to_value(&result).unwrap();
    assert!((json["difference"].as_f64().unwrap() - 0.0115).abs() < 1e-12);
    assert!((json["p_value"].as_f64().unwrap() - 3.938_2e-4).abs() < 1e-8, "{json}");
    assert_eq!(json["sample_ratio"]["broken"], false);
    let uneven =
        compare(&count(10_000, 500), &count(1_100, 60), Share::new(0.1).unwrap(), &AnalysisSettings::default());
    assert!(!uneven.sample_ratio.broken);
    assert!(
        compare(&count(10_000, 500), &count(1_100, 60), Share::HALF, &AnalysisSettings::default())
            .sample_ratio
            .broken
    );
    assert!(Share::new(0.0).is_err() && Share::new(1.0).is_err() && Share::new(f64::NAN).is_err());
    let nobody = compare(&count(1, 0), &count(1, 0), Share::HALF, &AnalysisSettings::default());
    assert_eq!((nobody.comparison.lift, nobody.comparison.p_value), (None, None));
}

#[test]
fn plans_say_visitors_and_days() {
    let needed = Plan { per_day: Some(2_000.0), ..Plan::default() }.needed().unwrap();
    assert_eq!((needed.per_variant, needed.total, needed.days), (31_231, 62_462, Some(32)));
    let daily = Plan { read_daily: true, ..Plan::default() }.needed().unwrap();
    assert_eq!((daily.per_variant, daily.days), (71_121, None));
    let sharper = Plan { read_daily: true, planned: 100_000.0, ..Plan::default() }.needed().unwrap();
    assert!(needed.per_variant < sharper.per_variant && sharper.per_variant < daily.per_variant);
    for read_daily in [false, true] {
        let of = |goals| Plan { goals, read_daily, ..Plan::default() }.needed().unwrap().per_variant;
        assert!(of(1) < of(2) && of(2) < of(10), "goals share the chance of a false alarm");
    }
    let three = Plan { variants: 3, ..Plan::default() }.needed().unwrap();
    assert!(three.per_variant > needed.per_variant && three.total == 3 * three.per_variant);
    for (named, wrong) in [
        ("lift", Plan { lift: 0.0, ..Plan::default() }),
        ("lift", Plan { lift: f64::NAN, ..Plan::default() }),
        ("`baseline` with `lift`", Plan { lift: 20.0, ..Plan::default() }),
        ("`baseline` with `lift`", Plan { lift: -1.0, ..Plan::default() }),
        ("baseline", Plan { baseline: 1.0, ..Plan::default() }),
        ("variants", Plan { variants: 1, ..Plan::default() }),
        ("goals", Plan { goals: 0, ..Plan::default() }),
        ("planned", Plan { read_daily: true, planned: 0.0, ..Plan::default() }),
        ("per_day", Plan { per_day: Some(0.0), ..Plan::default() }),
        ("alpha", Plan { alpha: f64::NAN, ..Plan::default() }),
        ("power", Plan { power: 1.0, ..Plan::default() }),
        ("power", Plan { alpha: 0.2, power: 0.1, ..Plan::default() }),
    ] {
        let said = wrong.needed().unwrap_err().to_string();
        assert!(said.contains(named), "{wrong:?}: {said}");
    }
}

#[test]
fn settings_are_checked() {
    assert!(AnalysisSettings::new(None, None, None).is_ok());
    assert!(
        AnalysisSettings::new(Some(0.0), None, None).is_err()
            && AnalysisSettings::new(Some(0.5), None, None).is_err()
    );
    assert!(
        AnalysisSettings::new(None, Some(0.0), None).is_err()
            && AnalysisSettings::new(None, None, Some(-0.1)).is_err()
    );
}

#[test]
fn nothing_at_all_is_not_enough() {
    assert_eq!(kind(&Observed::default()), VerdictKind::NotEnough);
    assert_eq!(kind(&halves((0, 0), (0, 0))), VerdictKind::NotEnough);
    let mut alone = halves((100, 50), (100, 50));
    alone.variants.truncate(1);
    assert_eq!(kind(&alone), VerdictKind::NotEnough);
    let mut without = halves((100, 50), (100, 50));
    without.goals.clear();
    assert!(report(&without).verdict.text.contains("no goal"));
    assert_eq!(kind(&halves((1_000, 0), (1_000, 0))), VerdictKind::NotEnough);
    assert_eq!(kind(&halves((1_000, 1_000), (1_000, 1_000))), VerdictKind::NotEnough);
}

fn any_sums() -> impl Strategy<Value = Sums> {
    let number = prop_oneof![any::<f64>(), 0.0..1e6, Just(0.0)];
    (number.clone(), number).prop_map(|(sum, sum_sq)| Sums { sum, sum_sq })
}

fn any_arm() -> impl Strategy<Value = Arm> {
    let count = prop_oneof![any::<u64>(), 0..200u64];
    (count.clone(), count, any_sums(), any_sums(), any::<f64>(), prop::option::of(any_sums()), any::<f64>()).prop_map(
        |(visitors, conversions, value, times, value_times, before, value_before)| Arm {
            visitors,
            conversions,
            value,
            times,
            value_times,
            before,
            value_before,
        },
    )
}

fn any_step() -> impl Strategy<Value = Step> {
    (
        prop::collection::vec(prop_oneof![any::<f64>(), 0.0..1.0], 0..4),
        prop::collection::vec(any::<u64>(), 0..4),
        prop::collection::vec(prop::collection::vec(any_arm(), 0..4), 0..3),
    )
        .prop_map(|(shares, exposed, arms)| Step { shares, exposed, arms })
}

proptest! {
    /// Whatever is counted, also what cannot be: an answer, and JSON in which every number is one.
    #[test]
    fn any_data_gets_an_answer(
        steps in prop::collection::vec(any_step(), 0..4),
        variants in 0..4usize,
        goals in prop::collection::vec((any::<bool>(), any::<bool>()), 0..3),
        per_day in prop::option::of(any::<f64>()),
    ) {
        let goals = goals.into_iter().map(|(mean, down)| Goal {
            name: "g".into(),
            measure: if mean { Measure::Mean } else { Measure::Rate },
            better: if down { Direction::Down } else { Direction::Up },
            totals: vec![],
        });
        let observed = Observed {
            flag: "f".into(),
            is_holdout: false,
            variants: (0..variants).map(|i| Variant { name: format!("v{i}"), visitors: 1, confirmed: 1, crossed: 0 }).collect(),
            goals: goals.collect(),
            steps,
            per_day,
            began: None,
        };
        let report = analyse(&observed, &AnalysisSettings::default());
        prop_assert!(!report.sample_ratio.p_value.is_nan());
        for one in report.goals.iter().flat_map(|goal| &goal.comparisons) {
            prop_assert!(one.p_value.is_none_or(|p| (0.0..=1.0).contains(&p)));
            prop_assert!(one.always_valid.p_value.is_none_or(|p| (0.0..=1.0).contains(&p)));
        }
    }

    /// Turning the arms around turns the difference around.
    #[test]
    fn arms_are_treated_alike(n in 100..5_000u64, a in 0..100u64, b in 0..100u64) {
        let (one, other) = (report(&halves((n, a), (n, b))), report(&halves((n, b), (n, a))));
        let difference = |report: &Report| report.goals[0].comparisons[0].difference.unwrap();
        prop_assert!((difference(&one) + difference(&other)).abs() < 1e-12);
        let p = |report: &Report| report.goals[0].comparisons[0].always_valid.p_value;
        prop_assert_eq!(p(&one).map(|p| (p * 1e9).round()), p(&other).map(|p| (p * 1e9).round()));
    }
}

/// The decision, the interval of the difference and that of the lift say the same, at every size and wherever the rates lie.
#[test]
fn intervals_agree_with_the_test() {
    for n in [100_u64, 1_000, 10_000, 200_000] {
        for base in [26, n / 20, n / 4, n / 2].into_iter().filter(|base| (26..n - 26).contains(base)) {
            let treated = |step: u64| (base + step * (n / 400).max(1)).checked_sub(40 * (n / 400).max(1));
            for treated in (0..80).filter_map(treated).filter(|x| (26..n - 26).contains(x)) {
                agree(n, treated, base);
            }
        }
    }
    agree(10_000, 624, 513);
}

#[track_caller]
fn agree(n: u64, treated: u64, base: u64) {
    let (t, c) = (Proportion::new(n, treated).unwrap(), Proportion::new(n, base).unwrap());
    let said = compare(&c, &t, Share::new(0.5).unwrap(), &AnalysisSettings::default()).comparison.always_valid;
    let (wins, difference) = (said.p_value.unwrap() < 0.05, said.interval.unwrap());
    let apart = |low: f64, high: f64| low > 0.0 || high < 0.0;
    assert_eq!(wins, apart(difference.low, difference.high), "{treated} and {base} of {n}");
    if let Some(lift) = said.lift_interval {
        assert_eq!(wins, apart(lift.low, lift.high), "{treated} and {base} of {n}: {lift:?}");
    }
}
