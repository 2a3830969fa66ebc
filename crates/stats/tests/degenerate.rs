//! Empty, extreme and impossible data: a named error or a number, never a panic and never NaN.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::num::NonZeroU32;

use flagstaff_stats::guard::{self, Count, Law, Segment, SequentialTest};
use flagstaff_stats::power::{self, Aim};
use flagstaff_stats::sequential::{RunningP, Sequence};
use flagstaff_stats::{Error, Estimate, Moments, Pairs, Proportion, cuped, lift};
use flagstaff_stats::{multiple, proportion, quantile, ratio, srm, strata};
use proptest::prelude::*;

fn arm(n: u64, x: u64) -> Proportion {
    Proportion::new(n, x).unwrap()
}

fn lift_of(t: &Proportion, c: &Proportion, alpha: f64) -> Result<lift::Lift, Error> {
    lift::of_levels(&t.level(), &c.level(), c.x(), alpha)
}

#[test]
fn counts_must_be_possible() {
    assert_eq!(Proportion::new(0, 0), Err(Error::NoVisitors));
    assert_eq!(Proportion::new(3, 4), Err(Error::Impossible));
}

#[test]
fn nobody_or_everybody_converted() {
    for x in [0, 100] {
        let (t, c) = (arm(100, x), arm(100, x));
        assert_eq!(proportion::z_test(&t, &c), Err(Error::NoSpread));
        assert_eq!(strata::cochran([(t, c)]), Err(Error::NoSpread));
        assert_eq!(Estimate::difference(&t.level(), &c.level()), Err(Error::NoSpread));
        // the score interval still has something to say: both ends inside reach
        let interval = proportion::newcombe(&t, &c, 0.05).unwrap();
        assert!(interval.low > -0.1 && interval.low < 0.0 && interval.high > 0.0 && interval.high < 0.1);
    }
    assert_eq!(lift_of(&arm(100, 5), &arm(100, 0), 0.05), Err(Error::NoBase));
    assert_eq!(lift_of(&arm(100, 0), &arm(100, 5), 0.05), Err(Error::NoBase));
    assert_eq!(lift_of(&arm(1000, 0), &arm(1000, 500), 0.05), Err(Error::NoBase));
    assert_eq!(lift_of(&arm(1000, 1000), &arm(1000, 1000), 0.05), Err(Error::NoSpread));
}

#[test]
fn a_single_visitor_and_very_many() {
    let (one, many) = (arm(1, 1), arm(u64::MAX, u64::MAX / 2));
    assert!(proportion::newcombe(&one, &many, 0.05).unwrap().contains(0.5));
    assert!(proportion::z_test(&one, &many).unwrap().p_value > 0.1);
    let difference = Estimate::difference(&one.level(), &many.level()).unwrap();
    assert!(difference.student_p().is_finite());
    assert!(Sequence::default().p_value(&difference) <= 1.0);
}

#[test]
fn moments_must_be_possible() {
    assert_eq!(Moments::new(0, 0.0, 0.0), Err(Error::NoVisitors));
    assert_eq!(Moments::new(2, f64::NAN, 1.0), Err(Error::NotFinite));
    assert_eq!(Moments::new(2, 1.0, f64::INFINITY), Err(Error::NotFinite));
    assert_eq!(Moments::new(2, 1e200, 1.0), Err(Error::NotFinite));
    assert_eq!(Moments::new(2, 10.0, 1.0), Err(Error::Impossible));
    assert_eq!(Moments::new(2, 0.0, -1.0), Err(Error::Impossible));
    assert_eq!(Moments::new(1, 3.0, 9.0).unwrap().variance(), Err(Error::TooFew));
    // 0.1 added up a million times leaves no variance, only rounding
    let (mut sum, mut squares) = (0.0, 0.0);
    for _ in 0..1_000_000 {
        sum += 0.1;
        squares += 0.1 * 0.1;
    }
    let constant = Moments::new(1_000_000, sum, squares).unwrap();
    assert_eq!(constant.variance(), Ok(0.0));
    let still = Moments::new(100, 200.0, 400.0).unwrap();
    assert_eq!(Estimate::difference(&still.level().unwrap(), &still.level().unwrap()), Err(Error::NoSpread));
    let negative = Moments::new(100, -200.0, 500.0).unwrap();
    assert_eq!(Estimate::lift(&still.level().unwrap(), &negative.level().unwrap()), Err(Error::NoBase));
}

#[test]
fn pairs_must_be_possible() {
    let (a, b) = (Moments::new(4, 10.0, 30.0).unwrap(), Moments::new(4, 0.0, 0.0).unwrap());
    assert_eq!(Pairs::new(a, Moments::new(5, 10.0, 30.0).unwrap(), 25.0), Err(Error::Impossible));
    assert_eq!(Pairs::new(a, a, 1000.0), Err(Error::Impossible));
    assert_eq!(Pairs::new(a, a, f64::NAN), Err(Error::NotFinite));
    let flat = Pairs::new(a, b, 0.0).unwrap();
    assert_eq!(ratio::level(&flat), Err(Error::NoBase));
    assert_eq!(cuped::theta(&flat, &flat), Err(Error::NoSpread));
    assert_eq!(cuped::level(&flat, f64::NAN), Err(Error::NotFinite));
    // fully explained by what was known before: nothing is left to vary
    let same = Pairs::new(a, a, 30.0).unwrap();
    let level = cuped::level(&same, cuped::theta(&same, &same).unwrap()).unwrap();
    assert!(level.variance().abs() < 1e-12);
}

