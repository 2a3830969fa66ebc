//! Where a flag comes from, and the variant that this machine insists on.

use crate::VariantId;

/// A variant that this machine's environment insists on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// What.
    pub variant: VariantId,
    /// The variable that says so.
    pub variable: String,
}

/// Where a flag was defined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// In the file of definitions.
    #[default]
    File,
    /// Also in the overlay of this environment.
    Overlay(String),
}
