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
    let text = fitted(text, wrap::terminal(&io::stdout()));
    let mut stream = anstream::stdout().lock();
    quiet(stream.write_all(text.as_bytes()).and_then(|()| stream.flush()))
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

fn quiet(result: io::Result<()>) -> anyhow::Result<()> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(anyhow::Error::from(error).context("the answer cannot be written"))
        }
        _ => Ok(()),
    }
}

/// Whether a chart that moves makes sense.
pub(crate) fn is_live() -> bool {
    io::stdout().is_terminal()
}
