//! All tests of one key, joined into what the table says of it.

use std::net::IpAddr;

use flagstaff_flags::{Key, MatcherError, Version};

use super::table::{Bounds, Wanted};
use super::{Literal, Tested};
use crate::model::Matcher;

/// What a table says of a key.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Value {
    pub(super) wanted: Option<Wanted>,
    /// What does not fit beside it, and whether it must not hold.
    pub(super) apart: Vec<(Wanted, bool)>,
}

/// All tests of one key; none where they never hold together.
///
/// # Errors
/// When the flag file does not take one of them.
pub(super) fn value(key: &str, alternative: &[Literal]) -> Result<Option<Value>, String> {
    let name = key;
    let key = Key::new(name).map_err(|e| format!("`{name}`: {e}"))?;
    let mut tests = Vec::new();
    for literal in alternative {
        if let Tested::Value(of, matcher) = &literal.tested
            && of == name
        {
            check(&key, matcher)?;
            tests.push((matcher, literal.negated));
        }
    }
    if let [(matcher, false)] = tests.as_slice() {
        return Ok(Some(Value { wanted: Some(alone(&key, matcher)), apart: Vec::new() }));
    }
    let has_words = tests.iter().any(|(matcher, negated)| matches!(matcher, Matcher::Words(_)) && !negated);
    Ok(if has_words { words(&key, &tests) } else { Some(bounds(&key, &tests)) })
}

/// Whether the flag file takes a test.
fn check(key: &Key, matcher: &Matcher) -> Result<(), String> {
    use flagstaff_flags::Matcher as Real;
    let of = |text: &str, e: MatcherError| format!("`{key}`, `{text}`: {e}");
    match matcher {
        Matcher::AtLeast(version) | Matcher::Below(version) => {
            Real::at_least(version).map(drop).map_err(|e| of(version, e))
        }
        Matcher::Networks(list) => {
            if *key != Key::Ip && !list.iter().all(|word| is_address(word)) {
                return Err(format!("`{key}` is compared with ranges of addresses, which `ip` alone is here"));
            }
            Real::within_one_of(list).map(drop).map_err(|word| of(word, MatcherError::Address))
        }
        matcher => match alone(key, matcher) {
            Wanted::Bounds(Bounds { matches: Some(text), .. }) => {
                Real::matches(&text).map(drop).map_err(|e| of(&text, e))
            }
            _ => Ok(()),
        },
    }
}

/// Words, of which those are left that pass the other tests; what cannot be tried here is asked apart.
fn words(key: &Key, tests: &[(&Matcher, bool)]) -> Option<Value> {
    let mut left: Option<Vec<String>> = None;
    let mut apart = Vec::new();
    for (matcher, negated) in tests {
        if let (Matcher::Words(list), false) = (matcher, negated) {
            let both = |before: Vec<String>| before.into_iter().filter(|word| list.contains(word)).collect();
            left = Some(left.map_or_else(|| list.clone(), both));
        }
    }
    let mut left = left.unwrap_or_default();
    for (matcher, negated) in tests {
        match (matcher, negated) {
            (Matcher::Words(_), false) => {}
            (matcher, negated) if is_tried(matcher) => left.retain(|word| fits(matcher, word) != *negated),
            (matcher, negated) => apart.push((alone(key, matcher), *negated)),
        }
    }
    (!left.is_empty()).then(|| Value { wanted: Some(alone(key, &Matcher::Words(left))), apart })
}

/// Whether a test of a word can be made here.
const fn is_tried(matcher: &Matcher) -> bool {
    matches!(matcher, Matcher::Words(_) | Matcher::Starts(_) | Matcher::Ends(_) | Matcher::Contains(_))
}

fn fits(matcher: &Matcher, word: &str) -> bool {
    match matcher {
        Matcher::Words(list) => list.iter().any(|one| one == word),
        Matcher::Starts(list) => list.iter().any(|one| word.starts_with(one.as_str())),
        Matcher::Ends(list) => list.iter().any(|one| word.ends_with(one.as_str())),
        Matcher::Contains(list) => list.iter().any(|one| word.contains(one.as_str())),
        _ => false,
    }
}

