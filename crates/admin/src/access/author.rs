//! The name of a person or program, for the record of what it changes. It is not proved, unless a trusted proxy says it.

use axum::http::{HeaderMap, HeaderName};

/// A header by which a program with a token says who uses it, as `--by` does for a command.
pub(super) const BY: HeaderName = HeaderName::from_static("x-flagstaff-author");
/// The name for the record where a request brings none.
pub(super) const NOBODY: &str = "operator";
/// Characters of a name at most.
const MAX_NAME_LENGTH: usize = 64;

/// A name as it may be recorded: trimmed, short, and without what steers a terminal or ends a line. None where nothing is left.
pub(super) fn name(said: &str) -> Option<String> {
    let shown = said.trim().chars().filter(|c| !is_hidden(*c)).take(MAX_NAME_LENGTH).collect::<String>();
    Some(shown.trim().to_owned()).filter(|name| !name.is_empty())
}

/// Control characters, and those that turn the direction of a text or are not seen.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The name in a header. Two of them are none: nobody can tell which one counts.
pub(super) fn in_header(headers: &HeaderMap, field: &HeaderName) -> Option<String> {
    let mut all = headers.get_all(field).iter();
    let (Some(said), None) = (all.next(), all.next()) else {
        return None;
    };
    name(std::str::from_utf8(said.as_bytes()).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_can_be_printed() {
        assert_eq!(name("  Ada Lovelace ").as_deref(), Some("Ada Lovelace"));
        assert_eq!(name("a\n\u{1b}[31mb\u{202e}c").as_deref(), Some("a[31mbc"));
        assert_eq!(name(&"ä".repeat(1000)).map(|name| name.chars().count()), Some(MAX_NAME_LENGTH));
        assert_eq!(name(" \r\n\u{200b} "), None);
        let mut headers = HeaderMap::new();
        headers.append(BY, "ada".parse().unwrap());
        assert_eq!(in_header(&headers, &BY).as_deref(), Some("ada"));
        headers.append(BY, "eve".parse().unwrap());
        assert_eq!(in_header(&headers, &BY), None);
    }
}
