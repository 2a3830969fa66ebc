//! Settings of the protocols that clients of other systems speak.

use std::path::PathBuf;

use anyhow::Context;
use flagstaff_admin::ClientSettings;
use flagstaff_flags::typed::list;
use serde::{Deserialize, Serialize};

use super::typed;

/// `[ofrep]`: clients of OpenFeature.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Ofrep {
    /// How many pages may wait for changes at once.
    pub(crate) streams: usize,
    /// Origins of pages that may ask on the operators' address.
    #[serde(deserialize_with = "list")]
    pub(crate) origins: Vec<String>,
}

impl Default for Ofrep {
    fn default() -> Self {
        Self { streams: 1_000, origins: Vec::new() }
    }
}

/// `[unleash]`: web clients of Unleash on the operators' address.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Unleash {
    /// Tokens that let them in.
    #[serde(deserialize_with = "list")]
    pub(crate) tokens: Vec<String>,
    /// A file with more, one a line.
    pub(crate) tokens_file: Option<PathBuf>,
    /// Origins of pages that may ask.
    #[serde(deserialize_with = "list")]
    pub(crate) origins: Vec<String>,
}

/// Without the tokens.
impl std::fmt::Debug for Unleash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unleash").field("origins", &self.origins).finish_non_exhaustive()
    }
}

/// The clients that are answered.
///
/// # Errors
/// When the file with tokens cannot be read.
pub(crate) fn clients(typed: &typed::SettingsFile) -> anyhow::Result<ClientSettings> {
    let Unleash { tokens, tokens_file, origins } = typed.unleash.clone();
    let mut unleash_tokens = tokens;
    if let Some(file) = tokens_file {
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("cannot read unleash.tokens_file {}", file.display()))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        unleash_tokens.extend(lines.map(Into::into));
    }
    // nobody is let in by a token of nothing
    unleash_tokens.retain(|token| !token.is_empty());
    Ok(ClientSettings { ofrep_origins: typed.ofrep.origins.clone(), unleash_tokens, unleash_origins: origins })
}
