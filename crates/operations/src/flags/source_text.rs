//! What the files say of a flag.

use std::fs;

use flagstaff_source::edit::passage;

use crate::Error;
use crate::workspace::Workspace;

/// Longer texts are cut (characters).
const MAX_CHARS: usize = 20_000;

/// What the file of definitions, and the overlay of the environment where there is one, say of a flag; empty where they say nothing.
///
/// # Errors
/// When a file cannot be read.
pub fn source_text(workspace: &Workspace, flag: &str) -> Result<String, Error> {
    let files = &workspace.files;
    let mut text = passage(&fs::read_to_string(files.definitions())?, flag).unwrap_or_default();
    if let Some(path) = files.overlay().filter(|path| path.exists())
        && let Some(over) = passage(&fs::read_to_string(path)?, flag)
    {
        text += &format!("\n\n# {}\n{over}", path.display());
    }
    Ok(text.chars().take(MAX_CHARS).collect())
}
