//! Two arms at the planned end.

use flagstaff_stats::{Estimate, Interval, Level, Moments, Pairs, Proportion, cuped as adjusted, proportion};
use flagstaff_stats::{lift as relative, ratio as ratios};
use serde_json::Value;

use crate::{Answers, Inputs, answers};

/// Treatment and control as the inputs give them: counts, sums, or mean and standard deviation.
pub(crate) fn levels(inputs: &Inputs<'_>) -> (Level, Level) {
    if inputs.has("x_c") {
        let (t, c) = proportions(inputs);
        (t.level(), c.level())
    } else {
        let (t, c) = moments(inputs);
        (t.level().unwrap(), c.level().unwrap())
    }
}

fn proportions(inputs: &Inputs<'_>) -> (Proportion, Proportion) {
    let arm =
        |side: &str| Proportion::new(inputs.count(&format!("n_{side}")), inputs.count(&format!("x_{side}"))).unwrap();
    (arm("t"), arm("c"))
}

fn moments(inputs: &Inputs<'_>) -> (Moments, Moments) {
    let arm = |side: &str| {
        let of = |name: &str| inputs.num(&format!("{name}_{side}"));
        let n = inputs.count(&format!("n_{side}"));
        if inputs.has("sum_c") {
            return Moments::new(n, of("sum"), of("sumsq")).unwrap();
        }
        let (mean, sd, size) = (of("mean"), of("sd"), n as f64);
        Moments::new(n, mean * size, sd * sd * (size - 1.0) + mean * mean * size).unwrap()
    };
    (arm("t"), arm("c"))
}

/// The comparison the inputs ask for.
pub(crate) fn estimate(inputs: &Inputs<'_>) -> Estimate {
    let (t, c) = levels(inputs);
    compare(&t, &c, inputs.text("difference"))
}

fn compare(t: &Level, c: &Level, difference: &str) -> Estimate {
    match difference {
        "relative" => Estimate::lift(t, c).unwrap(),
        "absolute" | "" => Estimate::difference(t, c).unwrap(),
        unknown => panic!("unknown difference {unknown}"),
    }
}

fn student(estimate: &Estimate, alpha: f64) -> Answers {
    let interval = estimate.student_interval(alpha).unwrap();
    answers([
        ("estimate", estimate.value()),
        ("diff", estimate.value()),
        ("std_err", estimate.std_err()),
        ("t", estimate.score()),
        ("abs_t", estimate.score().abs()),
        ("df", estimate.df()),
        ("p_value", estimate.student_p()),
        ("ci_low", interval.low),
        ("ci_high", interval.high),
    ])
}

fn ends(interval: Interval) -> Answers {
    answers([("ci_low", interval.low), ("ci_high", interval.high)])
}

pub(crate) fn ztest(inputs: &Inputs<'_>) -> Answers {
    let (t, c) = proportions(inputs);
    let alpha = inputs.num("alpha");
    let method = inputs.text("method");
    if method.starts_with("Newcombe") {
        return ends(proportion::newcombe(&t, &c, alpha).unwrap());
    }
    assert!(method.starts_with("pooled two-sided z"), "unknown method {method}");
    let test = proportion::z_test(&t, &c).unwrap();
    let mut got = ends(compare(&t.level(), &c.level(), "").normal_interval(alpha).unwrap());
    got.extend(answers([("z", test.z), ("p_value", test.p_value), ("diff", t.rate() - c.rate())]));
    got
}

pub(crate) fn lift(inputs: &Inputs<'_>) -> Answers {
    let alpha = inputs.num("alpha");
    let method = inputs.text("method");
    if method.starts_with("Katz") {
        let (t, c) = levels(inputs);
        let mut got = ends(relative::katz(&t, &c, alpha).unwrap());
        got.insert("rr".to_owned(), t.mean() / c.mean());
        return got;
    }
    if method.starts_with("delta-method relative lift with normal quantile") {
        let (t, c) = levels(inputs);
        let lift = Estimate::lift(&t, &c).unwrap();
        let mut got = ends(lift.normal_interval(alpha).unwrap());
        got.extend(answers([("lift", lift.value()), ("std_err", lift.std_err())]));
        return got;
    }
    assert!(method.is_empty() || method.starts_with("welch_t"), "unknown method {method}");
    student(&estimate(inputs), alpha)
}

pub(crate) fn welch(inputs: &Inputs<'_>) -> Answers {
    student(&estimate(inputs), inputs.num("alpha"))
}

fn pairs(arm: &Value, first: [&str; 2], second: [&str; 2], product: &str) -> Pairs {
    let arm = Inputs(arm);
    let one = |names: [&str; 2]| Moments::new(arm.count("n"), arm.num(names[0]), arm.num(names[1])).unwrap();
    Pairs::new(one(first), one(second), arm.num(product)).unwrap()
}

pub(crate) fn ratio(inputs: &Inputs<'_>) -> Answers {
    assert!(inputs.text("method").starts_with("ratio of sums"));
    let arm = |side: &str| pairs(&inputs.0[side], ["ms", "mss"], ["ds", "dss"], "md");
    let (t, c) = (arm("treatment"), arm("control"));
    let (level_t, level_c) = (ratios::level(&t).unwrap(), ratios::level(&c).unwrap());
    let mut got = student(&compare(&level_t, &level_c, inputs.text("difference")), inputs.num("alpha"));
    got.extend(answers([
        ("ratio_t", level_t.mean()),
        ("ratio_c", level_c.mean()),
        ("unit_variance_t", ratios::unit_variance(&t).unwrap()),
        ("unit_variance_c", ratios::unit_variance(&c).unwrap()),
    ]));
    got
}

pub(crate) fn cuped(inputs: &Inputs<'_>) -> Answers {
    assert!(inputs.text("method").starts_with("CUPED"));
    let arm = |side: &str| pairs(&inputs.0[side], ["post_sum", "post_sumsq"], ["pre_sum", "pre_sumsq"], "prod");
    let (t, c) = (arm("treatment"), arm("control"));
    let theta = adjusted::theta(&t, &c).unwrap();
    let level = |arm: &Pairs| adjusted::level(arm, theta).unwrap();
    let mut got = student(&compare(&level(&t), &level(&c), inputs.text("difference")), inputs.num("alpha"));
    got.insert("theta".to_owned(), theta);
    got
}
