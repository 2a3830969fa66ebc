//! A guard as tiles: one for each sign it watches.

use flagstaff_experiment::guard::{Evidence, Sign};
use flagstaff_operations::rollout::RolloutStatus;

use super::bars;
use super::words::grouped;

/// A sign that a guard watches.
pub(super) struct Tile {
    pub(super) name: String,
    /// How much more often it happens with the flag.
    pub(super) ratio: String,
    pub(super) counts: String,
    pub(super) bar: String,
    /// How much of the evidence for a trip there is, in words.
    pub(super) evidence: String,
}

/// A tile for each sign.
pub(super) fn tiles(status: &RolloutStatus) -> impl Iterator<Item = Tile> {
    status.guard.iter().map(tile)
}

fn tile(evidence: &Evidence) -> Tile {
    let part = (evidence.log_evidence / evidence.threshold).clamp(0.0, 1.0);
    let name = match &evidence.sign {
        Sign::Error => "Errors".into(),
        Sign::Slow => "Slow answers".into(),
        Sign::Goal(goal) => format!("Goal {goal}"),
    };
    let name = if evidence.variant == "on" { name } else { format!("{name}, {}", evidence.variant) };
    Tile {
        name,
        ratio: figure(evidence),
        counts: format!(
            "{} with {}, {} with {}",
            grouped(evidence.treatment_visitors),
            evidence.variant,
            grouped(evidence.control_visitors),
            evidence.control
        ),
        bar: bars::filled(part, part >= 0.5),
        evidence: format!("{:.0} % of a trip", part * 100.0),
    }
}

/// How it stands, in a few words.
fn figure(evidence: &Evidence) -> String {
    match ratio(evidence) {
        Some(ratio) => format!("{ratio:.2} times as often"),
        None if evidence.treatment_visitors > 0 => format!("only with {}", evidence.variant),
        None => "none so far".into(),
    }
}

/// How much more often it happened to a visitor with the variant: each segment has its own shares, so counts are weighed by them.
fn ratio(evidence: &Evidence) -> Option<f64> {
    let (mut treatment, mut expected) = (0.0, 0.0);
    for segment in evidence.segments.iter().filter(|segment| segment.share > 0.0 && segment.share < 1.0) {
        treatment += segment.treatment as f64;
        expected += segment.control as f64 * segment.share / (1.0 - segment.share);
    }
    (expected > 0.0).then(|| treatment / expected)
}
