//! A text as it comes: its name, its size, its encoding.

use crate::findings::Report;

/// The largest text that is read, in bytes. Two thousand flags take a tenth of it.
pub const LARGEST: usize = 4 * 1024 * 1024;

/// A text and the name that reports give it.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// Usually a path.
    pub name: &'a str,
    /// What is in it; it should be UTF-8.
    pub bytes: &'a [u8],
}

/// The text, when it can be one.
pub(crate) fn readable<'a>(text: Text<'a>) -> Result<&'a str, Report> {
    let refuse = |message: String, help: &str| Report::of_file(text.name, message, Some(help.into()));
    if text.bytes.len() > LARGEST {
        let message = format!("the file has more than {LARGEST} bytes");
        return Err(refuse(message, "is this the right file?"));
    }
    std::str::from_utf8(text.bytes).map_err(|e| {
        let good = text.bytes.get(..e.valid_up_to()).unwrap_or_default();
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        refuse(format!("the file is not UTF-8: see line {line}"), "save it as UTF-8")
    })
}

/// What a word for true or false means.
#[must_use]
pub fn truth(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "true" | "1" | "on" | "yes" => Some(true),
        "false" | "0" | "off" | "no" => Some(false),
        _ => None,
    }
}
