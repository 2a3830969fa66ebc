//! A line of the log as it may be written: nothing in it steers a terminal, and nothing in it looks like another line.

use flagstaff_flags::{printable_except, printable_json, without_userinfo};

use crate::terminal::with_colours;

/// The most bytes of a line. A list of a hundred mistakes, each drawn, is shorter.
const LONGEST_LINE: usize = 128 << 10;

/// What a line looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// For people; colours are for terminals.
    Text { colours: bool },
    /// A JSON object.
    Json,
}

/// The line as it is written: also without the user and password of an address in it.
pub(crate) fn clean(line: &str, shape: Shape) -> String {
    let line = without_userinfo(line);
    match shape {
        Shape::Json => json(&line),
        Shape::Text { colours } => text(&line, colours),
    }
}

/// What follows a line break belongs to the same entry, and is moved in to show it.
fn text(line: &str, colours: bool) -> String {
    let line = cut(line.trim_end_matches('\n'));
    let shown = if colours { with_colours(line) } else { printable_except(line, &['\n', '\t']).into_owned() };
    let mut text = shown.replace('\n', "\n    ");
    text.push('\n');
    text
}

/// An object that is too long cannot be cut and stay one; its message says what is missing.
fn json(line: &str) -> String {
    if line.len() <= LONGEST_LINE {
        return printable_json(line).into_owned();
    }
    let start = cut(line);
    let object = serde_json::json!({ "timestamp": jiff::Timestamp::now().to_string(), "level": "WARN",
        "message": "an entry of the log was too long", "bytes": line.len(), "start": start.get(..1024) });
    printable_json(&format!("{object}\n")).into_owned()
}

fn cut(line: &str) -> &str {
    let mut at = line.len().min(LONGEST_LINE);
    while !line.is_char_boundary(at) {
        at -= 1;
    }
    line.get(..at).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_entry_is_one_line() {
        let shape = Shape::Text { colours: false };
        assert_eq!(
            clean("WARN a\n2026 ERROR forged\r\u{1b}[2J\n", shape),
            "WARN a\n    2026 ERROR forged\\u{d}\\u{1b}[2J\n"
        );
    }

    #[test]
    fn colours_stay_on_a_terminal_and_nothing_else_does() {
        let shape = Shape::Text { colours: true };
        assert_eq!(
            clean("\u{1b}[31mbad\u{1b}[0m \u{1b}]0;x\u{7}\u{1b}[2J\u{9b}m\n", shape),
            "\u{1b}[31mbad\u{1b}[0m \\u{1b}]0;x\\u{7}\\u{1b}[2J\\u{9b}m\n"
        );
    }

    #[test]
    fn objects_stay_objects_however_long() {
        let line = serde_json::json!({ "message": "\u{9b}".repeat(LONGEST_LINE) }).to_string();
        for line in [line.as_str(), r#"{"message":"a"}"#] {
            let shown = clean(line, Shape::Json);
            assert!(shown.len() < 8 * 1024, "{}", shown.len());
            assert!(serde_json::from_str::<serde_json::Value>(&shown).is_ok_and(|value| value.is_object()));
        }
    }

    #[test]
    fn long_lines_are_cut() {
        let shown = clean(&"ä".repeat(LONGEST_LINE), Shape::Text { colours: false });
        assert_eq!(shown.len(), LONGEST_LINE + 1);
    }
}
