//! Who asks for flags here in the protocol of another system.

/// Which clients are answered, besides operators with their token.
#[derive(Clone, Debug, Default)]
pub struct ClientSettings {
    /// Origins of pages that may ask in OFREP, with the operators' token.
    pub ofrep_origins: Vec<String>,
    /// Tokens of Unleash's web clients.
    pub unleash_tokens: Vec<String>,
    /// Origins of pages in which they run.
    pub unleash_origins: Vec<String>,
}
