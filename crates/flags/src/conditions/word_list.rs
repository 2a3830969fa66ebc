//! Long lists of words and of address ranges, in which a value is found without a walk through all of them.

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;

use ipnet::IpNet;

use crate::Glob;

/// WordList and patterns with `*`, of which one must fit. WordList are found by hash, patterns one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WordList {
    any_case: bool,
    /// In lower case, where case does not count.
    words: HashSet<Box<str>>,
    /// As they were written, those of them that have capitals: for people, and no decision looks here.
    capitals: BTreeMap<Box<str>, Box<str>>,
    patterns: Vec<Glob>,
}

impl WordList {
    /// WordList and patterns that mind upper and lower case.
    pub fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        Self::of(words, false)
    }

    /// WordList and patterns that take ASCII letters of either case.
    pub fn any_case<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        Self::of(words, true)
    }

    fn of<'a>(all: impl IntoIterator<Item = &'a str>, any_case: bool) -> Self {
        let (mut words, mut capitals, mut patterns) = (HashSet::new(), BTreeMap::new(), Vec::new());
        for word in all {
            match (word.contains('*'), any_case) {
                (true, true) => patterns.push(Glob::any_case(word)),
                (true, false) => patterns.push(Glob::new(word)),
                (false, true) => {
                    let small = word.to_ascii_lowercase();
                    if small != word {
                        capitals.insert(small.clone().into(), word.into());
                    }
                    words.insert(small.into());
                }
                (false, false) => drop(words.insert(word.into())),
            }
        }
        Self { any_case, words, capitals, patterns }
    }

    /// All words and patterns as they were written, in the order of the alphabet. Of words that differ in case alone, where it does not
    /// count, one is there.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let words = self.words.iter().map(|word| &**self.capitals.get(word).unwrap_or(word));
        let mut all: Vec<_> = words.chain(self.patterns.iter().map(Glob::as_str)).collect();
        all.sort_unstable();
        all.into_iter()
    }

    /// Its words, when there are no patterns and it minds upper and lower case.
    pub(crate) fn plain_words(&self) -> Option<impl Iterator<Item = &str>> {
        let is_plain = !self.any_case && self.patterns.is_empty();
        is_plain.then(|| self.words.iter().map(|word| &**word))
    }

    /// Whether one fits the whole text.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        let is_word = if self.any_case && text.bytes().any(|b| b.is_ascii_uppercase()) {
            self.words.contains(text.to_ascii_lowercase().as_str())
        } else {
            self.words.contains(text)
        };
        is_word || self.patterns.iter().any(|pattern| pattern.fits(text))
    }
}

/// IpRanges of addresses, by their lengths: an address is looked for once per length, of which there are at most 33 and 129.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IpRanges(BTreeMap<u8, HashSet<IpNet>>);

impl FromIterator<IpNet> for IpRanges {
    fn from_iter<I: IntoIterator<Item = IpNet>>(ranges: I) -> Self {
        let mut by_length: BTreeMap<u8, HashSet<IpNet>> = BTreeMap::new();
        for range in ranges {
            by_length.entry(range.prefix_len()).or_default().insert(range.trunc());
        }
        Self(by_length)
    }
}

impl IpRanges {
    /// Whether an address is in one of them.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        self.0
            .iter()
            .any(|(length, ranges)| IpNet::new(address, *length).is_ok_and(|range| ranges.contains(&range.trunc())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_lists_match_like_single_words() {
        let all = ["pro", "Team*", "", "*x", "ÄÖ", "A*b"];
        for text in ["pro", "Pro", "team", "Team1", "", "x", "aX", "ÄÖ", "äö", "a-B", "A-b"] {
            let one_by_one = |glob: fn(&str) -> Glob| all.iter().any(|word| glob(word).fits(text));
            assert_eq!(WordList::new(all).fits(text), one_by_one(Glob::new), "{text}");
            assert_eq!(WordList::any_case(all).fits(text), one_by_one(Glob::any_case), "{text}");
        }
    }

    #[test]
    fn words_are_told_as_they_were_written() {
        let all = ["AT", "de", "Shop.Example", "*.Ch"];
        for list in [WordList::new(all), WordList::any_case(all)] {
            assert_eq!(list.texts().collect::<Vec<_>>(), ["*.Ch", "AT", "Shop.Example", "de"]);
        }
        assert_eq!(WordList::any_case(["at", "AT"]).texts().count(), 1);
    }

    #[test]
    fn ranges_of_all_lengths() {
        let ranges = ["10.1.2.3/8", "192.0.2.7/32", "2001:db8::/32", "::1/128"];
        let all: IpRanges = ranges.iter().filter_map(|range| range.parse::<IpNet>().ok()).collect();
        for (address, inside) in [
            ("10.9.9.9", true),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("2001:db8:1::1", true),
            ("2001:db9::", false),
            ("::1", true),
        ] {
            assert_eq!(address.parse().map(|address| all.contain(address)), Ok(inside), "{address}");
        }
        let everything: IpRanges = "0.0.0.0/0".parse::<IpNet>().into_iter().collect();
        assert!(everything.contain(IpAddr::from([1, 2, 3, 4])) && !everything.contain(IpAddr::from([0; 16])));
    }
}
