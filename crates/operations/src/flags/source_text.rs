//! What the files say of a flag.

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
    let (_, texts) = workspace.texts()?;
    let mut text = passage(&texts.definitions, flag).unwrap_or_default();
    if let (Some(name), Some(overlay)) = (workspace.source.overlay_name(), texts.overlay)
        && let Some(over) = passage(&overlay, flag)
    {
        text += &format!("\n\n# {name}\n{over}");
    }
    Ok(text.chars().take(MAX_CHARS).collect())
}
