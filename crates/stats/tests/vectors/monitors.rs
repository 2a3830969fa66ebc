//! What is watched while it runs: the split and the guard.

use flagstaff_stats::guard::{self, Count, Law};
use flagstaff_stats::sequential::RunningP;
use flagstaff_stats::srm as split;
use serde_json::Value;

use crate::{Answers, Inputs, answers, numbers};

/// Runs of each simulated property.
pub(crate) const RUNS: usize = 3000;

pub(crate) fn srm(inputs: &Inputs<'_>) -> Answers {
    let test = split::chi_square(&inputs.counts("counts"), &inputs.list("weights")).unwrap();
    answers([("chi2", test.statistic), ("df", test.df), ("p_value", test.p_value)])
}

pub(crate) fn srm_sequential(inputs: &Inputs<'_>) -> Answers {
    let theta = inputs.list("theta");
    if inputs.has("cumulative_counts") {
        return running(inputs, &theta);
    }
    let counts = inputs.counts("counts");
    let log = split::log_bayes_factor_around(&counts, &theta, inputs.num("concentration")).unwrap();
    answers([("log_bayes_factor", log), ("p_value_at_this_look", split::p_value(log))])
}

fn running(inputs: &Inputs<'_>, theta: &[f64]) -> Answers {
    let mut smallest = RunningP::default();
    let looks = inputs.0["cumulative_counts"].as_array().unwrap().iter();
    let look = |(i, counts): (usize, &Value)| {
        let counts: Vec<u64> = numbers(counts).into_iter().map(|count| count as u64).collect();
        let log = split::log_bayes_factor_around(&counts, theta, inputs.num("concentration")).unwrap();
        (format!("p_{i}"), smallest.observe(split::p_value(log)))
    };
    looks.enumerate().map(look).collect()
}

fn law(inputs: &Inputs<'_>) -> Law {
    if inputs.has("grid") {
        Law::new(inputs.num("r0"), &inputs.list("grid")).unwrap()
    } else {
        Law::new(inputs.num("r0"), &guard::HARM_GRID).unwrap()
    }
}

pub(crate) fn guard(inputs: &Inputs<'_>) -> Answers {
    let (law, alpha) = (law(inputs), inputs.num("alpha"));
    if inputs.has("stages_w_treat_err_control_err") {
        assert_eq!(inputs.text("prior"), "uniform");
        let stages = inputs.0["stages_w_treat_err_control_err"].as_array().unwrap().iter().map(numbers);
        let log = law
            .log_evidence(stages.map(|stage| Count {
                share: stage[0],
                treatment: stage[1] as u64,
                control: stage[2] as u64,
            }))
            .unwrap();
        let alarm = guard::trips(log, alpha).unwrap();
        return answers([("log_e", log), ("p_value", guard::p_value(log)), ("alarm", f64::from(u8::from(alarm)))]);
    }
    let (share, control) = (inputs.num("w"), inputs.count("control_errors"));
    let alarmed = |treatment: &u64| {
        let log = law.log_evidence([Count { share, treatment: *treatment, control }]).unwrap();
        guard::trips(log, alpha).unwrap()
    };
    let least = (0..10_000).find(alarmed).unwrap();
    answers([("min_treat_errors_to_alarm", least as f64)])
}

pub(crate) fn guard_property(inputs: &Inputs<'_>) -> Answers {
    if inputs.has("ramp") {
        return answers([("max_false_alarm_rate", false_alarms(inputs))]);
    }
    let mut requests: Vec<f64> = (0..RUNS as u64 / 2).map(|seed| delay(inputs, seed)).collect();
    requests.sort_by(f64::total_cmp);
    answers([("median_treatment_requests_to_alarm", requests[requests.len() / 2])])
}

/// The part of runs that ever raise the alarm when read after every event of a ramp.
fn false_alarms(inputs: &Inputs<'_>) -> f64 {
    let (law, alpha, ramp) = (law(inputs), inputs.num("alpha"), inputs.list("ramp"));
    let (ratio, events) = (inputs.num("true_risk_ratio"), inputs.count("events"));
    assert_eq!(inputs.text("check"), "after every event");
    let alarmed = |seed: &u64| {
        let mut random = fastrand::Rng::with_seed(*seed);
        let mut steps: Vec<Count> = Vec::new();
        ramp.iter().any(|share| {
            steps.push(Count { share: *share, treatment: 0, control: 0 });
            let hit = share * ratio / (share * ratio + 1.0 - share);
            (0..events / ramp.len() as u64).any(|_| {
                let step = steps.last_mut().unwrap();
                if random.f64() < hit {
                    step.treatment += 1;
                } else {
                    step.control += 1;
                }
                guard::trips(law.log_evidence(steps.iter().copied()).unwrap(), alpha).unwrap()
            })
        })
    };
    (0..RUNS as u64).filter(alarmed).count() as f64 / RUNS as f64
}

/// Treatment requests until the alarm, one visitor per request.
fn delay(inputs: &Inputs<'_>, seed: u64) -> f64 {
    let (law, alpha, share) = (law(inputs), inputs.num("alpha"), inputs.num("w"));
    let (p_t, p_c) = (inputs.num("p_t"), inputs.num("p_c"));
    let mut random = fastrand::Rng::with_seed(seed);
    let mut count = Count { share, treatment: 0, control: 0 };
    let mut requests = 0.0;
    loop {
        let treated = random.f64() < share;
        requests += f64::from(u8::from(treated));
        if random.f64() >= if treated { p_t } else { p_c } {
            continue;
        }
        if treated {
            count.treatment += 1;
        } else {
            count.control += 1;
        }
        if guard::trips(law.log_evidence([count]).unwrap(), alpha).unwrap() {
            return requests;
        }
    }
}
