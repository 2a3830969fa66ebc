//! Bots, by the words in their user agents.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, Match};

/// What stands for a user agent that is empty, or not there.
pub(crate) const NO_AGENT: &str = "(no user agent)";

/// One line of `bots.txt`.
struct Pattern {
    /// The line, for reports.
    line: &'static str,
    /// It counts at the beginning only.
    first: bool,
    /// Letters may come before, and after.
    open: [bool; 2],
    /// People have it.
    exception: bool,
}

impl Pattern {
    fn read(line: &'static str) -> (Self, &'static str) {
        let (exception, text) = line.strip_prefix('!').map_or((false, line), |text| (true, text));
        let (first, text) = text.strip_prefix('^').map_or((false, text), |text| (true, text));
        let open = [text.starts_with('*'), text.ends_with('*')];
        (Self { line, first, open, exception }, text.trim_matches('*'))
    }

    /// Whether it stands where it counts.
    fn counts(&self, agent: &[u8], found: Range<usize>) -> bool {
        let is_letter = |at: Option<usize>| at.and_then(|at| agent.get(at)).is_some_and(u8::is_ascii_alphanumeric);
        let [before, after] = self.open;
        let begins = before || !is_letter(Some(found.start)) || !is_letter(found.start.checked_sub(1));
        let ends = after || !is_letter(found.end.checked_sub(1)) || !is_letter(Some(found.end));
        (!self.first || found.start == 0) && begins && ends
    }
}

/// All words, found in one pass.
struct Patterns {
    find: Option<AhoCorasick>,
    all: Vec<Pattern>,
}

impl Patterns {
    fn standing<'a>(&'a self, agent: &'a [u8]) -> impl Iterator<Item = (&'a Pattern, Range<usize>)> {
        let found = self.find.iter().flat_map(move |find| find.find_overlapping_iter(agent));
        let word = |found: Match| Some((self.all.get(found.pattern().as_usize())?, found.range()));
        found.filter_map(word).filter(|(word, range)| word.counts(agent, range.clone()))
    }
}

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let lines = include_str!("bots.txt").lines().map(str::trim);
    let words = lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(Pattern::read);
    let (all, texts): (Vec<_>, Vec<_>) = words.unzip();
    Patterns { find: AhoCorasick::builder().ascii_case_insensitive(true).build(texts).ok(), all }
});

/// Whether a user agent is a program's: it has a word of the list, or is empty.
#[must_use]
pub fn is_bot(agent: &[u8]) -> bool {
    bot(agent).is_some()
}

/// The line of the list by which a user agent is a program's.
pub(crate) fn bot(agent: &[u8]) -> Option<&'static str> {
    let agent = agent.trim_ascii();
    if agent.is_empty() {
        return Some(NO_AGENT);
    }
    let holds = |outer: &Range<usize>, inner: &Range<usize>| outer.start <= inner.start && inner.end <= outer.end;
    let is_excused = |range: &Range<usize>| {
        let mut people = PATTERNS.standing(agent).filter(|(word, _)| word.exception);
        model(agent).is_some_and(|model| holds(&model, range)) || people.any(|(_, outer)| holds(&outer, range))
    };
    let mut bots = PATTERNS.standing(agent).filter(|(word, _)| !word.exception);
    bots.find(|(_, range)| !is_excused(range)).map(|(word, _)| word.line)
}

/// Lines that can be the reason.
pub(crate) fn lines() -> impl Iterator<Item = &'static str> {
    PATTERNS.all.iter().filter(|word| !word.exception).map(|word| word.line).chain([NO_AGENT])
}

/// Where the name of a phone stands: behind the version of Android, before its build. A name may be any word. What says more than a name,
/// such as `name/version` of a program, is none.
fn model(agent: &[u8]) -> Option<Range<usize>> {
    let open = agent.iter().position(|b| *b == b'(')? + 1;
    let length = agent.get(open..)?.iter().position(|b| *b == b')')?;
    let mut at = open;
    let mut behind_version = false;
    for part in agent.get(open..open + length)?.split(|b| *b == b';') {
        let (start, end) = (at, at + part.len());
        at = end + 1;
        let text = part.trim_ascii();
        if behind_version && !is_locale(text) {
            let name = text.windows(7).position(|w| w == b" Build/").and_then(|at| text.get(..at)).unwrap_or(text);
            let is_name = !name.iter().any(|b| matches!(b, b'/' | b'@' | b'+' | b':'));
            return is_name.then_some(start..end);
        }
        behind_version |= text.get(..7).is_some_and(|word| word.eq_ignore_ascii_case(b"android"));
    }
    None
}

/// `de`, `de-de`, `de_DE`, and the word for a page inside an app.
fn is_locale(text: &[u8]) -> bool {
    let letters = |text: &[u8]| text.len() == 2 && text.iter().all(u8::is_ascii_alphabetic);
    match text {
        [a, b, b'-' | b'_', c, d] => letters(&[*a, *b]) && letters(&[*c, *d]),
        text => letters(text) || text.eq_ignore_ascii_case(b"wv"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_name_of_a_phone_is_found() {
        let of = |agent: &str| model(agent.as_bytes()).map(|range| agent[range].trim().to_owned());
        let name = |text: &str| Some(text.to_owned());
        assert_eq!(
            of("Mozilla/5.0 (Linux; Android 7.0; M bot 60 Build/NRD90M; wv) x"),
            name("M bot 60 Build/NRD90M")
        );
        assert_eq!(of("Mozilla/5.0 (Linux; U; Android 4.4; de-de; Spider X) x"), name("Spider X"));
        assert_eq!(of("Dalvik/2.1.0 (Linux; U; Android 9; Robot Build/P)"), name("Robot Build/P"));
        for none in [
            "",
            "(",
            "Mozilla/5.0 (Linux; Android 9) x",
            "Mozilla/5.0 (Linux; Android 9; wv) x",
            "(Android 9; Foobot/1.0)",
            "()(Android; Bot)",
        ] {
            assert_eq!(of(none), None, "{none}");
        }
    }

    #[test]
    fn the_line_that_decides_is_told() {
        assert_eq!(bot(b"okhttp/4.12.0"), Some("^okhttp"));
        assert_eq!(bot(b"Mozilla/5.0 (compatible; Googlebot/2.1)"), Some("*bot"));
        assert_eq!(bot(b" "), Some(NO_AGENT));
        assert!(lines().any(|line| line == "^okhttp") && lines().all(|line| !line.starts_with('!')));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(agent in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = is_bot(&agent);
        }

        #[test]
        fn any_text_like_an_agent_is_read(agent in "([Mm] ?[Bb]ot|\\(|\\)|; ?|Android|wv|Build/|/|[a-z0-9 ]){0,30}") {
            let _ = is_bot(agent.as_bytes());
        }
    }
}
