//! How the end of a guard's interval moved, against the ratio at which the guard trips, in SVG. Only numbers go into it.

use std::fmt::Write as _;

use flagstaff_experiment::guard::Sign;
use flagstaff_operations::rollout::GuardCourse;

const WIDTH: f64 = 240.0;
const HEIGHT: f64 = 56.0;
/// So many times what is tolerated is the top: one wild point must not make all others flat.
const TOP: f64 = 2.0;

/// Whether it is the upper end that falls, and not the lower one that rises.
pub(super) const fn is_upper(sign: &Sign) -> bool {
    matches!(sign, Sign::Goal(_))
}

/// A course as a line, with the limit dotted; empty before there is any point.
pub(super) fn draw(course: &GuardCourse) -> String {
    let (Some(first), Some(last)) = (course.points.first(), course.points.last()) else {
        return String::new();
    };
    let top = course.tolerated * TOP;
    let without = if is_upper(&course.sign) { top } else { 0.0 };
    let (from, span) =
        (first.at.as_microsecond() as f64, (last.at.as_microsecond() - first.at.as_microsecond()) as f64);
    let height = |ratio: f64| HEIGHT - 1.0 - (ratio / top).clamp(0.0, 1.0) * (HEIGHT - 2.0);
    let mut points = String::new();
    for point in &course.points {
        let x = if span > 0.0 { (point.at.as_microsecond() as f64 - from) / span * WIDTH } else { WIDTH };
        let _ = write!(points, "{x:.1},{:.1} ", height(point.bound.unwrap_or(without)));
    }
    let limit = height(course.tolerated);
    format!(
        r#"<svg class="line-plot" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" aria-label="the end of the interval over time; the guard trips at {} times"><line class="limit" x1="0" x2="{WIDTH}" y1="{limit:.1}" y2="{limit:.1}"/><polyline class="line" points="{}"/></svg>"#,
        course.tolerated,
        points.trim_end()
    )
}

#[cfg(test)]
mod tests {
    use flagstaff_operations::rollout::CoursePoint;
    use jiff::Timestamp;

    use super::*;

    fn course(sign: Sign, bounds: &[Option<f64>]) -> GuardCourse {
        let point = |(n, bound): (i64, &Option<f64>)| CoursePoint {
            at: Timestamp::from_second(n).unwrap(),
            bound: *bound,
            log_evidence: 0.0,
        };
        let points = (0..).zip(bounds).map(point).collect();
        GuardCourse { sign, variant: "on".into(), tolerated: 1.25, points }
    }

    #[test]
    fn the_line_meets_the_limit_where_the_guard_trips() {
        let svg = draw(&course(Sign::Error, &[None, Some(0.5), Some(1.25), Some(900.0)]));
        assert!(svg.contains(r#"y1="28.0" y2="28.0""#), "{svg}");
        assert!(svg.contains(r#"points="0.0,55.0 80.0,44.2 160.0,28.0 240.0,1.0""#), "{svg}");
    }

    #[test]
    fn an_upper_end_begins_at_the_top_and_nothing_is_nothing() {
        assert!(draw(&course(Sign::Goal("paid".into()), &[None, Some(1.0)])).contains(r#"points="0.0,1.0 "#));
        assert_eq!(draw(&course(Sign::Error, &[])), "");
    }
}
