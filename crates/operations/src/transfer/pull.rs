//! What is in the store, as a text.

use serde::Serialize;

use crate::Error;
use crate::workspace::Workspace;

/// What is there.
#[derive(Clone, Debug, Serialize)]
pub struct Pulled {
    /// Where it comes from.
    pub source: String,
    /// Its revision, to push it back with `--if-revision`.
    pub revision: String,
    /// The definitions.
    pub definitions: String,
    /// The overlay of the environment, where there is one.
    pub overlay: Option<String>,
}

/// Reads what is there, whether it can be used or not.
///
/// # Errors
/// When it cannot be read.
pub fn pull(workspace: &Workspace) -> Result<Pulled, Error> {
    let (revision, texts) = workspace.texts()?;
    Ok(Pulled {
        source: workspace.source.name(),
        revision,
        definitions: texts.definitions.to_string(),
        overlay: texts.overlay.map(|text| text.to_string()),
    })
}
