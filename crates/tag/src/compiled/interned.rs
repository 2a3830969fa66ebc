//! Names and values of headers that are interned: kept as long as the process runs.
//!
//! Every request clones them. Clones of shared bytes count in one place that all threads write to; those of a static cost nothing.
//! Texts are kept once each, and there are only as many as flag files ever named, so what is never freed stays small.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};

static TEXTS: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);

fn intern(text: &str) -> &'static str {
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = texts.get(text) {
        return known;
    }
    let text: &'static str = Box::leak(text.into());
    texts.insert(text);
    text
}

/// A header's name; `None` for what is none, or is not written in small letters.
pub(crate) fn name(text: &str) -> Option<HeaderName> {
    let name = HeaderName::from_bytes(text.as_bytes()).ok()?;
    // It is one, so this does not panic.
    (name.as_str() == text).then(|| HeaderName::from_static(intern(text)))
}

/// A header's value; `off` for what cannot be one.
pub(crate) fn value(text: &str) -> HeaderValue {
    let value = HeaderValue::from_maybe_shared(Bytes::from_static(intern(text).as_bytes()));
    value.unwrap_or(HeaderValue::from_static("off"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_kept_once() {
        let own = String::from("x-flag-kept-once");
        assert!(std::ptr::eq(intern(&own), intern("x-flag-kept-once")));
    }

    #[test]
    fn what_is_no_header_is_none() {
        assert_eq!(name("x-flag-a"), Some(HeaderName::from_static("x-flag-a")));
        assert_eq!((name("X-Flag-A"), name("x flag"), name("")), (None, None, None));
        assert_eq!(
            (value("simple"), value("a\nb")),
            (HeaderValue::from_static("simple"), HeaderValue::from_static("off"))
        );
    }
}
