//! Shares as bars, in SVG. Only numbers go into it, so that it needs no escaping.

use std::fmt::Write as _;

/// The width of a bar of shares.
const WIDTH: f64 = 120.0;
/// The width of a tick.
const TICK: f64 = 2.0;

/// A bar of shares (percent) beside each other, up to 100, each with its name, its actual share and a tick where it should end. Names are
/// those of variants: they need no escaping.
pub(super) fn split(parts: &[(&str, Option<f64>, f64)], words: &str) -> String {
    let mut svg = format!(
        r#"<svg class="bar" viewBox="0 0 120 14" role="img" aria-label="{words}"><rect class="ground" y="2" width="120" height="10" rx="2"/>"#
    );
    let (mut from, mut end) = (0.0, 0.0);
    let mut ticks = String::new();
    for ((name, actual, expected), class) in parts.iter().zip(["part", "part b", "part c"].into_iter().cycle()) {
        let width = (actual.unwrap_or_default() / 100.0 * WIDTH).clamp(0.0, WIDTH - from);
        let _ = write!(
            svg,
            r#"<rect class="{class}" data-part="{name}" x="{from:.2}" width="{width:.2}" y="2" height="10"/>"#
        );
        from += width;
        end = (end + expected / 100.0 * WIDTH).min(WIDTH);
        let at = (end - TICK / 2.0).clamp(0.0, WIDTH - TICK);
        let _ = write!(ticks, r#"<rect class="tick" data-tick="{name}" x="{at:.2}" width="{TICK}" height="14"/>"#);
    }
    svg + &ticks + "</svg>"
}

/// A bar of one share (percent).
pub(super) fn share(percent: f64) -> String {
    split(&[("", Some(percent), percent)], &format!("{percent} percent"))
}

/// Counts as columns beside each other. `words` need no escaping.
pub(super) fn columns(counts: &[u64], words: &str) -> String {
    let most = counts.iter().copied().max().unwrap_or_default().max(1) as f64;
    let mut svg = format!(
        r#"<svg class="columns" viewBox="0 0 {} 30" preserveAspectRatio="none" role="img" aria-label="{words}">"#,
        counts.len() * 8
    );
    for (place, count) in counts.iter().enumerate() {
        let height = (*count as f64 / most * 29.0).max(1.0);
        let _ = write!(
            svg,
            r#"<rect class="part" x="{}" y="{:.1}" width="6" height="{height:.1}"/>"#,
            place * 8,
            30.0 - height
        );
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
        let svg = split(&[("a", Some(50.0), 40.0), ("b", Some(25.0), 60.0)], "words");
        assert!(svg.contains(r#"x="0.00" width="60.00""#) && svg.contains(r#"x="60.00" width="30.00""#), "{svg}");
        assert!(svg.contains(r#"x="47.00" width="2""#) && svg.contains(r#"x="118.00" width="2""#), "{svg}");
        assert!(split(&[("a", Some(90.0), 1.0), ("b", Some(90.0), 1.0)], "").contains(r#"x="108.00" width="12.00""#));
        let svg = columns(&[0, 5, 10], "words");
        assert!(svg.contains(r#"x="8" y="15.5" width="6" height="14.5""#) && svg.contains(r#"y="1.0""#), "{svg}");
        assert!(filled(f64::NAN, true).contains(r#"width="0.00""#));
    }
}