/// Tests without words, as one table of bounds; what does not fit is asked apart.
fn bounds(key: &Key, tests: &[(&Matcher, bool)]) -> Value {
    let mut bounds = Bounds::default();
    let mut apart = Vec::new();
    for (matcher, negated) in tests {
        match (matcher, negated) {
            (Matcher::AtLeast(version), false) => narrow(&mut bounds.at_least, version, |new, old| new > old),
            (Matcher::Below(version), false) => narrow(&mut bounds.below, version, |new, old| new < old),
            (Matcher::Words(list), true) if mean_themselves(key, list) => bounds.not.extend(list.iter().cloned()),
            (Matcher::Networks(list), true) => bounds.not.extend(list.iter().cloned()),
            (matcher, true) if globs(key, matcher).is_some() => {
                bounds.not.extend(globs(key, matcher).into_iter().flatten());
            }
            (matcher, false) if is_text(matcher) && bounds.matches.is_none() => {
                bounds.matches = Some(expression(matcher));
            }
            (matcher, negated) => apart.push((alone(key, matcher), *negated)),
        }
    }
    let wanted = (bounds != Bounds::default()).then_some(Wanted::Bounds(bounds));
    Value { wanted, apart }
}

/// Whether a test can be said as a regular expression.
const fn is_text(matcher: &Matcher) -> bool {
    matches!(matcher, Matcher::Expression(_) | Matcher::Starts(_) | Matcher::Ends(_) | Matcher::Contains(_))
}

/// Whether no word has a `*` of its own, which stands for any text in a flag file.
fn is_plain(list: &[String]) -> bool {
    !list.iter().any(|word| word.contains('*'))
}

/// Whether a flag file takes words for exactly what they are. What it would take for more is written as an expression.
fn mean_themselves(key: &Key, list: &[String]) -> bool {
    match key {
        // `de` takes `de-AT` too.
        Key::Language => false,
        // A browser's name is taken in any case. So are countries, hosts and methods, but those are the same in any case.
        Key::UserAgent => false,
        // A range takes all addresses in it.
        Key::Ip => list.iter().all(|word| is_address(word)),
        _ => is_plain(list),
    }
}

/// Whether a text is an address, and in the way addresses are written here.
fn is_address(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().to_string() == text)
}

/// A test that stands alone in its table.
fn alone(key: &Key, matcher: &Matcher) -> Wanted {
    let bounds = match matcher {
        Matcher::Words(list) if mean_themselves(key, list) => return Wanted::Words(list.clone()),
        Matcher::Networks(list) => return Wanted::Words(list.clone()),
        Matcher::AtLeast(version) => Bounds { at_least: Some(version.clone()), ..Bounds::default() },
        Matcher::Below(version) => Bounds { below: Some(version.clone()), ..Bounds::default() },
        matcher => {
            if let Some(globs) = globs(key, matcher) {
                return Wanted::Words(globs);
            }
            Bounds { matches: Some(expression(matcher)), ..Bounds::default() }
        }
    };
    Wanted::Bounds(bounds)
}

/// Patterns with `*`; none where a text has a `*` of its own, or the key does not mind upper and lower case, as the old system does.
fn globs(key: &Key, matcher: &Matcher) -> Option<Vec<String>> {
    let (Matcher::Starts(list) | Matcher::Ends(list) | Matcher::Contains(list)) = matcher else { return None };
    let glob = |text: &String| match matcher {
        Matcher::Starts(_) => format!("{text}*"),
        Matcher::Ends(_) => format!("*{text}"),
        _ => format!("*{text}*"),
    };
    let minds_case = !key.is_any_case() && !matches!(key, Key::Ip | Key::Language);
    (minds_case && is_plain(list)).then(|| list.iter().map(glob).collect())
}

