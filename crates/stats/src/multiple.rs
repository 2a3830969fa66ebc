//! Several goals or variants at once: one adjusted p-value per given one, in the given order, to be compared with alpha itself.

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
