//! Shares as bars, in SVG. Only numbers go into it, so that it needs no escaping.

use std::fmt::Write as _;

/// The width of a bar of shares.
const WIDTH: f64 = 120.0;

/// A bar of shares (percent) beside each other, up to 100.
pub(super) fn shares(parts: &[f64]) -> String {
    let all: f64 = parts.iter().sum();
    let mut svg = format!(
        r#"<svg class="bar" viewBox="0 0 120 10" preserveAspectRatio="none" role="img" aria-label="{all} percent"><rect class="ground" width="120" height="10" rx="2"/>"#
    );
    let mut from = 0.0;
    for (part, class) in parts.iter().zip(["part", "part b", "part c"].into_iter().cycle()) {
        let width = (part / 100.0 * WIDTH).clamp(0.0, WIDTH - from);
        let _ = write!(svg, r#"<rect class="{class}" x="{from:.2}" width="{width:.2}" height="10" rx="2"/>"#);
        from += width;
    }
    svg + "</svg>"
}

/// A bar that is filled in part (0 to 1); `is_alarm` when that is nothing good.
pub(super) fn filled(part: f64, is_alarm: bool) -> String {
    let part = if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 };
    let class = if is_alarm { "alarm" } else { "part" };
    format!(
        r#"<svg class="bar full" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="{:.0} percent"><rect class="ground" width="100" height="10"/><rect class="{class}" width="{:.2}" height="10"/></svg>"#,
        part * 100.0,
        part * 100.0,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_stand_beside_each_other_and_stay_inside() {
        let svg = shares(&[50.0, 25.0]);
        assert!(svg.contains(r#"x="0.00" width="60.00""#) && svg.contains(r#"x="60.00" width="30.00""#), "{svg}");
        assert!(shares(&[90.0, 90.0]).contains(r#"x="108.00" width="12.00""#));
        assert!(filled(f64::NAN, true).contains(r#"width="0.00""#));
    }
}
