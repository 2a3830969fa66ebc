//! Every reference case in `statistics.json`: published numbers, and numbers made with scipy, statsmodels, gbstats.
//!
//! A case's inputs say which method they mean. Each family answers with all the numbers it can give under the names
//! the cases use; a name a case expects and nobody answers is a failure, as is a family nobody knows.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

mod comparisons;
mod designs;
mod monitors;

use std::collections::BTreeMap;

use serde_json::Value;

/// What a family answers, by the name the cases use.
pub(crate) type Answers = BTreeMap<String, f64>;

/// Reads a case's inputs. A missing one is a broken test, so these panic.
pub(crate) struct Inputs<'a>(pub(crate) &'a Value);

impl Inputs<'_> {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some()
    }

    pub(crate) fn num(&self, name: &str) -> f64 {
        self.0[name].as_f64().unwrap_or_else(|| panic!("no number {name} in {}", self.0))
    }

    pub(crate) fn count(&self, name: &str) -> u64 {
        self.0[name].as_u64().unwrap_or_else(|| panic!("no count {name} in {}", self.0))
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or("")
    }

    pub(crate) fn list(&self, name: &str) -> Vec<f64> {
        numbers(&self.0[name])
    }

    pub(crate) fn counts(&self, name: &str) -> Vec<u64> {
        self.list(name).into_iter().map(|value| value as u64).collect()
    }
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

/// Names with their values.
pub(crate) fn answers<const N: usize>(pairs: [(&str, f64); N]) -> Answers {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn answer(family: &str, inputs: &Inputs<'_>) -> Answers {
    match family {
        "ztest" => comparisons::ztest(inputs),
        "lift_ci" => comparisons::lift(inputs),
        "welch" => comparisons::welch(inputs),
        "ratio" => comparisons::ratio(inputs),
        "cuped" => comparisons::cuped(inputs),
        "multiple" => designs::multiple(inputs),
        "power" => designs::power(inputs),
        "sequential_ci" => designs::sequential(inputs),
        "srm" => monitors::srm(inputs),
        "srm_sequential" => monitors::srm_sequential(inputs),
        "guard" => monitors::guard(inputs),
        "guard_property" => monitors::guard_property(inputs),
        unknown => panic!("unknown family {unknown}"),
    }
}

fn within(got: f64, want: f64, tolerance: &Value, runs: f64) -> bool {
    let value = tolerance["value"].as_f64().unwrap();
    match tolerance["kind"].as_str().unwrap() {
        "relative" if want.abs() < 1e-9 => (got - want).abs() <= 1e-12,
        "relative" => (got - want).abs() <= value * want.abs().max(1e-12),
        "absolute" => (got - want).abs() <= value,
        "upper_bound" => got <= want + 3.0 * (want / runs).sqrt(),
        kind => panic!("unknown tolerance {kind}"),
    }
}

#[test]
fn every_case_within_its_tolerance() {
    let file: Value = serde_json::from_str(include_str!("../statistics.json")).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len() as u64, file["count"].as_u64().unwrap());
    let mut wrong = Vec::new();
    let mut checked = 0;
    for case in cases {
        let name = case["case"].as_str().unwrap();
        let got = answer(case["family"].as_str().unwrap(), &Inputs(&case["inputs"]));
        let expected = case["expected"].as_object().unwrap();
        assert!(!expected.is_empty(), "{name} expects nothing");
        for (key, want) in expected {
            let want = want.as_bool().map_or_else(|| want.as_f64().unwrap(), |yes| f64::from(u8::from(yes)));
            checked += 1;
            match got.get(key) {
                None => wrong.push(format!("{name}: nobody answers {key}")),
                Some(got) if !within(*got, want, &case["tolerance"], monitors::RUNS as f64) => {
                    wrong.push(format!("{name}: {key} is {got:e}, not {want:e} ({})", case["tolerance"]));
                }
                Some(_) => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {checked} numbers are off:\n{}", wrong.len(), wrong.join("\n"));
}
