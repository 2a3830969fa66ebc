//! Coverage and weights, or ranges, of an experiment.

use crate::input::Node;
use crate::model::{Share, weights};

/// How many are in, and how they are split.
#[derive(Debug, PartialEq)]
pub(super) struct Ranges {
    pub(super) share: Share,
    pub(super) weights: Vec<Share>,
}

/// The ranges of an experiment with so many variations.
///
/// # Errors
/// When ranges are no shares of weights.
pub(super) fn of_experiment(node: &Node, count: usize) -> Result<Ranges, String> {
    if let Some(ranges) = node.get("ranges") {
        return of_ranges(ranges, count);
    }
    let coverage = node.number_at("coverage").unwrap_or(1.0).clamp(0.0, 1.0);
    let given: Vec<f64> = node.items_at("weights").iter().filter_map(Node::number).collect();
    let total: f64 = given.iter().sum();
    // Weights that do not fit are passed over there, too.
    let fits = given.len() == count && (0.99..=1.01).contains(&total);
    #[allow(clippy::cast_precision_loss, reason = "a flag has few variants")]
    let equal = vec![1.0 / count as f64; count];
    let weights = weights(if fits { &given } else { &equal });
    Ok(Ranges { share: Share::percent(coverage * 100.0), weights })
}

/// Each range is the same part of a weight, and begins where the weights before it end.
fn of_ranges(ranges: &Node, count: usize) -> Result<Ranges, String> {
    let ends = |range: &Node| match range.items() {
        [from, to] => Some((from.number()?, to.number()?)),
        _ => None,
    };
    let found: Option<Vec<(f64, f64)>> = ranges.items().iter().map(ends).collect();
    let refuse = || Err("its ranges are not the same part of each weight".to_owned());
    let Some(found) =
        found.filter(|found| found.len() == count && found.first().is_some_and(|(from, _)| *from == 0.0))
    else {
        return refuse();
    };
    let starts: Vec<f64> = found.iter().map(|(from, _)| *from).chain([1.0]).collect();
    let sizes: Vec<f64> =
        starts.windows(2).map(|pair| pair.iter().rev().copied().reduce(|a, b| a - b).unwrap_or(0.0)).collect();
    let parts: Vec<f64> = found.iter().zip(&sizes).map(|((from, to), size)| (to - from) / size).collect();
    let first = parts.first().copied().unwrap_or(0.0);
    let same = parts.iter().all(|part| (part - first).abs() < 1e-6) && (0.0..=1.000_001).contains(&first);
    if !same || sizes.iter().any(|size| *size <= 0.0) {
        return refuse();
    }
    Ok(Ranges { share: Share::percent(first * 100.0), weights: weights(&sizes) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, count: usize) -> Result<Ranges, String> {
        of_experiment(&crate::input::json(text.as_bytes()).unwrap(), count)
    }

    #[test]
    fn weights_and_ranges_say_the_same() {
        let weights = read(r#"{"coverage": 0.4, "weights": [0.3, 0.7]}"#, 2).unwrap();
        let ranges = read(r#"{"ranges": [[0, 0.12], [0.3, 0.58]]}"#, 2).unwrap();
        assert_eq!(weights, ranges);
        assert!(
            read(r#"{"ranges": [[0, 0.1], [0.5, 0.9]]}"#, 2).is_err()
                && read(r#"{"ranges": [[0.1, 1]]}"#, 1).is_err()
        );
        assert_eq!(read("{}", 2).unwrap().weights, [Share::thousandths(50_000); 2]);
    }
}
