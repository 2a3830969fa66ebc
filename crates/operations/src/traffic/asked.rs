//! How often each flag was asked for, and whether its variants have the share that they should have.

use flagstaff_flags::{Flag, Snapshot};
use flagstaff_layer::{AskedFlag, AskedVariant};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How often a flag was asked for since the start: by requests that count, on which it is met.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FlagTraffic {
    /// The flag.
    pub flag: String,
    /// Requests of all variants.
    pub requests: u64,
    /// Its variants, in the order of the file.
    pub variants: Vec<VariantTraffic>,
    /// When it was asked for last (RFC 3339); none: never.
    pub last: Option<String>,
    /// Requests in each of the last thirty spans of ten seconds, the oldest first.
    pub history: Vec<u64>,
}

/// How often a variant was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VariantTraffic {
    /// The variant.
    pub variant: String,
    /// Requests that got it.
    pub requests: u64,
    /// The share of requests that got it (0 to 100): of the last five minutes, or since the start where none came since; none where none
    /// came at all.
    pub actual: Option<f64>,
    /// The share of visitors that it should have now (0 to 100), of those for whom the draw decides.
    pub expected: f64,
}

impl FlagTraffic {
    /// The flags of a snapshot at a time, as they were asked for.
    pub fn of_all(snapshot: &Snapshot, asked: Vec<AskedFlag>, now: Timestamp) -> Vec<Self> {
        asked.into_iter().map(|one| Self::of(snapshot, one, now)).collect()
    }

    fn of(snapshot: &Snapshot, asked: AskedFlag, now: Timestamp) -> Self {
        let recent: u64 = asked.variants.iter().map(|one| one.recent).sum();
        let requests = asked.requests();
        let flag = snapshot.flag_named(&asked.flag);
        let shares = snapshot.find(&asked.flag).map(|id| snapshot.expected_shares(id, now)).unwrap_or_default();
        let variant = |(one, expected): (AskedVariant, f64)| {
            let (part, all) = if recent > 0 { (one.recent, recent) } else { (one.requests, requests) };
            VariantTraffic {
                actual: (all > 0).then(|| part as f64 * 100.0 / all as f64),
                expected,
                variant: one.variant,
                requests: one.requests,
            }
        };
        let variants = asked.variants.into_iter().zip(shares.into_iter().chain(std::iter::repeat(0.0)));
        // `off` is none of the variants of a flag that names its own, but some may get it
        let is_used = |(one, expected): &(AskedVariant, f64)| {
            one.requests > 0 || *expected > 0.0 || flag.is_none_or(|flag| is_named(flag, &one.variant))
        };
        Self {
            variants: variants.filter(is_used).map(variant).collect(),
            flag: asked.flag,
            requests,
            last: asked.last.map(|last| format!("{last:.0}")),
            history: asked.history,
        }
    }

    /// Whether any request came in the last five minutes.
    #[must_use]
    pub fn is_recent(&self) -> bool {
        self.history.iter().any(|requests| *requests > 0)
    }
}

fn is_named(flag: &Flag, variant: &str) -> bool {
    !flag.variants.are_named() || flag.variants.weights().any(|(id, _)| flag.variants.name(id) == variant)
}

#[cfg(test)]
mod tests {
    use flagstaff_flags::{Name, Percent, Variants};

    use super::*;

    fn asked(variants: &[(&str, u64, u64)]) -> AskedFlag {
        let of = |(name, requests, recent): &(&str, u64, u64)| AskedVariant {
            variant: (*name).into(),
            requests: *requests,
            recent: *recent,
        };
        AskedFlag {
            flag: "form".into(),
            variants: variants.iter().map(of).collect(),
            last: None,
            history: vec![0; 30],
        }
    }

    fn told(change: impl FnOnce(&mut Flag), variants: &[(&str, u64, u64)]) -> Vec<(String, Option<f64>, f64)> {
        let mut flag = Flag::new(Name::new("form").unwrap());
        flag.percent = Some(Percent::new(20.0).unwrap());
        change(&mut flag);
        let snapshot = Snapshot::new("r", vec![flag], vec![], vec![], vec![]).unwrap();
        let traffic = FlagTraffic::of_all(&snapshot, vec![asked(variants)], Timestamp::UNIX_EPOCH).remove(0);
        traffic.variants.into_iter().map(|one| (one.variant, one.actual, one.expected)).collect()
    }

    #[test]
    fn the_actual_split_is_of_late_where_somebody_came_of_late() {
        let all = told(|_| {}, &[("off", 900, 30), ("on", 100, 10)]);
        assert_eq!(all, [("off".into(), Some(75.0), 80.0), ("on".into(), Some(25.0), 20.0)]);
        let all = told(|_| {}, &[("off", 900, 0), ("on", 100, 0)]);
        assert_eq!(all, [("off".into(), Some(90.0), 80.0), ("on".into(), Some(10.0), 20.0)]);
        assert_eq!(told(|_| {}, &[("off", 0, 0), ("on", 0, 0)])[1], ("on".into(), None, 20.0));
    }

    #[test]
    fn what_should_be_follows_the_weights_and_the_switch() {
        let named = |flag: &mut Flag| flag.variants = Variants::weighted([("a", 50.0), ("b", 50.0)]).unwrap();
        let counts = [("off", 0, 0), ("a", 9, 9), ("b", 1, 1)];
        assert_eq!(told(named, &counts), [("a".into(), Some(90.0), 90.0), ("b".into(), Some(10.0), 10.0)]);
        let off = told(|flag| flag.enabled = false, &[("off", 1, 1), ("on", 0, 0)]);
        assert_eq!(off, [("off".into(), Some(100.0), 100.0), ("on".into(), Some(0.0), 0.0)]);
    }
}
