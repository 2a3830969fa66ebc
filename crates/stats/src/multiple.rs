//! Several goals or variants at once: adjusted p-values.
//!
//! Each function returns one adjusted p-value per given one, in the given order, to be compared with alpha itself.

use crate::error::{Error, Result};

/// All are probabilities.
fn checked(p: &[f64]) -> Result<&[f64]> {
    if p.iter().all(|p| (0.0..=1.0).contains(p)) { Ok(p) } else { Err(Error::BadChance) }
}

/// The places of `p` from the smallest up.
fn ascending(p: &[f64]) -> Vec<(usize, f64)> {
    let mut order: Vec<_> = p.iter().copied().enumerate().collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    order
}

/// Holm's step-down: max over smaller ones of (m − i + 1)·p₍ᵢ₎ (Holm 1979, *Scand. J. Statist.* 6:65). Valid under any
/// dependence, and never weaker than Bonferroni's.
///
/// # Errors
/// [`Error::BadChance`] when a value is not a probability.
pub fn holm(p: &[f64]) -> Result<Vec<f64>> {
    let mut adjusted = checked(p)?.to_vec();
    let mut floor = 0.0_f64;
    for (rank, (place, value)) in ascending(p).into_iter().enumerate() {
        floor = floor.max((p.len() - rank) as f64 * value).min(1.0);
        if let Some(slot) = adjusted.get_mut(place) {
            *slot = floor;
        }
    }
    Ok(adjusted)
}

/// Bonferroni's m·p.
///
/// # Errors
/// [`Error::BadChance`] when a value is not a probability.
pub fn bonferroni(p: &[f64]) -> Result<Vec<f64>> {
    Ok(checked(p)?.iter().map(|value| (value * p.len() as f64).min(1.0)).collect())
}

/// Hommel's (Hommel 1988, *Biometrika* 75:383; computed as Wright 1992, *Biometrics* 48:1005, appendix). Stronger than
/// Holm's, valid where Simes' inequality is: independent or positively dependent tests.
///
/// # Errors
/// [`Error::BadChance`] when a value is not a probability.
pub fn hommel(p: &[f64]) -> Result<Vec<f64>> {
    let order = ascending(checked(p)?);
    let sorted: Vec<f64> = order.iter().map(|(_, value)| *value).collect();
    let mut adjusted = sorted.clone();
    for m in (2..=sorted.len()).rev() {
        let (lower, upper) = sorted.split_at(sorted.len() - m + 1);
        let least = upper.iter().enumerate().map(|(i, value)| m as f64 * value / (i + 2) as f64);
        let least = least.fold(f64::INFINITY, f64::min);
        let raised = lower.iter().map(|value| (m as f64 * value).min(least)).chain(upper.iter().map(|_| least));
        for (slot, value) in adjusted.iter_mut().zip(raised) {
            *slot = slot.max(value);
        }
    }
    let mut given = vec![0.0; p.len()];
    for ((place, _), value) in order.into_iter().zip(adjusted) {
        if let Some(slot) = given.get_mut(place) {
            *slot = value.min(1.0);
        }
    }
    Ok(given)
}
