//! Conditions as other systems can say them: tests on attributes of a context, joined by and, or, not.

use flagstaff_flags::{Audience, Condition, Conditions, Key, Matcher, Segment};

use super::Target;

/// A test on a context. The attributes are those of [OFREP](https://openfeature.dev) contexts that Flagstaff itself reads.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    Always,
    /// The attribute is one of these.
    In(String, Vec<String>),
    /// The attribute, a list, has one of these.
    Has(String, Vec<String>),
    Starts(String, String),
    Ends(String, String),
    Contains(String, String),
    AtLeast(String, String),
    Below(String, String),
    /// The attribute is there.
    Known(String),
    /// From this time on (seconds since 1970).
    After(i64),
    Before(i64),
    Not(Box<Test>),
    All(Vec<Test>),
    Any(Vec<Test>),
    /// The same, and upper and lower case do not count.
    AnyCase(Box<Test>),
    /// Nothing of the kind is there, and what it would be.
    Cannot(String),
}

impl Test {
    /// What cannot be said in it.
    pub(super) fn cannot(&self) -> Option<&str> {
        match self {
            Self::Cannot(what) => Some(what),
            Self::Not(inner) | Self::AnyCase(inner) => inner.cannot(),
            Self::All(list) | Self::Any(list) => list.iter().find_map(Self::cannot),
            _ => None,
        }
    }

    /// What case means to this test, but not to a system: in words, each once.
    pub(super) fn case_lost(&self, target: Target) -> Vec<String> {
        let minds = |name: &str| vec![format!("upper and lower case count in `{name}` there, and do not here")];
        match self {
            Self::AnyCase(inner) => match (&**inner, target) {
                // its words for texts, but not `in`, take either case
                (_, Target::Goff) => Vec::new(),
                (Self::Starts(..) | Self::Ends(..) | Self::Contains(..), Target::Unleash) => Vec::new(),
                (Self::In(name, _) | Self::Starts(name, _) | Self::Ends(name, _) | Self::Contains(name, _), _) => {
                    minds(name)
                }
                _ => Vec::new(),
            },
            Self::Starts(name, word) | Self::Ends(name, word) | Self::Contains(name, word)
                if target == Target::Goff && has_letters(word) =>
            {
                vec![format!("upper and lower case do not count in `{name}` there, and do here")]
            }
            Self::Not(inner) => inner.case_lost(target),
            Self::All(list) | Self::Any(list) => list.iter().flat_map(|one| one.case_lost(target)).collect(),
            _ => Vec::new(),
        }
    }

    /// The same where upper and lower case do not count. What has no letters is as it was.
    fn in_any_case(self) -> Self {
        let wraps = match &self {
            Self::In(_, words) => words.iter().any(|word| has_letters(word)),
            Self::Starts(_, word) | Self::Ends(_, word) | Self::Contains(_, word) => has_letters(word),
            _ => false,
        };
        match self {
            Self::Any(list) => Self::Any(list.into_iter().map(Self::in_any_case).collect()),
            other if wraps => Self::AnyCase(Box::new(other)),
            other => other,
        }
    }

    fn any(list: Vec<Self>) -> Self {
        match <[Self; 1]>::try_from(list) {
            Ok([one]) => one,
            Err(list) => Self::Any(list),
        }
    }

    fn all(list: Vec<Self>) -> Self {
        match <[Self; 1]>::try_from(list) {
            Ok([one]) => one,
            Err(list) if list.is_empty() => Self::Always,
            Err(list) => Self::All(list),
        }
    }
}

