//! Text from outside, made safe to print.
//!
//! A name, a header's value or a message of a database may hold characters that steer a terminal, turn the reading direction or
//! end a line for some readers. Such text is printed through these functions alone.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a character shows nothing by itself and steers what shows the text: controls (C0, DEL, C1), marks of the reading
/// direction, line and paragraph separators, and characters without a width or a glyph.
#[must_use]
pub const fn is_hidden(c: char) -> bool {
    matches!(c,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

/// The text with every hidden character written out, as in `\u{1b}`. Line breaks and tabs are written out too.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    printable_except(text, &[])
}

/// The same, with these hidden characters left as they are: `['\n']` for a text of several lines.
#[must_use]
pub fn printable_except<'a>(text: &'a str, kept: &[char]) -> Cow<'a, str> {
    let hides = |c: char| is_hidden(c) && !kept.contains(&c);
    let Some(first) = text.find(hides) else {
        return Cow::Borrowed(text);
    };
    let (plain, rest) = text.split_at(first);
    let mut shown = String::with_capacity(text.len() + 16);
    shown.push_str(plain);
    for c in rest.chars() {
        match hides(c) {
            true => shown.extend(c.escape_unicode()),
            false => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// A whole JSON text with the hidden characters in its strings escaped, as in `\u009b`. Writers of JSON escape C0 alone, and
/// outside strings only line breaks and spaces stand, so what is escaped here always stands in a string.
#[must_use]
pub fn printable_json(json: &str) -> Cow<'_, str> {
    let hides = |c: char| is_hidden(c) && c >= '\x7f';
    let Some(first) = json.find(hides) else {
        return Cow::Borrowed(json);
    };
    let (plain, rest) = json.split_at(first);
    let mut shown = String::with_capacity(json.len() + 16);
    shown.push_str(plain);
    for c in rest.chars() {
        if hides(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // writing to a string does not fail
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// A message that is short whatever it quotes: an error about two megabytes needs few of them. Long words lose their middle, and a
/// text beyond 2,000 bytes its end.
#[must_use]
pub fn brief(message: &str) -> Cow<'_, str> {
    /// The longest word that stays whole, in bytes.
    const WORD: usize = 160;
    /// The longest message, in bytes.
    const MESSAGE: usize = 2000;
    let is_short = |word: &str| word.len() <= WORD;
    if message.len() <= MESSAGE && message.split(char::is_whitespace).all(is_short) {
        return Cow::Borrowed(message);
    }
    let mut short = String::new();
    for piece in message.split_inclusive(char::is_whitespace) {
        match is_short(piece) {
            true => short.push_str(piece),
            false => short.extend([head(piece, WORD / 2), "…", tail(piece, WORD / 8)]),
        }
        if short.len() > MESSAGE {
            short.truncate(head(&short, MESSAGE).len());
            short.push('…');
            break;
        }
    }
    Cow::Owned(short)
}

/// The beginning of a text, of so many bytes at most.
fn head(text: &str, bytes: usize) -> &str {
    let mut at = bytes.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    text.get(..at).unwrap_or(text)
}

/// The end of a text, of so many bytes at most.
fn tail(text: &str, bytes: usize) -> &str {
    let mut at = text.len().saturating_sub(bytes);
    while !text.is_char_boundary(at) {
        at += 1;
    }
    text.get(at..).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_written_out() {
        assert_eq!(printable("\u{1b}]0;x\u{7}"), "\\u{1b}]0;x\\u{7}");
        assert_eq!(printable("a\u{9b}2J\u{202e}b\n"), "a\\u{9b}2J\\u{202e}b\\u{a}");
        assert_eq!(printable_except("a\tb\n\r", &['\n', '\t']), "a\tb\n\\u{d}");
        for plain in ["", "Größe, 日本, עברית, 👩\u{200d}🚒, e\u{301}"] {
            assert!(matches!(printable(plain), Cow::Borrowed(same) if same == plain));
        }
    }

    #[test]
    fn every_character_that_hides_is_gone_afterwards() {
        let all: String = (0..=0x10_ffff).filter_map(char::from_u32).collect();
        assert!(!printable(&all).contains(is_hidden));
        assert!(all.chars().filter(|c| c.is_control()).all(is_hidden));
    }

    #[test]
    fn json_stays_the_same_json() {
        let all: String = (0..=0xff).chain([0x202e, 0x2028, 0xe0041, 0x1f600]).filter_map(char::from_u32).collect();
        let value = serde_json::json!({ "agent": all, "list": [1, "\u{9b}"] });
        for json in [value.to_string(), format!("{value:#}\n")] {
            let shown = printable_json(&json);
            assert!(!shown.contains(|c| is_hidden(c) && c != '\n'), "{shown}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).ok(), Some(value.clone()));
        }
    }

    #[test]
    fn messages_are_short_and_keep_what_is_wrong() {
        let message = |name: &str| format!("`{name}` is not a valid name: a letter first");
        assert!(matches!(brief(&message("ä")), Cow::Borrowed(_)));
        let (long, words) = (message(&"ä".repeat(1_000_000)), message(&"ä ".repeat(1_000_000)));
        let (long, words) = (brief(&long), brief(&words));
        assert!(long.len() < 300 && long.starts_with("`ää"), "{long}");
        assert!(long.ends_with("ä` is not a valid name: a letter first"), "{long}");
        assert!(words.len() < 2100 && words.starts_with("`ä ä") && words.ends_with('…'), "{words}");
    }
}
