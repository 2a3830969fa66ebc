//! How long answers took: a histogram that can be added up.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// Parts of each power of two; a value is known to an eighth of itself.
const PARTS: u32 = 8;

/// Counts of durations by size, 1 µs to hours. Two of them add up to what one would have counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latency(BTreeMap<u16, u64>);

impl Latency {
    /// Counts one.
    pub fn add(&mut self, duration: Duration) {
        *self.0.entry(bin(duration)).or_default() += 1;
    }

    /// Adds another's counts.
    pub fn merge(&mut self, other: &Self) {
        for (bin, count) in &other.0 {
            let sum = self.0.entry(*bin).or_default();
            *sum = sum.saturating_add(*count);
        }
    }

    /// How many were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The duration that a part (0 to 1) of all stays below, to an eighth; none when nothing was counted.
    #[must_use]
    pub fn quantile(&self, part: f64) -> Option<Duration> {
        let wanted = (part.clamp(0.0, 1.0) * self.count() as f64).ceil().max(1.0);
        let mut seen = 0.0;
        let found = self.0.iter().find(|(_, count)| {
            seen += **count as f64;
            seen >= wanted
        });
        found.map(|(bin, _)| Duration::from_micros(end(*bin)))
    }

    /// As the ledger keeps it: `bin:count` with spaces between.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (bin, count) in &self.0 {
            let space = if text.is_empty() { "" } else { " " };
            // writing into a String cannot fail
            let _ = write!(text, "{space}{bin}:{count}");
        }
        text
    }

    /// Reads [`Latency::text`]; what is not of that form is passed over.
    pub(crate) fn read(text: &str) -> Self {
        let pair = |pair: &str| {
            let (bin, count) = pair.split_once(':')?;
            Some((bin.parse().ok().filter(|bin| *bin <= LAST)?, count.parse().ok()?))
        };
        Self(text.split(' ').filter_map(pair).collect())
    }
}

/// The bin of the longest duration that fits 64 bits of µs.
const LAST: u16 = 511;

/// Below 8 µs a bin each; above, eight to a power of two.
fn bin(duration: Duration) -> u16 {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    let bin = match micros.checked_ilog2() {
        Some(power) if power >= 3 => {
            let part = (micros >> (power - 3)) & u64::from(PARTS - 1);
            u64::from((power - 2) * PARTS) + part
        }
        _ => micros,
    };
    u16::try_from(bin).unwrap_or(LAST)
}

/// The largest value of a bin, in µs.
fn end(bin: u16) -> u64 {
    let bin = u32::from(bin);
    if bin < PARTS {
        return u64::from(bin);
    }
    let (power, part) = (bin / PARTS + 2, u64::from(bin % PARTS));
    let first = (u64::from(PARTS) + part).checked_shl(power - 3).unwrap_or(u64::MAX);
    first.saturating_add(1u64.checked_shl(power - 3).unwrap_or(u64::MAX) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_known_to_an_eighth() {
        for micros in (0..5_000).chain([80_000, 1_000_000, 3_600_000_000, u64::MAX / 2]) {
            let known = end(bin(Duration::from_micros(micros)));
            assert!(known >= micros && known - micros <= micros / 8, "{micros} became {known}");
        }
    }

    #[test]
    fn histograms_add_up_and_survive_the_ledger() {
        let count = |range: std::ops::Range<u64>| {
            let mut latency = Latency::default();
            range.for_each(|ms| latency.add(Duration::from_millis(ms)));
            latency
        };
        let mut sum = count(0..50);
        sum.merge(&count(50..100));
        assert_eq!(sum, count(0..100));
        assert_eq!(Latency::read(&sum.text()), sum);
        assert_eq!(sum.count(), 100);
        let p95 = sum.quantile(0.95).unwrap().as_secs_f64();
        assert!((0.094..0.107).contains(&p95), "{p95}");
        assert_eq!(Latency::default().quantile(0.5), None);
        assert_eq!(Latency::read("1:2 x:3 4 :5 9999:1 2:x"), Latency::read("1:2"));
    }
}
