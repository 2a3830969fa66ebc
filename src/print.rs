//! Answers for people: columns, bars, colour on a terminal only.

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use flagstaff_flags::visible_json;

use crate::logging::with_colours;
use crate::wrap;
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

/// Text in a style. What is printed through [`out`] loses the style where there is no terminal.
pub(crate) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// The text without colours.
pub(crate) fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// Writes to standard output. A reader that went away (`| head`) is no error. Of what steers a terminal only colours pass.
///
/// # Errors
/// When writing fails otherwise.
pub(crate) fn out(text: &str) -> anyhow::Result<()> {
    let text = fitted(text, wrap::terminal(&io::stdout()));
    let mut stream = anstream::stdout().lock();
    quiet(stream.write_all(text.as_bytes()).and_then(|()| stream.flush()))
}

/// Writes a picture to standard output that is drawn over the one before. It moves the cursor, so nothing from outside may be in it.
///
/// # Errors
/// As [`out`].
pub(crate) fn picture(text: &str) -> anyhow::Result<()> {
    let mut stream = anstream::stdout().lock();
    quiet(stream.write_all(text.as_bytes()).and_then(|()| stream.flush()))
}

/// The text as a stream may show it.
fn fitted(text: &str, width: Option<usize>) -> String {
    let text = with_colours(text);
    width.map_or_else(|| text.clone(), |width| wrap::wrapped(&text, width))
}

/// Writes to standard error. Where that cannot be written, there is nobody left to tell.
pub(crate) fn err(text: &str) {
    let text = fitted(text, wrap::terminal(&io::stderr()));
    let mut stream = anstream::stderr().lock();
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
}

/// Writes a value as JSON to standard output.
///
/// # Errors
/// When writing fails.
pub(crate) fn json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    let mut stream = io::stdout().lock();
    quiet(stream.write_all(visible_json(&text).as_bytes()).and_then(|()| stream.flush()))
}

fn quiet(result: io::Result<()>) -> anyhow::Result<()> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(anyhow::Error::from(error).context("the answer cannot be written"))
        }
        _ => Ok(()),
    }
}

/// A number with its digits in groups: `12,345`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share as a percentage: `5.25 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

/// A change as a percentage: `+5.25 %`.
pub(crate) fn signed(share: f64) -> String {
    format!("{:+.2} %", share * 100.0)
}

/// Whether a moving picture makes sense.
pub(crate) fn is_live() -> bool {
    io::stdout().is_terminal()
}

/// Columns, as wide as they must be. The first row is the heading.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| width_of(cell)).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (i, row) in rows.iter().enumerate() {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat(width - width_of(cell) + 2));
        }
        let line = line.trim_end();
        text.push_str(&if i == 0 { styled(FAINT, line) } else { line.into() });
        text.push('\n');
    }
    text
}

/// How many columns a text takes, without what sets colours.
pub(crate) fn width_of(cell: &str) -> usize {
    plain(cell).width()
}

/// A bar of at most `width` characters for a share of 0 to 1.
pub(crate) fn bar(share: f64, width: usize) -> String {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a few dozen characters"
    )]
    let eighths = (share.clamp(0.0, 1.0) * width as f64 * 8.0).round() as usize;
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"].get(eighths % 8).copied().unwrap_or("");
    format!("{}{rest}", "█".repeat(eighths / 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_their_colour() {
        let row = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
        let text = table(&[row("flag", "state"), row(&styled(BAD, "a"), "on"), row("longer", "off")]);
        assert_eq!(plain(&text), "flag    state\na       on\nlonger  off\n");
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!((percent(0.0525), signed(-0.1)), ("5.25 %".into(), "-10.00 %".into()));
    }

    #[test]
    fn bars_fill() {
        assert_eq!(bar(0.0, 10), "");
        assert_eq!(bar(1.0, 3), "███");
        assert_eq!(bar(0.5, 3), "█▌");
        assert_eq!(bar(f64::NAN, 3), "");
    }
}
