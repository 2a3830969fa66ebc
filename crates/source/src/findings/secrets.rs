//! Secrets in a settings file, found by the names of their keys and masked before anything of the file is printed.
//!
//! The file may be wrong in any way, so this reads no TOML: it looks for words that name secrets, and takes what stands behind them.

use std::ops::Range;

use flagstaff_flags::{is_secret, userinfo};

/// Shorter texts are hidden in the line that is drawn, not in the words of a message.
const SHORTEST_SECRET: usize = 4;

/// A text without its secrets.
pub(crate) struct Masked {
    /// As long as the text, byte by byte.
    pub(crate) shown: String,
    /// The secrets, the longest first.
    pub(crate) secrets: Vec<String>,
}

/// Masks the values of secret keys, and users and passwords in addresses.
pub(crate) fn masked(text: &str) -> Masked {
    let places: Vec<_> = values(text).into_iter().chain(userinfo(text)).collect();
    let mut shown: Vec<u8> = text.into();
    let mut secrets: Vec<String> = Vec::new();
    for place in places {
        secrets.extend(text.get(place.clone()).into_iter().flat_map(words));
        let bytes = shown.iter_mut().skip(place.start).take(place.len());
        bytes.filter(|byte| !byte.is_ascii_whitespace()).for_each(|byte| *byte = b'*');
    }
    secrets.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    secrets.dedup();
    // only bytes of whole characters were replaced
    Masked { shown: String::from_utf8(shown).unwrap_or_default(), secrets }
}

/// The single secrets of a value: what stands in its quotes, or its words. One that is very short may be part of any word.
fn words(value: &str) -> impl Iterator<Item = String> {
    let pieces = value.split(['"', '\'', ',', '[', ']', '{', '}', '\n']).map(str::trim);
    pieces.filter(|piece| piece.len() >= SHORTEST_SECRET).map(Into::into)
}

/// The places of the values behind keys that name secrets.
fn values(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (mut at, mut section, mut line_begins) = (0, String::new(), true);
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        if c == '[' && line_begins {
            section = header(text, at);
            at += section.len().max(1);
        } else if is_word(c) {
            let end = end_of_word(text, at);
            let key = text.get(at..end).unwrap_or_default();
            at = end;
            if let Some(value) = value_behind(text, end).filter(|_| holds_secret(&section, key)) {
                at = value.end;
                found.push(value);
            }
        } else {
            at += c.len_utf8();
        }
        line_begins = c == '\n' || (line_begins && c.is_whitespace());
    }
    found
}

fn holds_secret(section: &str, key: &str) -> bool {
    let key = key.replace(['"', '\''], "");
    is_secret(&key) || (key == "url" && section.contains("webhook"))
}

/// `[webhooks]`, as it stands there.
fn header(text: &str, at: usize) -> String {
    let line = text.get(at..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    line.to_ascii_lowercase()
}

const fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '"' | '\'')
}

/// Where a key ends: bare, dotted, or in quotes.
fn end_of_word(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.find(|c| !is_word(c)).unwrap_or(rest.len())
}

/// What stands behind a key and `=` or, in a slip, `:`.
fn value_behind(text: &str, key_end: usize) -> Option<Range<usize>> {
    let rest = text.get(key_end..)?;
    let trimmed = rest.trim_start_matches([' ', '\t']);
    let behind = trimmed.strip_prefix(['=', ':'])?.trim_start_matches([' ', '\t']);
    let start = text.len() - behind.len();
    Some(start..start + length(behind))
}

