//! Requests that browsers send ahead, before the visitor asks for the page.

use flagstaff_flags::Problem;
use http::header::{HeaderMap, HeaderName, HeaderValue};

/// Headers that say why something is fetched: browsers' own, and those of Turbo and others that cannot set `Sec-Purpose`.
const PURPOSES: [&str; 5] = ["sec-purpose", "x-sec-purpose", "purpose", "x-purpose", "x-moz"];
/// Headers that are there when something is fetched ahead: of Next.js and htmx.
const MARKS: [&str; 4] =
    ["next-router-prefetch", "next-router-segment-prefetch", "x-middleware-prefetch", "hx-preloaded"];
/// What the purpose is then.
const AHEAD: [&str; 3] = ["prefetch", "prerender", "preview"];

/// A header of one's own that marks what is fetched ahead.
#[derive(Clone, Debug)]
pub(crate) struct PrefetchHeader {
    name: HeaderName,
    /// A word that its value has; any that is not a no, when not said.
    word: Option<String>,
}

impl PrefetchHeader {
    /// Reads `X-Preload` or `X-Why: preload`.
    pub(crate) fn read(text: &str, problems: &mut Vec<Problem>) -> Option<Self> {
        let (name, word) = text.split_once(':').map_or((text, None), |(name, word)| (name, Some(word.trim())));
        let name = HeaderName::from_bytes(name.trim().as_bytes()).ok();
        if name.is_none() || word == Some("") {
            let problem =
                Problem::new(["exclude", "prefetch_headers"], format!("`{text}` is not the name of a header"));
            problems.push(problem.help("\"X-Preload\", or \"X-Why: preload\" for one value"));
        }
        Some(Self { name: name?, word: word.map(Into::into) })
    }

    fn is_on(&self, headers: &HeaderMap) -> bool {
        match &self.word {
            Some(word) => says(headers, self.name.as_str(), &[word]),
            None => is_marked(headers, self.name.as_str()),
        }
    }
}

impl PrefetchHeader {
    pub(crate) const fn name(&self) -> &HeaderName {
        &self.name
    }
}

/// The names of all these headers.
pub(crate) fn names(own: &[PrefetchHeader]) -> impl Iterator<Item = &str> {
    PURPOSES.into_iter().chain(MARKS).chain(own.iter().map(|mark| mark.name.as_str()))
}

/// The header that says that something is fetched ahead.
pub(crate) fn prefetch<'a>(headers: &HeaderMap, own: &'a [PrefetchHeader]) -> Option<&'a str> {
    let is_known = |name: &HeaderName| PURPOSES.iter().chain(&MARKS).any(|known| *known == name.as_str());
    let purpose = || PURPOSES.into_iter().find(|name| says(headers, name, &AHEAD));
    let mark = || MARKS.into_iter().find(|name| is_marked(headers, name));
    // names are looked at once: hardly any request has one of these, and asking for each costs more
    let known = headers.keys().any(is_known).then(|| purpose().or_else(mark)).flatten();
    known.or_else(|| Some(own.iter().find(|mark| mark.is_on(headers))?.name.as_str()))
}

fn says(headers: &HeaderMap, name: &str, words: &[&str]) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let mut said = values.flat_map(|value| value.split([',', ';', ' ']));
    said.any(|word| words.iter().any(|wanted| word.eq_ignore_ascii_case(wanted)))
}

/// Whether a header is there and does not say no.
fn is_marked(headers: &HeaderMap, name: &str) -> bool {
    let is_no = |value: &HeaderValue| {
        let value = value.as_bytes().trim_ascii();
        ["", "0", "?0", "false", "no"].iter().any(|no| value.eq_ignore_ascii_case(no.as_bytes()))
    };
    headers.get_all(name).iter().any(|value| !is_no(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &'static str, value: &'static str, own: &[PrefetchHeader]) -> bool {
        let headers = HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))]);
        prefetch(&headers, own).is_some()
    }

    #[test]
    fn browsers_and_frameworks_say_so() {
        for (name, value) in [
            ("sec-purpose", "prefetch"),
            ("sec-purpose", "prefetch;prerender"),
            ("sec-purpose", "prefetch;anonymous-client-ip"),
            ("x-sec-purpose", "prefetch"),
            ("purpose", "Prefetch"),
            ("x-purpose", "preview"),
            ("x-moz", "prefetch"),
            ("next-router-prefetch", "1"),
            ("next-router-prefetch", "2"),
            ("next-router-segment-prefetch", "/_tree"),
            ("x-middleware-prefetch", "1"),
            ("hx-preloaded", "true"),
        ] {
            assert!(found(name, value, &[]), "{name}: {value}");
        }
        for (name, value) in [
            ("sec-purpose", ""),
            ("purpose", "navigation"),
            ("purpose", "prefetching"),
            ("next-router-prefetch", "0"),
            ("x-middleware-prefetch", "false"),
            ("x-preload", "1"),
        ] {
            assert!(!found(name, value, &[]), "{name}: {value}");
        }
    }

    #[test]
    fn headers_of_ones_own_do_too() {
        let mut problems = Vec::new();
        let texts = ["X-Preload", "X-Why: preload", "no header", "X-Why:"];
        let own: Vec<_> = texts.iter().filter_map(|text| PrefetchHeader::read(text, &mut problems)).collect();
        assert_eq!(problems.len(), 2);
        assert!(found("x-preload", "1", &own[..2]) && found("x-why", "Preload, now", &own[..2]));
        assert!(!found("x-preload", "?0", &own[..2]) && !found("x-why", "load", &own[..2]));
    }
}