/// A regular expression for a test of texts.
fn expression(matcher: &Matcher) -> String {
    let one_of = |list: &[String]| list.iter().map(|text| Matcher::escaped(text)).collect::<Vec<_>>().join("|");
    match matcher {
        Matcher::Starts(list) => format!("^(?:{})", one_of(list)),
        Matcher::Ends(list) => format!("(?:{})$", one_of(list)),
        Matcher::Contains(list) => one_of(list),
        Matcher::Words(list) => format!("^(?:{})$", one_of(list)),
        Matcher::Expression(text) => text.clone(),
        Matcher::AtLeast(_) | Matcher::Below(_) | Matcher::Networks(_) => String::new(),
    }
}

/// Keeps the narrower of two bounds.
fn narrow(bound: &mut Option<String>, new: &str, narrower: fn(&Version, &Version) -> bool) {
    let keeps = match (bound.as_deref().and_then(Version::new), Version::new(new)) {
        (Some(old), Some(new)) => narrower(&new, &old),
        _ => true,
    };
    if keeps {
        *bound = Some(new.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(key: &str, tests: &[(Matcher, bool)]) -> Result<Option<Value>, String> {
        let literal = |(matcher, negated): &(Matcher, bool)| Literal {
            tested: Tested::Value(key.into(), matcher.clone()),
            negated: *negated,
        };
        value(key, &tests.iter().map(literal).collect::<Vec<_>>())
    }

    fn words(list: &[&str]) -> Matcher {
        Matcher::Words(list.iter().map(|word| (*word).to_owned()).collect())
    }

    fn matches(text: &str) -> Wanted {
        Wanted::Bounds(Bounds { matches: Some(text.into()), ..Bounds::default() })
    }

    #[test]
    fn words_that_a_flag_file_takes_for_more_are_expressions() {
        let larger = [
            ("language", "de", "^(?:de)$"),
            ("languages", "de", "^(?:de)$"),
            ("ip", "10.0.0.0/8", r"^(?:10\.0\.0\.0\/8)$"),
            ("user_agent", "curl", "^(?:curl)$"),
            ("plan", "pro*", r"^(?:pro\*)$"),
        ];
        for (key, word, expression) in larger {
            let alone = written(key, &[(words(&[word]), false)]).unwrap().unwrap();
            assert_eq!(alone, Value { wanted: Some(matches(expression)), apart: Vec::new() }, "{key}");
            let negated = written(key, &[(words(&[word]), true)]).unwrap().unwrap();
            assert_eq!(negated, Value { wanted: None, apart: vec![(matches(expression), true)] }, "{key}");
        }
    }

    #[test]
    fn words_that_mean_themselves_stay_words() {
        for (key, word) in
            [("plan", "pro"), ("country", "AT"), ("group", "staff"), ("ip", "192.0.2.1"), ("ip", "::1")]
        {
            let alone = written(key, &[(words(&[word]), false)]).unwrap().unwrap();
            assert_eq!(alone.wanted, Some(Wanted::Words(vec![word.into()])), "{key}");
            let bounds = Bounds { not: vec![word.into()], ..Bounds::default() };
            let negated = written(key, &[(words(&[word]), true)]).unwrap().unwrap();
            assert_eq!(negated.wanted, Some(Wanted::Bounds(bounds)), "{key}");
        }
    }

    #[test]
    fn words_of_a_language_that_others_exclude_are_left_out() {
        let both = [(words(&["de", "de-AT"]), false), (words(&["de"]), true)];
        let left = written("language", &both).unwrap().unwrap();
        assert_eq!(left.wanted, Some(matches(r"^(?:de\-AT)$")));
    }

    #[test]
    fn what_the_flag_file_does_not_take_is_an_error() {
        let ranges = Matcher::Networks(vec!["10.0.0.0/8".into()]);
        assert!(written("ip", &[(ranges.clone(), false)]).is_ok());
        assert!(written("header.x-real-ip", &[(ranges, false)]).unwrap_err().contains("`ip` alone"));
        let many: Vec<String> = (0..20_000).map(|i| format!("browser {i}")).collect();
        assert!(written("user_agent", &[(Matcher::Words(many), false)]).is_err());
    }
}
