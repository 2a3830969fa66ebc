//! What a value must look like.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use regex::{Regex, RegexBuilder};

use crate::{Glob, IpRanges, Version, WordList};

/// The largest compiled regular expression, in bytes: enough for any sane one, and a bound for the others.
const REGEX_SIZE: usize = 256 * 1024;

/// A question put to each value.
type Test<'a> = &'a dyn Fn(&str) -> bool;

/// A test on a value that may be missing or manifold (a user's groups). Only [`Matcher::Not`] holds for a missing one.
#[derive(Clone, Debug)]
pub enum Matcher {
    /// A word, or a pattern with `*`.
    Pattern(Glob),
    /// One of these words and patterns.
    OneOf(WordList),
    /// An address in one of these ranges.
    InOneOf(IpRanges),
    /// An address in this range.
    Within(IpNet),
    /// A version from this one on.
    AtLeast(Version),
    /// A version before this one.
    Below(Version),
    /// A text in which the regular expression is found.
    Matches(Regex),
    /// None of these.
    Not(Box<Matcher>),
    /// One of these.
    Any(Vec<Matcher>),
    /// All of these.
    All(Vec<Matcher>),
}

impl Matcher {
    /// A range of addresses, as `10.0.0.0/8` or a single address.
    ///
    /// # Errors
    /// When the text is neither.
    pub fn within(text: &str) -> Result<Self, MatcherError> {
        range(text).map(Self::Within)
    }

    /// IpRanges of addresses, of which one is enough.
    ///
    /// # Errors
    /// With the first text that is neither a range nor an address.
    pub fn within_one_of(texts: &[String]) -> Result<Self, &str> {
        let one = |text| range(text).map_err(|_| text);
        texts.iter().map(String::as_str).map(one).collect::<Result<_, _>>().map(Self::InOneOf)
    }

    /// Versions from this one on.
    ///
    /// # Errors
    /// When the text is not a version.
    pub fn at_least(text: &str) -> Result<Self, MatcherError> {
        Version::new(text).map(Self::AtLeast).ok_or(MatcherError::Version)
    }

    /// Versions before this one.
    ///
    /// # Errors
    /// When the text is not a version.
    pub fn below(text: &str) -> Result<Self, MatcherError> {
        Version::new(text).map(Self::Below).ok_or(MatcherError::Version)
    }

    /// Texts in which the expression is found; `^` and `$` anchor it.
    ///
    /// # Errors
    /// When the expression is not valid, or too large.
    pub fn matches(text: &str) -> Result<Self, MatcherError> {
        let regex = RegexBuilder::new(text).size_limit(REGEX_SIZE).build();
        regex.map(Self::Matches).map_err(|e| MatcherError::Regex(e.to_string()))
    }

    /// Whether the test holds, where `any` asks whether one of the values passes.
    pub(crate) fn holds(&self, any: &dyn Fn(Test<'_>) -> bool) -> bool {
        match self {
            Self::Pattern(glob) => any(&|value| glob.fits(value)),
            Self::OneOf(words) => any(&|value| words.fits(value)),
            Self::InOneOf(ranges) => any(&|value| value.parse::<IpAddr>().is_ok_and(|ip| ranges.contain(plain(ip)))),
            Self::Within(range) => any(&|value| value.parse::<IpAddr>().is_ok_and(|ip| range.contains(&plain(ip)))),
            Self::AtLeast(least) => any(&|value| Version::new(value).is_some_and(|v| v >= *least)),
            Self::Below(bound) => any(&|value| Version::new(value).is_some_and(|v| v < *bound)),
            Self::Matches(regex) => any(&|value| regex.is_match(value)),
            Self::Not(matcher) => !matcher.holds(any),
            Self::Any(list) => list.iter().any(|matcher| matcher.holds(any)),
            Self::All(list) => list.iter().all(|matcher| matcher.holds(any)),
        }
    }
}

impl Matcher {
    /// What [`Matcher::holds`] says of an address, without writing it down and reading it again.
    pub(crate) fn holds_for_address(&self, address: Option<IpAddr>) -> bool {
        match self {
            Self::InOneOf(ranges) => address.is_some_and(|ip| ranges.contain(plain(ip))),
            Self::Within(range) => address.is_some_and(|ip| range.contains(&plain(ip))),
            Self::Not(matcher) => !matcher.holds_for_address(address),
            Self::Any(list) => list.iter().any(|matcher| matcher.holds_for_address(address)),
            Self::All(list) => list.iter().all(|matcher| matcher.holds_for_address(address)),
            _ => self.holds(&|test| address.is_some_and(|ip| test(&ip.to_string()))),
        }
    }
}

fn range(text: &str) -> Result<IpNet, MatcherError> {
    text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(|_| MatcherError::Address)
}

/// An IPv4 address that came over an IPv6 socket is an IPv4 address.
fn plain(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

/// Why a text is not a valid test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MatcherError {
    /// Neither an address nor a range.
    Address,
    /// Not a version.
    Version,
    /// Not a regular expression, and why.
    Regex(String),
}

impl fmt::Display for MatcherError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address => f.write_str("this is not an address or range, such as \"10.0.0.0/8\""),
            Self::Version => f.write_str("this is not a version, such as \"2.4.0\""),
            // The parser draws the place over several lines; the last one says what is wrong.
            Self::Regex(why) => {
                write!(f, "this is not a regular expression: {}", why.lines().last().unwrap_or_default())
            }
        }
    }
}