fn has_letters(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// People of an audience.
pub(super) fn audience(people: &Audience, segments: &[Segment]) -> Test {
    let sorted = |all: &std::collections::HashSet<String>| {
        let mut all: Vec<_> = all.iter().cloned().collect();
        all.sort();
        all
    };
    let mut list = Vec::new();
    if people.authenticated {
        list.push(Test::Known("user".into()));
    }
    if !people.users.is_empty() {
        list.push(Test::In("user".into(), sorted(&people.users)));
    }
    if !people.groups.is_empty() {
        list.push(Test::Has("groups".into(), sorted(&people.groups)));
    }
    if !people.roles.is_empty() {
        list.push(Test::Has("roles".into(), sorted(&people.roles)));
    }
    if !people.languages.is_empty() {
        list.push(languages(&people.languages));
    }
    list.extend(people.segments.iter().map(|name| segment(name.as_str(), segments)));
    Test::any(list)
}

/// Conditions, which must all hold.
pub(super) fn conditions(conditions: &Conditions, segments: &[Segment]) -> Test {
    Test::all(conditions.0.iter().map(|one| condition(one, segments)).collect())
}

fn condition(condition: &Condition, segments: &[Segment]) -> Test {
    match condition {
        Condition::Value(key, matcher) => value(key, matcher),
        Condition::Language(all) => languages(all),
        Condition::Authenticated(true) => Test::Known("user".into()),
        Condition::Authenticated(false) => Test::Not(Box::new(Test::Known("user".into()))),
        Condition::Segment(names) => Test::any(names.iter().map(|name| segment(name.as_str(), segments)).collect()),
        Condition::Not(inner) => Test::Not(Box::new(self::condition(inner, segments))),
        Condition::After(time) => Test::After(time.as_second()),
        Condition::Before(time) => Test::Before(time.as_second()),
    }
}

fn segment(name: &str, segments: &[Segment]) -> Test {
    match segments.iter().find(|one| one.name.as_str() == name) {
        // a segment is not made of segments
        Some(found) => Test::any(found.any.iter().map(|of| conditions(of, &[])).collect()),
        None => Test::Cannot(format!("the segment `{name}`")),
    }
}

/// `de` takes `de-AT` too.
fn languages(all: &[String]) -> Test {
    let starts = all.iter().map(|one| Test::Starts("language".into(), format!("{one}-")));
    Test::any(std::iter::once(Test::In("language".into(), all.to_vec())).chain(starts).collect()).in_any_case()
}

/// What the attribute of a key is called in a context.
fn attribute(key: &Key) -> (String, bool) {
    match key {
        Key::Group => ("groups".into(), true),
        Key::Role => ("roles".into(), true),
        other => (other.to_string(), false),
    }
}

fn value(key: &Key, matcher: &Matcher) -> Test {
    let (name, is_list) = attribute(key);
    let test = match matcher {
        Matcher::Pattern(glob) => pattern(&name, is_list, glob.as_str()),
        Matcher::OneOf(list) => {
            let (patterns, words): (Vec<_>, Vec<_>) = list.texts().partition(|text| text.contains('*'));
            let mut tests: Vec<_> = patterns.iter().map(|text| pattern(&name, is_list, text)).collect();
            if !words.is_empty() {
                tests.push(one_of(&name, is_list, words.iter().map(|word| (*word).to_owned()).collect()));
            }
            Test::any(tests)
        }
        Matcher::InOneOf(_) | Matcher::Within(_) => Test::Cannot(format!("ranges of addresses (`{name}`)")),
        Matcher::Matches(_) => Test::Cannot(format!("regular expressions (`{name}`)")),
        Matcher::AtLeast(version) => Test::AtLeast(name, version.to_string()),
        Matcher::Below(version) => Test::Below(name, version.to_string()),
        Matcher::Not(inner) => Test::Not(Box::new(value(key, inner))),
        Matcher::Any(all) => Test::any(all.iter().map(|one| value(key, one)).collect()),
        Matcher::All(all) => Test::all(all.iter().map(|one| value(key, one)).collect()),
    };
    if key.is_any_case() { test.in_any_case() } else { test }
}

fn one_of(name: &str, is_list: bool, words: Vec<String>) -> Test {
    if is_list { Test::Has(name.into(), words) } else { Test::In(name.into(), words) }
}

/// A word, or one with `*` at its ends.
fn pattern(name: &str, is_list: bool, text: &str) -> Test {
    let inner = text.trim_matches('*');
    if !text.contains('*') {
        return one_of(name, is_list, vec![text.into()]);
    }
    let (name, word) = (name.to_owned(), inner.to_owned());
    match (text.starts_with('*'), text.ends_with('*')) {
        _ if inner.contains('*') || is_list => Test::Cannot(format!("the pattern `{text}` (`{name}`)")),
        _ if inner.is_empty() => Test::Known(name),
        (true, true) => Test::Contains(name, word),
        (true, false) => Test::Ends(name, word),
        (false, _) => Test::Starts(name, word),
    }
}

#[cfg(test)]
mod tests {
    use flagstaff_flags::{Glob, WordList};

    use super::*;

    fn of(key: &str, pattern: &str) -> Test {
        value(&Key::new(key).unwrap(), &Matcher::Pattern(Glob::new(pattern)))
    }

    #[test]
    fn patterns_become_what_others_have() {
        let a = || "plan".to_owned();
        assert_eq!(of("plan", "pro"), Test::In(a(), vec!["pro".into()]));
        assert_eq!(of("plan", "pro*"), Test::Starts(a(), "pro".into()));
        assert_eq!(of("plan", "*pro"), Test::Ends(a(), "pro".into()));
        assert_eq!(of("plan", "*pro*"), Test::Contains(a(), "pro".into()));
        assert_eq!(of("plan", "*"), Test::Known(a()));
        assert!(of("plan", "p*o").cannot().is_some());
        assert_eq!(of("group", "beta"), Test::Has("groups".into(), vec!["beta".into()]));
    }

    /// Each system's own way with case, for a list, a word and a pattern of every key to which it does not count.
    #[test]
    fn no_case_is_lost_in_silence() {
        let lost = |test: &Test| {
            [Target::Flagd, Target::Unleash, Target::Goff].map(|target| !test.case_lost(target).is_empty())
        };
        for key in ["country", "host", "method", "user_agent"].map(|key| Key::new(key).unwrap()) {
            let list = value(&key, &Matcher::OneOf(WordList::any_case(["AT", "De"])));
            let words = Test::In(key.to_string(), vec!["AT".into(), "De".into()]);
            assert_eq!(list, Test::AnyCase(Box::new(words)), "as written");
            assert_eq!(lost(&list), [true, true, false]);
            assert_eq!(lost(&value(&key, &Matcher::Pattern(Glob::any_case("AT")))), [true, true, false]);
            assert_eq!(lost(&value(&key, &Matcher::Pattern(Glob::any_case("A*")))), [true, false, false]);
            assert_eq!(lost(&value(&key, &Matcher::Pattern(Glob::any_case("1.*")))), [false; 3]);
            let not = Matcher::Not(Box::new(Matcher::OneOf(WordList::any_case(["AT", "A*"]))));
            assert_eq!(lost(&value(&key, &not)), [true, true, false]);
        }
        assert_eq!(lost(&languages(&["de".into()])), [true, true, false]);
        assert_eq!(lost(&of("plan", "pro")), [false; 3]);
        assert_eq!(lost(&of("plan", "pro*")), [false, false, true]);
    }
}