/// How long the value is that a text begins with. One that does not end takes the rest of its line, or of the text where it may
/// have several lines.
fn length(text: &str) -> usize {
    let line = text.find('\n').unwrap_or(text.len());
    for quotes in ["\"\"\"", "'''"] {
        if let Some(inside) = text.strip_prefix(quotes) {
            return inside.find(quotes).map_or(text.len(), |end| end + 2 * quotes.len());
        }
    }
    match text.chars().next() {
        Some('[') => closing(text).unwrap_or(text.len()),
        // what follows a text in quotes without a sign between is its rest, in a slip
        Some(quote @ ('"' | '\'')) => match quoted(text, quote).filter(|end| *end <= line) {
            Some(end) => end + rest_of_slip(text.get(end..line).unwrap_or_default()),
            None => line,
        },
        _ => text.find([',', '}', ']', '\n']).unwrap_or(text.len()),
    }
}

/// How much of what follows a closed quote still seems to belong to it: `"a"b"`.
fn rest_of_slip(rest: &str) -> usize {
    match rest.trim_start().chars().next() {
        None | Some('#' | ',' | '}' | ']') => 0,
        Some(_) => rest.len(),
    }
}

/// Where a text in quotes ends.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().skip(1).find_map(|(at, c)| {
        let ends = c == quote && !escaped;
        escaped = c == '\\' && quote == '"' && !escaped;
        ends.then_some(at + 1)
    })
}

/// Where a list ends.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut at) = (0_u32, 0);
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        at += match c {
            '"' | '\'' => quoted(text.get(at..)?, c)?,
            _ => c.len_utf8(),
        };
        match c {
            '[' => depth += 1,
            ']' if depth == 1 => return Some(at),
            ']' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use flagstaff_flags::without_userinfo;

    use super::*;

    #[test]
    fn secrets_are_masked_however_they_are_written() {
        for text in [
            "keys = \"S3CRET\"",
            "[user]\njwt = { header = \"a\", keys = [\"S3CRET\"], claim = \"sub\" }",
            "keys = [\n  \"S3CRET\",\n  'S3CRET', # S3CRET\n]\n",
            "user.jwt.secrets = '''\nS3CRET\n'''",
            "secret = \"a\\\"S3CRET\"",
            "secret = \"a\"S3CRET\"",
            "secret = \"S3CRET",
            "secret: S3CRET",
            "secret = S3CRET\nlisten = 5",
            "secrt = \"S3CRET\"",
            "\"secret\" = \"S3CRET\"",
            "keys = [\"S3CRET\"",
            "keys = [\"S3CRET",
            "[webhooks]\nurl = \"http//hooks/S3CRET\"",
            "[[webhooks]]\nurl = \"http//hooks/S3CRET\"",
            "ledger = \"postgres://u:S3CRET@h/d\"",
            "ledger = \"postgress://S3CRET:S3CRET@:x?password=S3CRET\"",
            "password = S3CRETäöü",
        ] {
            let masked = masked(text);
            assert!(!masked.shown.contains("S3CRET"), "{text}: {}", masked.shown);
            assert_eq!(masked.shown.len(), text.len());
            assert_eq!(masked.shown.matches('\n').count(), text.matches('\n').count());
            let message = format!("`{text}` is wrong");
            let hidden = masked.secrets.iter().fold(message, |text, secret| text.replace(secret, "***"));
            assert!(!without_userinfo(&hidden).contains("S3CRET"), "{hidden}");
        }
    }

    #[test]
    fn everything_else_stays() {
        let text = "listen = \"127.0.0.1:80\" # keys\nkeys_file = \"keys\"\n[tls]\nkey = \"key.pem\"\n\
                    [user.jwt]\nkey_files = [\"a.pem\"]\nclaim = \"sub\"\n";
        assert_eq!(masked(text).shown, text);
        assert!(masked("secret = \"x\"\nlisten = 5").shown.ends_with("\nlisten = 5"));
        assert!(masked("jwt = { keys = [\"x\"], claim = \"sub\" }").shown.ends_with(", claim = \"sub\" }"));
        assert!(
            masked("secret = \"x\" # why").shown.ends_with("\" # why")
                || masked("secret = \"x\" # why").shown.ends_with(" # why")
        );
    }
}