impl std::error::Error for MatcherError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(matcher: &Matcher, values: &[&str]) -> bool {
        matcher.holds(&|test| values.iter().any(|value| test(value)))
    }

    #[test]
    fn a_missing_value_passes_only_a_negation() {
        let word = Matcher::Pattern(Glob::new("pro"));
        assert!(!holds(&word, &[]));
        assert!(holds(&Matcher::Not(Box::new(word)), &[]));
        assert!(!holds(&Matcher::below("2").unwrap(), &[]) && !holds(&Matcher::matches("").unwrap(), &[]));
    }

    #[test]
    fn ranges_take_addresses_of_either_family() {
        let range = Matcher::within("10.0.0.0/8").unwrap();
        assert!(holds(&range, &["10.1.2.3"]) && holds(&range, &["::ffff:10.1.2.3"]) && !holds(&range, &["11.0.0.1"]));
        assert!(holds(&Matcher::within("::1").unwrap(), &["::1"]) && !holds(&range, &["nonsense"]));
        assert!(Matcher::within("10.0.0.0/33").is_err());
    }

    #[test]
    fn addresses_are_tested_as_their_texts_are() {
        let within = |text| Matcher::within(text).unwrap();
        let list = ["10.0.0.0/8".to_owned(), "2001:db8::/32".to_owned()];
        let ranges = Matcher::within_one_of(&list).unwrap();
        let matchers = [
            within("10.0.0.0/8"),
            within("::1"),
            ranges.clone(),
            Matcher::Not(Box::new(ranges.clone())),
            Matcher::Any(vec![within("192.0.2.7"), Matcher::Pattern(Glob::new("11.*"))]),
            Matcher::All(vec![ranges, Matcher::matches("1$").unwrap()]),
        ];
        let addresses = ["10.1.2.1", "::ffff:10.1.2.3", "11.0.0.1", "192.0.2.7", "::1", "2001:db8::1", "fe80::1"];
        for matcher in &matchers {
            for text in addresses {
                let ip: IpAddr = text.parse().unwrap();
                let told = matcher.holds_for_address(Some(ip));
                assert_eq!(told, holds(matcher, &[&ip.to_string()]), "{matcher:?} {text}");
            }
            assert_eq!(matcher.holds_for_address(None), holds(matcher, &[]), "{matcher:?}");
        }
    }

    #[test]
    fn versions_and_expressions() {
        let between = Matcher::All(vec![Matcher::at_least("2.4.0").unwrap(), Matcher::below("3").unwrap()]);
        assert!(holds(&between, &["2.10"]) && !holds(&between, &["3.0.0"]) && !holds(&between, &["junk"]));
        assert!(holds(&Matcher::matches("^a.c$").unwrap(), &["abc"]));
        assert!(Matcher::matches("(").is_err() && Matcher::matches(r"(\w{1000}){1000}").is_err());
    }
}
