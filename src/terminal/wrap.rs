//! Lines no wider than the terminal, broken between words.

use std::io::IsTerminal;

use super::style::{plain, width_of};

/// How far what is left of a line is moved in.
const INDENT: usize = 2;
/// Narrower terminals are taken for this wide.
const NARROWEST: usize = 40;

/// The width of the terminal a stream leads to; none where it leads elsewhere.
pub(crate) fn terminal(stream: &(impl IsTerminal + std::os::fd::AsFd)) -> Option<usize> {
    if !stream.is_terminal() {
        return None;
    }
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let real = || terminal_size::terminal_size_of(stream).map(|(width, _)| usize::from(width.0));
    Some(said.or_else(real).filter(|width| *width > 0).unwrap_or(80).max(NARROWEST))
}

/// The text with every line broken where it would be wider, between words. Lines that are drawn stay as they are: a caret under
/// them must stay under its place.
pub(crate) fn wrapped(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if width_of(line.trim_end_matches('\n')) <= width || is_drawn(line) {
            out.push_str(line);
        } else {
            broken(line, width, &mut out);
        }
    }
    out
}

/// Source lines of a report: `12 | [flags.a]`.
fn is_drawn(line: &str) -> bool {
    let plain = plain(line);
    plain.trim_start().trim_start_matches(|c: char| c.is_ascii_digit()).trim_start().starts_with('|')
}

fn broken(line: &str, width: usize, out: &mut String) {
    let indent = line.len() - line.trim_start_matches(' ').len();
    let indent = (indent + INDENT).min(width / 2);
    let mut used = 0;
    for word in line.split_inclusive(' ') {
        let length = width_of(word.trim_end());
        if used > indent && length > 0 && used + length > width {
            let end = out.trim_end_matches(' ').len();
            out.truncate(end);
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            used = indent;
        }
        out.push_str(word);
        used += width_of(word.trim_end_matches('\n'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_is_broken() {
        let text = "error: these words are longer than the line is wide, and break between words\n";
        for width in 10..90 {
            let wrapped = wrapped(text, width);
            assert!(wrapped.lines().all(|line| line.chars().count() <= width), "{wrapped}");
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(words(&wrapped), words(text));
        }
    }

    #[test]
    fn what_is_left_is_moved_in_and_colours_have_no_width() {
        assert_eq!(wrapped("  aa bb cc\nx\n", 8), "  aa bb\n    cc\nx\n");
        assert_eq!(wrapped("\u{1b}[31maa\u{1b}[0m bb\n", 5), "\u{1b}[31maa\u{1b}[0m bb\n");
    }

    #[test]
    fn drawn_lines_stay() {
        let drawn = "12 | a long line of the file that is wider\n   |    ^^^ here is what is wrong with it\n";
        assert_eq!(wrapped(drawn, 10), drawn);
    }
}
