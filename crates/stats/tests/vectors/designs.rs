//! Sizes, corrections, and tests that may be read at any time.

use flagstaff_stats::multiple::holm;
use flagstaff_stats::power::{Aim, per_arm, smallest_rise};
use flagstaff_stats::sequential::Sequence;

use crate::comparisons::estimate;
use crate::{Answers, Inputs, answers};

pub(crate) fn multiple(inputs: &Inputs<'_>) -> Answers {
    assert_eq!(inputs.text("method"), "holm");
    let adjusted = holm(&inputs.list("p_values"));
    let name = |(i, p)| (format!("p_adj_{i}"), p);
    adjusted.unwrap().into_iter().enumerate().map(name).collect()
}

pub(crate) fn power(inputs: &Inputs<'_>) -> Answers {
    let aim = Aim::new(inputs.num("alpha"), inputs.num("power")).unwrap();
    let base = inputs.num("p_c");
    if !inputs.has("p_t") {
        assert!(inputs.text("method").starts_with("unpooled"));
        let rise = smallest_rise(base, inputs.num("n_per_arm"), &aim).unwrap();
        return answers([("mde_abs", rise), ("mde_rel", rise / base)]);
    }
    let size = per_arm(base, inputs.num("p_t"), &aim).unwrap();
    answers([("n_per_arm_unpooled", size), ("n_total", 2.0 * size)])
}

pub(crate) fn sequential(inputs: &Inputs<'_>) -> Answers {
    let sequence = Sequence::new(inputs.num("alpha"), inputs.num("n_star")).unwrap();
    if !inputs.has("n_c") {
        return answers([("rho_two_sided", sequence.rho())]);
    }
    let estimate = estimate(inputs);
    assert_eq!(inputs.text("method"), "asymptotic confidence sequence two-sided");
    let interval = sequence.interval(&estimate);
    answers([
        ("estimate", estimate.value()),
        ("std_err", estimate.std_err()),
        ("p_value", sequence.p_value(&estimate)),
        ("ci_low", interval.low),
        ("ci_high", interval.high),
    ])
}
