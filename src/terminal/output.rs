//! What is written to standard output and standard error.

use std::io::{self, IsTerminal, Write};

use flagstaff_flags::printable_json;

use super::style::with_colours;
use super::wrap;

/// Writes to standard output. A reader that went away (`| head`) is no error. Of what steers a terminal only colours pass.
///
/// # Errors
/// When writing fails otherwise.
pub(crate) fn out(text: &str) -> anyhow::Result<()> {
    out_to_reader(text).map(drop)
}

/// The same, for what goes on: whether somebody still reads.
///
/// # Errors
/// As [`out`].
pub(crate) fn out_to_reader(text: &str) -> anyhow::Result<bool> {
    let text = fitted(text, wrap::terminal(&io::stdout()));
    let mut stream = anstream::stdout().lock();
    is_read(stream.write_all(text.as_bytes()).and_then(|()| stream.flush()))
}

/// Writes a chart to standard output that is drawn over the one before. It moves the cursor, so nothing from outside may be in it.
///
/// # Errors
/// As [`out`].
pub(crate) fn redraw(text: &str) -> anyhow::Result<()> {
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
    quiet(stream.write_all(printable_json(&text).as_bytes()).and_then(|()| stream.flush()))
}

/// Writes a value as a line of JSON to standard output, for what goes on: whether somebody still reads.
///
/// # Errors
/// When writing fails.
pub(crate) fn json_line(value: &impl serde::Serialize) -> anyhow::Result<bool> {
    let mut text = serde_json::to_string(value)?;
    text.push('\n');
    let mut stream = io::stdout().lock();
    is_read(stream.write_all(printable_json(&text).as_bytes()).and_then(|()| stream.flush()))
}

fn quiet(result: io::Result<()>) -> anyhow::Result<()> {
    is_read(result).map(drop)
}

/// Whether what was written was read; a reader that went away is no error.
fn is_read(result: io::Result<()>) -> anyhow::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(anyhow::Error::from(error).context("the answer cannot be written")),
    }
}

/// Whether a chart that moves makes sense.
pub(crate) fn is_live() -> bool {
    io::stdout().is_terminal()
}