#[test]
fn nothing_to_combine() {
    assert_eq!(strata::standardise([]), Err(Error::NoVisitors));
    assert_eq!(strata::cochran([]), Err(Error::NoSpread));
    // a step in which nothing happened adds its visitors and no information
    let (quiet, busy) = (arm(50, 0).level(), arm(1000, 100).level());
    let (t, c) = strata::standardise([(quiet, quiet), (busy, busy)]).unwrap();
    assert_eq!((t.n(), c.n()), (1050.0, 1050.0));
    assert!(Estimate::difference(&t, &c).unwrap().value() == 0.0);
}

#[test]
fn settings_outside_their_range() {
    for bad in [0.0, 1.0, -1.0, 2.0, f64::NAN, f64::INFINITY] {
        let (t, c) = (arm(100, 10), arm(100, 20));
        assert_eq!(proportion::newcombe(&t, &c, bad), Err(Error::BadChance));
        assert_eq!(lift_of(&t, &c, bad), Err(Error::BadChance));
        assert_eq!(Sequence::new(bad, 100.0), Err(Error::BadChance));
        assert_eq!(Aim::new(bad, 0.8), Err(Error::BadChance));
        assert_eq!(Aim::new(0.05, bad), Err(Error::BadChance));
        assert_eq!(guard::trips(1.0, bad), Err(Error::BadChance));
        assert_eq!(SequentialTest::new(Law::harm(), bad), Err(Error::BadShare));
        assert_eq!(Law::harm().log_evidence([count(bad)]), Err(Error::BadShare));
        assert_eq!(power::per_arm(bad, 0.5, &Aim::new(0.05, 0.8).unwrap()), Err(Error::BadChance));
    }
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(Sequence::new(0.05, bad), Err(Error::BadSetting));
        assert_eq!(srm::log_bayes_factor_around(&[1, 2], &[1.0, 1.0], bad), Err(Error::BadSetting));
        assert_eq!(Law::new(bad, &[2.0]), Err(Error::BadSetting));
    }
    assert_eq!(Sequence::new(0.5, 100.0), Err(Error::BadChance));
    assert_eq!(multiple::holm(&[0.5, f64::NAN]), Err(Error::BadChance));
    assert_eq!(multiple::holm(&[]), Ok(vec![]));
    assert_eq!(srm::log_bayes_factor_around(&[1, 2], &[1.0, 1.0], 1e308), Err(Error::BadSetting));
}

fn count(share: f64) -> Count {
    Count { share, treatment: 1, control: 1 }
}

#[test]
fn sizes_out_of_reach() {
    let aim = Aim::new(0.05, 0.8).unwrap();
    assert_eq!(power::per_arm(0.1, 0.1, &aim), Err(Error::OutOfReach));
    assert_eq!(power::smallest_rise(0.5, 2.0, &aim), Err(Error::OutOfReach));
    assert_eq!(Aim::new(0.2, 0.1), Err(Error::BadChance));
}

#[test]
fn splits_nobody_fell_into() {
    assert_eq!(srm::chi_square(&[0, 0], &[1.0, 1.0]), Err(Error::NoVisitors));
    assert_eq!(srm::log_bayes_factor(&[0, 0], &[1.0, 1.0]), Ok(0.0));
    assert_eq!(srm::log_bayes_factor_by_step([]), Ok(0.0));
    for weights in [&[1.0][..], &[1.0, 0.0], &[1.0, f64::NAN], &[1.0, f64::INFINITY], &[1.0, 1.0, 1.0]] {
        assert_eq!(srm::chi_square(&[5, 5], weights), Err(Error::BadShare));
        assert_eq!(srm::log_bayes_factor(&[5, 5], weights), Err(Error::BadShare));
    }
    let far_off = srm::chi_square(&[u64::MAX, 0], &[1.0, 1e9]).unwrap();
    assert_eq!(far_off.p_value, 0.0);
    assert!(srm::is_alarm(srm::log_bayes_factor(&[1_000_000_000, 0], &[1.0, 1.0]).unwrap()));
}

#[test]
fn the_steps_of_a_ramp_multiply() {
    let (first, second): ([u64; 2], [u64; 2]) = ([990, 10], [5_300, 4_700]);
    let steps = [(&first[..], &[0.99, 0.01][..]), (&second[..], &[0.5, 0.5][..])];
    let by_step = srm::log_bayes_factor_by_step(steps).unwrap();
    let each: f64 = steps.iter().map(|(counts, shares)| srm::log_bayes_factor(counts, shares).unwrap()).sum();
    assert_eq!(by_step, each);
    let all = srm::chi_square_by_step(steps).unwrap();
    assert_eq!(all.df, 2.0);
    let alone = srm::chi_square(&second, &[0.5, 0.5]).unwrap();
    assert!((all.statistic - alone.statistic).abs() < 1e-9, "the first step fits exactly");
}

