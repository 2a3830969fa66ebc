//! Dotted versions, compared by number.

use std::cmp::Ordering;
use std::fmt;

/// A version such as `2.4`, `2.4.0` or `3.0.0-beta.1`: missing numbers count as zero, a pre-release comes before its release, build
/// data after `+` is ignored. A plain number is a version too.
#[derive(Clone, Debug)]
pub struct Version {
    numbers: Vec<u64>,
    pre: Vec<Part>,
}

/// One part of a pre-release; numbers come before texts (semver.org, 11.4).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Number(u64),
    Text(String),
}

impl Version {
    /// Reads a version; a leading `v` is taken off. `None` when a text is no version.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches(['v', 'V']);
        let text = text.split_once('+').map_or(text, |(version, _build)| version);
        let (numbers, pre) = text.split_once('-').unwrap_or((text, ""));
        let mut numbers = numbers.split('.').map(|n| n.parse().ok()).collect::<Option<Vec<u64>>>()?;
        while numbers.last() == Some(&0) {
            numbers.pop();
        }
        let part = |p: &str| p.parse().map_or_else(|_| Part::Text(p.into()), Part::Number);
        let pre = if pre.is_empty() { Vec::new() } else { pre.split('.').map(part).collect() };
        Some(Self { numbers, pre })
    }
}

/// With three numbers or more, as `2.4.0`.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = 3_usize.saturating_sub(self.numbers.len());
        let numbers = self.numbers.iter().copied().chain(std::iter::repeat_n(0, missing));
        let numbers: Vec<_> = numbers.map(|number| number.to_string()).collect();
        f.write_str(&numbers.join("."))?;
        for (at, part) in self.pre.iter().enumerate() {
            f.write_str(if at == 0 { "-" } else { "." })?;
            match part {
                Part::Number(number) => write!(f, "{number}")?,
                Part::Text(text) => f.write_str(text)?,
            }
        }
        Ok(())
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let release = |v: &Self| v.pre.is_empty();
        self.numbers
            .cmp(&other.numbers)
            .then_with(|| release(self).cmp(&release(other)))
            .then_with(|| self.pre.cmp(&other.pre))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_as_semver_does() {
        let rising =
            ["0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-rc.1", "1.0.0", "1.2", "1.10", "2"];
        for pair in rising.windows(2) {
            assert!(Version::new(pair[0]) < Version::new(pair[1]), "{pair:?}");
        }
        assert_eq!(Version::new("v2.4"), Version::new("2.4.0+build.7"));
    }

    #[test]
    fn no_version_is_none() {
        for bad in ["", "x", "1.x", "1..2", "-1", "99999999999999999999999"] {
            assert!(Version::new(bad).is_none(), "{bad}");
        }
    }
}
