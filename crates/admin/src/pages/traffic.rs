//! How a flag is asked for, as pages show it. The script moves the same numbers while the page is looked at: it finds them by their
//! `data-` attributes.

use std::fmt::Write as _;

use flagstaff_flags::Flag;
use flagstaff_operations::traffic::{FlagTraffic, VariantTraffic};
use jiff::Timestamp;

use super::bars;
use super::words::{counted, grouped, seconds_ago};

/// The height of a line of requests, and how far its points are apart.
const LINE: (f64, f64) = (18.0, 4.0);

/// How a flag is asked for.
pub(super) struct Traffic {
    /// The actual split, with ticks where it should be.
    pub(super) split: String,
    /// Requests of the last five minutes as a line.
    pub(super) line: String,
    pub(super) requests: String,
    /// When it was asked for last, exactly; empty: never.
    pub(super) last_at: String,
    pub(super) last: String,
    pub(super) variants: Vec<Variant>,
}

/// Who gets what.
pub(super) struct Variant {
    pub(super) name: String,
    pub(super) requests: String,
    pub(super) actual: String,
    pub(super) expected: String,
}

impl Traffic {
    pub(super) fn of(flag: &Flag, traffic: &FlagTraffic, now: Timestamp) -> Self {
        let last: Option<Timestamp> = traffic.last.as_ref().and_then(|last| last.parse().ok());
        Self {
            split: split(flag, traffic),
            line: line(&traffic.history),
            requests: counted(traffic.requests, "request", "requests"),
            last_at: traffic.last.clone().unwrap_or_default(),
            last: last.map_or_else(|| "never asked for".into(), |at| format!("last asked {}", seconds_ago(at, now))),
            variants: traffic.variants.iter().map(Variant::of).collect(),
        }
    }
}

impl Variant {
    fn of(one: &VariantTraffic) -> Self {
        Self {
            name: one.variant.clone(),
            requests: grouped(one.requests),
            actual: one.actual.map_or_else(|| "–".into(), percent),
            expected: percent(one.expected),
        }
    }
}

/// `12.5 %`.
fn percent(share: f64) -> String {
    format!("{} %", (share * 10.0).round() / 10.0)
}

/// The share of each variant that is neither the control nor off.
fn split(flag: &Flag, traffic: &FlagTraffic) -> String {
    let control = flag.variants.name(flag.variants.control());
    let parts: Vec<_> =
        traffic.variants.iter().filter(|one| one.variant != control && one.variant != "off").collect();
    let words = parts.iter().map(|one| {
        let actual =
            one.actual.map_or_else(|| "no requests".into(), |share| format!("{} of requests", percent(share)));
        format!("{}: {actual}, should be {}", one.variant, percent(one.expected))
    });
    let words = words.collect::<Vec<_>>().join("; ");
    let parts: Vec<_> = parts.iter().map(|one| (one.variant.as_str(), one.actual, one.expected)).collect();
    bars::split(&parts, &words)
}

/// Requests by span of time.
fn line(history: &[u64]) -> String {
    let (height, step) = LINE;
    let most = history.iter().copied().max().unwrap_or_default().max(1) as f64;
    let mut points = String::new();
    for (place, requests) in history.iter().enumerate() {
        let _ = write!(points, "{:.0},{:.1} ", place as f64 * step, 1.0 + height - *requests as f64 / most * height);
    }
    format!(
        r#"<svg class="spark" viewBox="0 0 {:.0} {:.0}" preserveAspectRatio="none" role="img" aria-label="requests in the last five minutes"><polyline points="{}"/></svg>"#,
        step * 29.0,
        height + 2.0,
        points.trim_end()
    )
}

#[cfg(test)]
mod tests {
    use flagstaff_flags::{Name, Variants};

    use super::*;

    fn traffic(variants: &[(&str, Option<f64>, f64)], last: Option<&str>) -> FlagTraffic {
        let of = |(name, actual, expected): &(&str, Option<f64>, f64)| VariantTraffic {
            variant: (*name).into(),
            requests: 600,
            actual: *actual,
            expected: *expected,
        };
        FlagTraffic {
            flag: "form".into(),
            requests: 1200,
            variants: variants.iter().map(of).collect(),
            last: last.map(Into::into),
            history: [vec![0; 28], vec![5, 10]].concat(),
        }
    }

    #[test]
    fn the_actual_split_stands_beside_what_it_should_be() {
        let flag = Flag::new(Name::new("form").unwrap());
        let now: Timestamp = "2026-11-28T12:00:03Z".parse().unwrap();
        let told = traffic(&[("off", Some(75.0), 80.0), ("on", Some(25.0), 20.0)], Some("2026-11-28T12:00:00Z"));
        let shown = Traffic::of(&flag, &told, now);
        assert_eq!((shown.requests.as_str(), shown.last.as_str()), ("1,200 requests", "last asked 3 s ago"));
        assert!(shown.split.contains(r#"data-part="on" x="0.00" width="30.00""#), "{}", shown.split);
        assert!(shown.split.contains(r#"data-tick="on" x="23.00""#), "{}", shown.split);
        assert!(shown.split.contains("on: 25 % of requests, should be 20 %"), "{}", shown.split);
        assert!(shown.line.contains(" 112,10.0 116,1.0\""), "{}", shown.line);
    }

    #[test]
    fn what_was_never_asked_for_says_so() {
        let mut flag = Flag::new(Name::new("form").unwrap());
        flag.variants = Variants::weighted([("a", 50.0), ("b", 50.0)]).unwrap();
        let shown =
            Traffic::of(&flag, &traffic(&[("a", None, 50.0), ("b", None, 50.0)], None), Timestamp::UNIX_EPOCH);
        assert_eq!((shown.last.as_str(), shown.last_at.as_str()), ("never asked for", ""));
        assert_eq!((shown.variants[1].actual.as_str(), shown.variants[1].expected.as_str()), ("–", "50 %"));
        assert!(shown.split.contains("b: no requests, should be 50 %") && !shown.split.contains("data-part=\"a\""));
    }
}