#[test]
fn grids_must_point_one_way() {
    for grid in [&[][..], &[0.5, 2.0], &[1.0], &[2.0, f64::NAN], &[-1.0], &[0.0, 0.5], &[f64::INFINITY]] {
        assert_eq!(Law::new(1.25, grid), Err(Error::BadSetting), "{grid:?}");
    }
    assert_eq!(Law::new(1.25, &guard::HARM_GRID), Ok(Law::harm()));
    assert_eq!(Law::new(1.0, &guard::GOAL_GRID), Ok(Law::goals()));
}

#[test]
fn records_must_make_sense() {
    let machine = NonZeroU32::new;
    let segment = |machine, share| Segment { machine, share, treatment: 1, control: 9 };
    let of = |segments: &[Segment]| SequentialTest::from_segments(Law::harm(), segments.to_vec()).map(drop);
    assert_eq!(of(&[]), Err(Error::BadSetting));
    assert_eq!(of(&[segment(None, 0.5)]), Err(Error::BadSetting));
    assert_eq!(of(&[segment(machine(2), 0.5), segment(machine(1), 0.5)]), Err(Error::BadSetting));
    assert_eq!(of(&[segment(machine(1), 0.5), segment(machine(1), 0.5)]), Err(Error::BadSetting));
    assert_eq!(of(&[segment(machine(1), 0.5), segment(None, 1.0)]), Err(Error::BadShare));
    assert_eq!(of(&[segment(None, 0.1), segment(machine(3), 0.5)]), Ok(()));
    assert_eq!(of(&[segment(machine(u32::MAX), 0.5)]), Ok(()));
}

#[test]
fn a_guard_survives_any_count() {
    let mut guard = SequentialTest::new(Law::harm(), 0.5).unwrap();
    guard.observe(u64::MAX, u64::MAX);
    guard.observe(u64::MAX, 5);
    guard.begin_step(0.999_999).unwrap();
    guard.observe(0, u64::MAX);
    assert_eq!(guard.begin_step(1.0), Err(Error::BadShare));
    assert_eq!(guard.observe_late(f64::NAN, 1, 1), Err(Error::BadShare));
    assert!(!guard.log_evidence().is_nan());
    let last = Segment { machine: NonZeroU32::new(u32::MAX), share: 0.5, treatment: 0, control: 60 };
    let mut worn = SequentialTest::from_segments(Law::harm(), vec![last]).unwrap();
    worn.observe(1, 0);
    assert_eq!(worn.segments().len(), 1);
}

#[test]
fn a_steady_record_stays_small() {
    let mut guard = SequentialTest::new(Law::harm(), 0.05).unwrap();
    for event in 0..100_000_u32 {
        let treated = u64::from(event % 20 == 0);
        guard.observe(treated, 1 - treated);
    }
    assert!(guard.segments().len() <= guard::LIVE + 1, "{}", guard.segments().len());
    let seen: u64 = guard.segments().iter().map(|segment| segment.treatment + segment.control).sum();
    assert_eq!(seen, 100_000, "dropping a machine loses no count");
}

#[test]
fn the_running_p_only_falls() {
    let mut smallest = RunningP::default();
    let seen: Vec<f64> =
        [0.7, 0.2, f64::NAN, 0.9, 0.05, 2.0, -1.0].into_iter().map(|p| smallest.observe(p)).collect();
    assert_eq!(seen, [0.7, 0.2, 0.2, 0.2, 0.05, 0.05, 0.05]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_number_panics_or_makes_nan(n in any::<u64>(), m in any::<u64>(), x in any::<f64>(), y in any::<f64>(), z in any::<f64>()) {
        let nan = |value: Result<f64, Error>| value.is_ok_and(f64::is_nan);
        prop_assert!(!nan(quantile::normal_quantile(x)));
        prop_assert!(!nan(quantile::student_critical(x, y)));
        prop_assert!(!nan(quantile::student_two_sided(x, y)));
        prop_assert!(!nan(quantile::chi_square_upper(x, y)));
        prop_assert!(!nan(srm::log_bayes_factor(&[n, m], &[x, y])));
        prop_assert!(!nan(srm::chi_square(&[n, m], &[x, y]).map(|test| test.p_value)));
        if let (Ok(t), Ok(c)) = (Moments::new(n, x, y), Moments::new(m, y, z)) {
            let welch = t.level().and_then(|t| Estimate::difference(&t, &c.level()?));
            prop_assert!(!nan(welch.map(|welch| welch.student_p())));
            let _ = Pairs::new(t, c, x).map(|pairs| (ratio::level(&pairs), cuped::theta(&pairs, &pairs)));
        }
        let _ = Estimate::new(x, y, z, 100.0).map(|estimate| Sequence::default().interval(&estimate));
        if let Ok(law) = Law::new(x, &[y, z]) {
            let count = Count { share: 0.3, treatment: n, control: m };
            prop_assert!(!nan(law.log_evidence([count])));
        }
    }
}
