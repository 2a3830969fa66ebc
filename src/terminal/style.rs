//! Colours, on a terminal only.

use anstyle::{AnsiColor, Style};
use flagstaff_flags::printable_except;
use unicode_width::UnicodeWidthStr;

/// For what is well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// For what wants a look.
pub(crate) const ODD: Style = AnsiColor::Yellow.on_default();
/// For what is wrong.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
/// For what is beside the point.
pub(crate) const FAINT: Style = Style::new().dimmed();
/// For what is the point.
pub(crate) const STRONG: Style = Style::new().bold();

/// Text in a style. What is printed through `out` loses the style where there is no terminal.
pub(crate) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// The text without colours.
pub(crate) fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// How many columns a text takes, without what sets colours.
pub(crate) fn width_of(cell: &str) -> usize {
    plain(cell).width()
}

/// Colours stay; every other character that steers a terminal is written out. A line may end as on Windows: written out, that end would be a
/// part of the text for who pastes it.
pub(crate) fn with_colours(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let mut shown = String::with_capacity(text.len());
    let mut pieces = text.split('\u{1b}');
    shown.push_str(&printable_except(pieces.next().unwrap_or_default(), &['\n', '\t']));
    for piece in pieces {
        shown.push_str(if is_colour(piece) { "\u{1b}" } else { "\\u{1b}" });
        shown.push_str(&printable_except(piece, &['\n', '\t']));
    }
    shown
}

/// `[31m` and the like.
fn is_colour(piece: &str) -> bool {
    let code = piece.strip_prefix('[').and_then(|rest| rest.split_once('m')).map(|(code, _)| code);
    code.is_some_and(|code| code.bytes().all(|b| b.is_ascii_digit() || b == b';'))
}
