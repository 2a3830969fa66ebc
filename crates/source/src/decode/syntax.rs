//! What the TOML library says of a text that is not TOML.
//!
//! The library gives only text. Nothing is accepted or refused by it: it chooses the help that is shown, and whether what else
//! seems wrong further down is shown as well.

use std::ops::Range;

use crate::findings::{Finding, FindingKind};

/// Syntax errors behind which the library reads on in the same place. Any other may swallow what comes after it, as a text without
/// an end does.
const LOCAL: [&str; 5] =
    ["invalid unquoted key", "string values must be quoted", "duplicate key", "invalid date", "invalid time"];

/// The finding for a message of the library about a place in a text.
pub(super) fn finding(message: &str, text: &str, span: &Range<usize>) -> Finding {
    let is_local = LOCAL.iter().any(|known| message.contains(known));
    let finding = Finding {
        kind: if is_local { FindingKind::Syntax } else { FindingKind::Torn },
        ..Finding::error(span.clone(), format!("this is not TOML: {message}"))
    };
    match help(message, text, span) {
        Some(help) => finding.help(help),
        None => finding,
    }
}

/// The mends of the slips seen most.
fn help(message: &str, text: &str, span: &Range<usize>) -> Option<String> {
    let line_start = text.get(..span.start)?.rfind('\n').map_or(0, |at| at + 1);
    let line = text.get(line_start..)?.lines().next().unwrap_or_default();
    if message.contains("duplicate key") {
        return Some("keep one of the two".into());
    }
    if message.contains("invalid date") {
        return Some("a day is written as 2026-11-01".into());
    }
    let (key, value) = line.split_once('=')?;
    let (key, value) = (key.trim(), value.split('#').next().unwrap_or_default().trim());
    if value.is_empty() {
        return Some(format!("write a value behind {key} ="));
    }
    let is_word = value.chars().all(|c| c.is_alphanumeric() || "_-./:* ".contains(c));
    is_word.then(|| format!("a word is written in quotes: {key} = \"{value}\""))
}
