//! Texts of TOML.

use flagstaff_flags::{is_hidden, printable};

use crate::input::Node;

/// A comment is cut beyond so many characters.
const LONGEST_COMMENT: usize = 600;
/// Where lines of comments are broken.
const WIDTH: usize = 118;

/// Lines of a comment: no character ends one early, and none is longer than a screen.
pub(super) fn comment(text: &str) -> String {
    let short: String = text.chars().take(LONGEST_COMMENT).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    let shown = printable(&short).into_owned() + more;
    let mut lines = String::new();
    let mut line = String::from("#");
    for word in shown.split(' ').filter(|word| !word.is_empty()) {
        if line.chars().count() + word.chars().count() >= WIDTH && line.len() > 1 {
            lines += &std::mem::replace(&mut line, String::from("#"));
            lines.push('\n');
        }
        line.push(' ');
        line += word;
    }
    lines + &line + "\n"
}

/// A text in quotes.
pub(super) fn text(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted += "\\\"",
            '\\' => quoted += "\\\\",
            '\n' => quoted += "\\n",
            '\t' => quoted += "\\t",
            c if is_hidden(c) => quoted += &format!("\\U{:08X}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A key, in quotes where it needs them.
pub(super) fn key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if is_bare { name.to_owned() } else { text(name) }
}

/// A list of texts; one alone without brackets where `short` says so.
pub(super) fn texts(list: &[String], short: bool) -> String {
    match list {
        [one] if short => text(one),
        list => format!("[{}]", list.iter().map(|one| text(one)).collect::<Vec<_>>().join(", ")),
    }
}

/// A table on one line.
pub(super) fn inline(entries: &[(String, String)]) -> String {
    if entries.is_empty() {
        return "{}".into();
    }
    let entries: Vec<_> = entries.iter().map(|(name, value)| format!("{} = {value}", key(name))).collect();
    format!("{{ {} }}", entries.join(", "))
}

/// A value, on one line; none where it cannot be written: TOML has no null, and nothing is deeper than `deepest`.
pub(super) fn value(node: &Node, deepest: usize) -> Option<String> {
    let deeper = deepest.checked_sub(1)?;
    match node {
        Node::Null => None,
        Node::Bool(truth) => Some(truth.to_string()),
        Node::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Some(whole.to_string()),
            (None, Some(float)) if float.is_finite() => Some(format!("{float:?}")),
            _ => None,
        },
        Node::Text(of) => Some(text(of)),
        Node::List(items) => {
            let items: Option<Vec<_>> = items.iter().map(|item| value(item, deeper)).collect();
            Some(format!("[{}]", items?.join(", ")))
        }
        Node::Table(entries) => {
            let entry = |(name, node): &(String, Node)| Some((name.clone(), value(node, deeper)?));
            Some(inline(&entries.iter().map(entry).collect::<Option<Vec<_>>>()?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_a_comment() {
        let lines = comment("a\nb = 1\r\u{2028}c \u{1b}[31m");
        assert!(
            lines.lines().all(|line| line.starts_with('#')) && !lines.contains('\r') && !lines.contains('\u{1b}')
        );
        let long = comment(&"word ".repeat(5000));
        assert!(long.lines().count() < 10 && long.lines().all(|line| line.starts_with("# ") && line.len() < 125));
        assert!(comment(&"x".repeat(5000)).len() < 700);
    }

    #[test]
    fn texts_and_keys_are_quoted() {
        assert_eq!(text("a\"b\\c\n\u{1}"), r#""a\"b\\c\n\U00000001""#);
        assert_eq!([key("a-b_1"), key("a.b"), key("")], ["a-b_1", "\"a.b\"", "\"\""]);
    }
}
