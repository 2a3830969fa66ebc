//! Sizes, corrections, and tests that may be read at any time.

use flagstaff_stats::mixture::{NormalMixture, msprt};
use flagstaff_stats::power::{Aim, Variance, per_arm, per_arm_by, smallest_rise};
use flagstaff_stats::sequential::Sequence;
use flagstaff_stats::{Proportion, beta_binomial, latency as latencies, multiple as correct, power_t};

use crate::comparisons::estimate;
use crate::{Answers, Inputs, answers};

pub(crate) fn multiple(inputs: &Inputs<'_>) -> Answers {
    let p = inputs.list("p_values");
    let adjusted = match inputs.text("method") {
        "holm" => correct::holm(&p),
        "bonferroni" => correct::bonferroni(&p),
        "hommel" => correct::hommel(&p),
        unknown => panic!("unknown method {unknown}"),
    };
    let name = |(i, p)| (format!("p_adj_{i}"), p);
    adjusted.unwrap().into_iter().enumerate().map(name).collect()
}

pub(crate) fn power(inputs: &Inputs<'_>) -> Answers {
    if inputs.has("cohen_d") {
        assert_eq!(inputs.text("test"), "two-sided t, equal n");
        let power = power_t::power(inputs.num("cohen_d"), inputs.num("n_per_arm"), inputs.num("alpha"));
        return answers([("power", power.unwrap())]);
    }
    let aim = Aim::new(inputs.num("alpha"), inputs.num("power")).unwrap();
    let base = inputs.num("p_c");
    if !inputs.has("p_t") {
        assert!(inputs.text("method").starts_with("unpooled"));
        let rise = smallest_rise(base, inputs.num("n_per_arm"), &aim).unwrap();
        return answers([("mde_abs", rise), ("mde_rel", rise / base)]);
    }
    let target = inputs.num("p_t");
    let by = |variance| per_arm_by(variance, base, target, &aim).unwrap();
    let mut got = answers([
        ("n_per_arm_unpooled", per_arm(base, target, &aim).unwrap()),
        ("n_per_arm_pooled", by(Variance::Pooled)),
        ("n_per_arm_h0var", by(Variance::Control)),
        ("n_per_arm_cohen_h", by(Variance::Arcsine)),
        ("n_total", 2.0 * by(Variance::Unpooled)),
    ]);
    if inputs.text("method").starts_with("h0var") {
        got.insert("n_per_arm".to_owned(), by(Variance::Control));
    }
    got
}

pub(crate) fn sequential(inputs: &Inputs<'_>) -> Answers {
    if inputs.has("v_opt") {
        return mixture(inputs);
    }
    let alpha = inputs.num("alpha");
    if inputs.has("tau2") {
        let (t, c) = (inputs.num("mean_t"), inputs.num("mean_c"));
        let test = msprt(t, c, inputs.num("n_per_arm"), inputs.num("tau2"), alpha).unwrap();
        let (low, high) = (test.interval.low, test.interval.high);
        let (lambda, p) = (test.log_lambda, test.p_value);
        return answers([("log_lambda", lambda), ("p_value", p), ("ci_low", low), ("ci_high", high)]);
    }
    if inputs.has("successes") {
        let arm = Proportion::new(inputs.count("trials"), inputs.count("successes")).unwrap();
        let interval = beta_binomial::interval(&arm, alpha, inputs.num("t_opt")).unwrap();
        return answers([("ci_low", interval.low), ("ci_high", interval.high)]);
    }
    asymptotic(inputs, &Sequence::new(alpha, inputs.num("n_star")).unwrap())
}

fn asymptotic(inputs: &Inputs<'_>, sequence: &Sequence) -> Answers {
    if !inputs.has("n_c") {
        let (two, one) = (sequence.rho(), sequence.rho_one_sided());
        return answers([("rho_two_sided", two), ("rho_one_sided", one)]);
    }
    let estimate = estimate(inputs);
    let method = inputs.text("method");
    if method.contains("ONE-sided upper bound") {
        return answers([("ci_high", sequence.upper_bound(&estimate)), ("std_err", estimate.std_err())]);
    }
    assert_eq!(method, "asymptotic confidence sequence two-sided");
    let interval = sequence.interval(&estimate);
    answers([
        ("estimate", estimate.value()),
        ("std_err", estimate.std_err()),
        ("p_value", sequence.p_value(&estimate)),
        ("ci_low", interval.low),
        ("ci_high", interval.high),
    ])
}

fn mixture(inputs: &Inputs<'_>) -> Answers {
    let (v, v_opt, alpha_opt) = (inputs.num("v"), inputs.num("v_opt"), inputs.num("alpha_opt"));
    let one_sided = inputs.0["one_sided"].as_bool().unwrap();
    let make = if one_sided { NormalMixture::one_sided } else { NormalMixture::two_sided };
    let mixture = make(v_opt, alpha_opt).unwrap();
    if inputs.has("s") {
        return answers([("log_mixture", mixture.log_evidence(inputs.num("s"), v))]);
    }
    answers([("bound", mixture.bound(v, inputs.num("alpha")).unwrap())])
}

pub(crate) fn latency(inputs: &Inputs<'_>) -> Answers {
    let values = |name: &str| -> Vec<f64> {
        let (from, to) = inputs.text(name).split_once("..").unwrap();
        let (from, to): (u32, u32) = (from.parse().unwrap(), to.parse().unwrap());
        (from..=to).map(f64::from).collect()
    };
    let (t, c) = (values("treatment"), values("control"));
    let (quantile, t_opt) = (inputs.num("quantile"), inputs.num("t_opt"));
    let p = latencies::quantile_p(&t, &c, quantile, t_opt, inputs.num("alpha_opt")).unwrap();
    answers([("p_value", p)])
}
