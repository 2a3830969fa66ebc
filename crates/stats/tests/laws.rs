//! Laws that hold for whatever data comes.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use flagstaff_stats::guard::{Count, Law, Segment, SequentialTest};
use flagstaff_stats::power::{self, Aim};
use flagstaff_stats::sequential::Sequence;
use flagstaff_stats::{Estimate, Interval, Moments, Proportion, lift, multiple, proportion, srm, strata};
use proptest::collection::vec;
use proptest::prelude::*;

fn arm() -> impl Strategy<Value = Proportion> {
    (1_u64..200_000).prop_flat_map(|n| (Just(n), 0..=n)).prop_map(|(n, x)| Proportion::new(n, x).unwrap())
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    vec(-1e3..1e3_f64, 3..40)
}

fn moments(values: &[f64]) -> Moments {
    let squares = values.iter().map(|y| y * y).sum();
    Moments::new(values.len() as u64, values.iter().sum(), squares).unwrap()
}

fn level() -> impl Strategy<Value = f64> {
    0.001..0.4_f64
}

fn chance() -> impl Strategy<Value = f64> {
    0.001..0.999_f64
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs()))
}

fn mirrored(a: Interval, b: Interval) -> bool {
    close(a.low, -b.high) && close(a.high, -b.low)
}

