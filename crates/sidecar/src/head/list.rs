//! Fields whose value is a list with commas between.

use http::header::{HeaderMap, HeaderName, HeaderValue};

/// The words of a comma-separated list.
pub(crate) fn tokens(value: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    value.as_bytes().split(|b| *b == b',').map(<[u8]>::trim_ascii).filter(|token| !token.is_empty())
}

/// Any of the field's values has this word.
pub(crate) fn has_token(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    headers.get_all(name).iter().flat_map(tokens).any(|token| token.eq_ignore_ascii_case(word.as_bytes()))
}

/// Adds to the end of a comma-separated field, joining several lines into one.
pub(crate) fn extend(headers: &mut HeaderMap, name: HeaderName, addition: &[u8]) {
    let mut parts: Vec<&[u8]> = headers.get_all(&name).iter().map(HeaderValue::as_bytes).collect();
    parts.push(addition);
    if let Ok(joined) = HeaderValue::from_bytes(&parts.join(&b", "[..])) {
        headers.insert(name, joined);
    }
}
