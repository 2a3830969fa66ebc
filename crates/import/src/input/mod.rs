//! Bytes of an export become one [`Node`], bounded in size, depth and number of values.

mod json;
mod node;
mod toml;
mod yaml;

pub use node::Node;

use crate::error::ImportError;

/// A larger export is not read (bytes).
pub const LARGEST_EXPORT: usize = 32 * 1024 * 1024;
/// Values that are read at most, whatever their size.
const MOST_VALUES: usize = 2_000_000;

/// Reads JSON.
pub(crate) fn json(bytes: &[u8]) -> Result<Node, ImportError> {
    json::read(text(bytes)?)
}

/// Reads JSON or YAML: what begins as an object or a list of JSON is read as JSON, for its better messages.
pub(crate) fn json_or_yaml(bytes: &[u8]) -> Result<Node, ImportError> {
    let text = text(bytes)?;
    match text.trim_start().starts_with(['{', '[']) {
        true => json(bytes).or_else(|e| yaml::read(text).map_err(|_| e)),
        false => yaml::read(text),
    }
}

/// Reads JSON, YAML or TOML.
pub(crate) fn any(bytes: &[u8]) -> Result<Node, ImportError> {
    match json_or_yaml(bytes) {
        Ok(table @ Node::Table(_)) => Ok(table),
        // A file of TOML is no table in YAML.
        other => toml::read(text(bytes)?).or(other),
    }
}

/// The text of an export, without a byte order mark.
pub(crate) fn text(bytes: &[u8]) -> Result<&str, ImportError> {
    if bytes.len() > LARGEST_EXPORT {
        return Err(ImportError::TooLarge(LARGEST_EXPORT / 1024 / 1024));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| ImportError::NotText)?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}