/// A test and its interval say the same: significant exactly where 0 lies outside.
fn agree(p: f64, alpha: f64, interval: Interval) -> bool {
    (p - alpha).abs() < 1e-9 || (p < alpha) != interval.contains(0.0)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn score_intervals_hold_their_estimate_and_stay_possible(t in arm(), c in arm(), alpha in level()) {
        let wilson = proportion::wilson(&t, alpha).unwrap();
        prop_assert!(wilson.contains(t.rate()) && wilson.low >= 0.0 && wilson.high <= 1.0);
        prop_assert!(wilson.width() > 0.0);
        let newcombe = proportion::newcombe(&t, &c, alpha).unwrap();
        prop_assert!(newcombe.contains(t.rate() - c.rate()));
        prop_assert!(newcombe.low >= -1.0 - 1e-12 && newcombe.high <= 1.0 + 1e-12);
        prop_assert!(mirrored(newcombe, proportion::newcombe(&c, &t, alpha).unwrap()));
        let surer = proportion::newcombe(&t, &c, alpha / 2.0).unwrap();
        prop_assert!(surer.low <= newcombe.low && surer.high >= newcombe.high);
    }

    #[test]
    fn counting_those_who_did_not_convert_mirrors_the_interval(t in arm(), alpha in level()) {
        let rest = Proportion::new(t.n(), t.n() - t.x()).unwrap();
        let (a, b) = (proportion::wilson(&t, alpha).unwrap(), proportion::wilson(&rest, alpha).unwrap());
        prop_assert!(close(a.low, 1.0 - b.high) && close(a.high, 1.0 - b.low));
    }

    #[test]
    fn the_z_test_is_symmetric_and_a_probability(t in arm(), c in arm()) {
        match (proportion::z_test(&t, &c), proportion::z_test(&c, &t)) {
            (Ok(a), Ok(b)) => {
                prop_assert!((0.0..=1.0).contains(&a.p_value));
                prop_assert!(close(a.z, -b.z) && close(a.p_value, b.p_value));
                let cochran = strata::cochran([(t, c)]).unwrap();
                prop_assert!(close(cochran.z, a.z));
            }
            (a, b) => prop_assert_eq!(a, b),
        }
    }

    #[test]
    fn tests_and_their_intervals_agree(t in values(), c in values(), alpha in level(), planned in 10.0..1e6_f64) {
        if let (Ok(t), Ok(c)) = (moments(&t).level(), moments(&c).level())
            && let Ok(welch) = Estimate::difference(&t, &c)
        {
            let (normal, student) = (welch.normal_p(), welch.student_p());
            prop_assert!(agree(normal, alpha, welch.normal_interval(alpha).unwrap()));
            prop_assert!(agree(student, alpha, welch.student_interval(alpha).unwrap()));
            prop_assert!(student >= normal - 1e-12 && student <= 1.0);
            let sequence = Sequence::new(alpha, planned).unwrap();
            let p = sequence.p_value(&welch);
            prop_assert!((0.0..=1.0).contains(&p));
            prop_assert!(agree(p, alpha, sequence.interval(&welch)));
        }
    }

    #[test]
    fn reading_at_any_time_has_its_price(t in arm(), c in arm(), alpha in level(), planned in 10.0..1e6_f64) {
        if let Ok(difference) = Estimate::difference(&t.level(), &c.level()) {
            let sequence = Sequence::new(alpha, planned).unwrap();
            let (fixed, any) = (difference.normal_interval(alpha).unwrap(), sequence.interval(&difference));
            prop_assert!(any.low <= fixed.low && any.high >= fixed.high);
            prop_assert!(any.contains(difference.value()));
            prop_assert!(sequence.p_value(&difference) >= difference.normal_p() - 1e-12);
            let surer = Sequence::new(alpha / 2.0, planned).unwrap().interval(&difference);
            prop_assert!(surer.width() >= any.width());
        }
    }

    #[test]
    fn lifts_hold_their_estimate(t in arm(), c in arm(), alpha in level()) {
        let lift = lift::of_levels(&t.level(), &c.level(), c.x(), alpha);
        if t.x() == 0 || c.x() == 0 {
            prop_assert_eq!(lift, Err(flagstaff_stats::Error::NoBase));
        } else if let Ok(lift) = lift {
            prop_assert!(lift.interval.contains(lift.value));
            prop_assert!(close(lift.value, t.rate() / c.rate() - 1.0));
            prop_assert_eq!(lift.method == lift::Method::Katz, c.x() < lift::KATZ_BELOW);
            let katz = lift::katz(&t.level(), &c.level(), alpha).unwrap();
            let back = lift::katz(&c.level(), &t.level(), alpha).unwrap();
            prop_assert!(close(katz.low * back.high, 1.0) && close(katz.high * back.low, 1.0));
        }
    }

    #[test]
    fn moments_are_those_of_the_values(a in values(), b in values()) {
        let whole = moments(&[a.clone(), b.clone()].concat());
        let merged = moments(&a).merge(&moments(&b)).unwrap();
        prop_assert!(close(whole.mean(), merged.mean()));
        let mean = a.iter().sum::<f64>() / a.len() as f64;
        let direct = a.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / (a.len() - 1) as f64;
        prop_assert!((moments(&a).variance().unwrap() - direct).abs() <= 1e-9 * (direct + 1.0) + 1e-6);
    }

    #[test]
    fn corrections_are_ordered(p in vec(0.0..=1.0_f64, 0..12)) {
        let holm = multiple::holm(&p).unwrap();
        prop_assert_eq!(holm.len(), p.len());
        for i in 0..p.len() {
            let bonferroni = (p.len() as f64 * p[i]).min(1.0);
            prop_assert!(p[i] <= holm[i] + 1e-15 && holm[i] <= bonferroni + 1e-15);
            for j in 0..p.len() {
                prop_assert!(p[i] > p[j] || holm[i] <= holm[j]);
            }
        }
    }

    #[test]
    fn sizes_fall_with_the_effect_and_invert(base in 0.001..0.9_f64, rise in 0.0005..0.09_f64) {
        let aim = Aim::new(0.05, 0.8).unwrap();
        let n = power::per_arm(base, base + rise, &aim).unwrap();
        prop_assert!(power::per_arm(base, base + rise * 1.1, &aim).unwrap() < n);
        prop_assert!(close(n, power::per_arm(base + rise, base, &aim).unwrap()));
        prop_assert!(power::per_arm(base, base + rise, &Aim::new(0.05, 0.9).unwrap()).unwrap() > n);
        let seen = power::smallest_rise(base, n, &aim).unwrap();
        prop_assert!((seen - rise).abs() < 1e-6 * rise, "{} is not {}", seen, rise);
    }

    #[test]
    fn one_step_combines_to_itself_and_many_stay_between(steps in vec((arm(), arm()), 1..6)) {
        let levels = || steps.iter().map(|(t, c)| (t.level(), c.level()));
        let (t, _) = strata::standardise(levels()).unwrap();
        let means = || steps.iter().map(|(t, _)| t.rate());
        prop_assert!(t.mean() >= means().fold(1.0, f64::min) - 1e-12);
        prop_assert!(t.mean() <= means().fold(0.0, f64::max) + 1e-12);
        let (one, _) = strata::standardise(levels().take(1)).unwrap();
        let (t, c) = steps[0];
        prop_assert!(close(one.mean(), t.rate()) && close(one.variance(), t.level().variance()));
        // the Mantel-Haenszel risk ratio, written as in the paper
        let (t1, c1) = strata::standardise(levels()).unwrap();
        let part = |(t, c): &(Proportion, Proportion), x: u64, n: u64| x as f64 * n as f64 / (t.n() + c.n()) as f64;
        let above: f64 = steps.iter().map(|step| part(step, step.0.x(), step.1.n())).sum();
        let below: f64 = steps.iter().map(|step| part(step, step.1.x(), step.0.n())).sum();
        prop_assert!((t1.mean() * below - c1.mean() * above).abs() <= 1e-9 * (above + below));
        prop_assert_eq!(proportion::z_test(&t, &c).is_ok(), strata::cochran([(t, c)]).is_ok());
    }

    #[test]
    fn a_step_repeated_says_the_same_more_surely(t in values(), c in values(), times in 1_usize..5) {
        let step = (moments(&t).level().unwrap(), moments(&c).level().unwrap());
        if let Ok(once) = Estimate::difference(&step.0, &step.1) {
            let (t, c) = strata::standardise(vec![step; times]).unwrap();
            let all = Estimate::difference(&t, &c).unwrap();
            let k = times as f64;
            prop_assert!(close(all.value(), once.value()) && close(all.std_err() * k.sqrt(), once.std_err()));
            prop_assert!(close(all.df(), k * once.df()) && close(all.n(), k * once.n()));
        }
    }

    #[test]
    fn split_tests_ignore_scale_and_order(counts in vec(0_u64..100_000, 2..6), weights in vec(0.1..10.0_f64, 6)) {
        let weights = &weights[..counts.len()];
        let scaled: Vec<f64> = weights.iter().map(|weight| weight * 7.0).collect();
        let back = |slice: &[f64]| slice.iter().rev().copied().collect::<Vec<f64>>();
        let reversed: Vec<u64> = counts.iter().rev().copied().collect();
        let factor = srm::log_bayes_factor(&counts, weights).unwrap();
        prop_assert!((factor - srm::log_bayes_factor(&counts, &scaled).unwrap()).abs() < 1e-6);
        prop_assert!((factor - srm::log_bayes_factor(&reversed, &back(weights)).unwrap()).abs() < 1e-6);
        prop_assert!((0.0..=1.0).contains(&srm::p_value(factor)));
        if let Ok(test) = srm::chi_square(&counts, weights) {
            prop_assert!((0.0..=1.0).contains(&test.p_value) && test.statistic >= 0.0);
            prop_assert!(close(test.statistic, srm::chi_square(&counts, &scaled).unwrap().statistic));
        }
    }

    #[test]
    fn each_event_speaks_for_its_arm(share in chance(), treatment in 0_u64..500, control in 0_u64..500) {
        let of = |law: &Law, treatment, control| law.log_evidence([Count { share, treatment, control }]).unwrap();
        for (law, sign) in [(Law::harm(), 1.0), (Law::goals(), -1.0)] {
            let now = of(&law, treatment, control);
            prop_assert!(sign * (of(&law, treatment + 1, control) - now) > 0.0);
            prop_assert!(sign * (of(&law, treatment, control + 1) - now) < 0.0);
        }
    }

    /// The next event's expected factor is 1 at the tolerated ratio and less within it: a supermartingale.
    #[test]
    fn evidence_does_not_grow_of_itself(share in chance(), treatment in 0_u64..60, control in 0_u64..60, within in 0.2..1.0_f64) {
        for (law, ratio) in [(Law::harm(), 1.25 * within), (Law::harm(), 1.25), (Law::goals(), 1.0), (Law::goals(), 1.0 / within)] {
            let of = |treatment, control| law.log_evidence([Count { share, treatment, control }]).unwrap();
            let hit = share * ratio / (share * ratio + 1.0 - share);
            let now = of(treatment, control);
            let next = hit * (of(treatment + 1, control) - now).exp() + (1.0 - hit) * (of(treatment, control + 1) - now).exp();
            prop_assert!(next <= 1.0 + 1e-9, "{}", next);
            if ratio == law.tolerated() {
                prop_assert!(next >= 1.0 - 1e-9, "{}", next);
            }
        }
    }

    /// A guard rebuilt from its record at any moment goes on exactly as the one that was never stopped.
    #[test]
    fn a_guard_is_its_record(life in vec(event(), 1..300), stop in 0_usize..300) {
        let mut guard = SequentialTest::new(Law::harm(), 0.05).unwrap();
        let mut again = guard.clone();
        for (i, event) in life.iter().enumerate() {
            if i == stop {
                let record: Vec<Segment> = again.segments().to_vec();
                again = SequentialTest::from_segments(Law::harm(), record).unwrap();
            }
            event.happen(&mut guard);
            event.happen(&mut again);
        }
        prop_assert_eq!(guard.segments(), again.segments());
        prop_assert!((guard.log_evidence() - again.log_evidence()).abs() < 1e-6);
        prop_assert!(guard.share() == again.share());
        // bounded, whatever came: live machines, the stretch before them, and the shares within each
        prop_assert!(guard.segments().len() <= 33 * 5);
    }

    /// Restarting costs at most the first machine's weight, 6/π².
    #[test]
    fn restarts_cost_little(counts in vec((0_u64..30, 0_u64..30), 1..60)) {
        let mut guard = SequentialTest::new(Law::harm(), 0.25).unwrap();
        let (mut treatment, mut control) = (0, 0);
        for (t, c) in counts.iter().take(20) {
            guard.observe(*t, *c);
            treatment += t;
            control += c;
        }
        let plain = guard.law().log_evidence([Count { share: 0.25, treatment, control }]).unwrap();
        prop_assert!(guard.log_evidence() >= plain + (6.0 / std::f64::consts::PI.powi(2)).ln() - 1e-9);
    }
}

#[derive(Debug, Clone)]
enum Event {
    Seen(u64, u64),
    Late(f64, u64, u64),
    Step(f64),
}

fn event() -> impl Strategy<Value = Event> {
    let share = || prop::sample::select(vec![0.01, 0.05, 0.25, 0.5]);
    prop_oneof![
        20 => (0_u64..20, 0_u64..60).prop_map(|(t, c)| Event::Seen(t, c)),
        2 => (share(), 0_u64..5, 0_u64..5).prop_map(|(w, t, c)| Event::Late(w, t, c)),
        1 => share().prop_map(Event::Step),
    ]
}

impl Event {
    fn happen(&self, guard: &mut SequentialTest) {
        match *self {
            Self::Seen(treatment, control) => guard.observe(treatment, control),
            Self::Late(share, treatment, control) => guard.observe_late(share, treatment, control).unwrap(),
            Self::Step(share) => guard.begin_step(share).unwrap(),
        }
    }
}
