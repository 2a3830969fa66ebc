//! Where a flag comes from, and the variant that this machine's environment sets.

use crate::VariantId;

/// A variant that an environment variable of this machine sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The variant.
    pub variant: VariantId,
    /// The name of the environment variable.
    pub variable: String,
}

/// The file in which a flag was defined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// In the file of definitions.
    #[default]
    File,
    /// Also in the overlay of this environment.
    Overlay(String),
}
