//! A guard as tiles: one for each sign it watches.

use flagstaff_experiment::guard::{Evidence, Sign};
use flagstaff_operations::rollout::{GuardCourse, RolloutStatus};

use super::words::grouped;
use super::{bars, course_plot};

/// A sign that a guard watches.
pub(super) struct Tile {
    pub(super) name: String,
    /// How much more often it happens with the flag.
    pub(super) ratio: String,
    pub(super) counts: String,
    /// The end of the interval over time, against the ratio at which the guard trips; empty before there is any.
    pub(super) line: String,
    pub(super) bound: String,
    pub(super) bar: String,
    /// How much of the evidence for a trip there is, in words.
    pub(super) evidence: String,
}

/// A tile for each sign.
pub(super) fn tiles(status: &RolloutStatus) -> impl Iterator<Item = Tile> {
    let course = |evidence: &Evidence| {
        let is_of = |one: &&GuardCourse| one.sign == evidence.sign && one.variant == evidence.variant;
        status.guard_course.iter().find(is_of)
    };
    status.guard.iter().map(move |evidence| tile(evidence, course(evidence)))
}

fn tile(evidence: &Evidence, course: Option<&GuardCourse>) -> Tile {
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
        line: course.map(course_plot::draw).unwrap_or_default(),
        bound: course.and_then(bound).unwrap_or_default(),
        bar: bars::filled(part, part >= 0.5),
        evidence: format!("{:.0} % of a trip", part * 100.0),
    }
}

/// Where the end of the interval is now.
fn bound(course: &GuardCourse) -> Option<String> {
    let side = if course_plot::is_upper(&course.sign) { "at most" } else { "at least" };
    let bound = course.points.last()?.bound;
    let now = bound.map_or_else(|| "no bound yet".into(), |bound| format!("surely {side} {bound:.2} times"));
    Some(format!("{now}; trips at {} times", course.tolerated))
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
