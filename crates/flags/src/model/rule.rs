//! Rules, and flags that a flag needs.

use crate::{Conditions, Name, Percent, VariantId};

/// A flag that another needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The flag.
    pub flag: Name,
    /// The variant it must have; `None`: any but off.
    pub variant: Option<String>,
}

/// A rule: who, and what they get.
#[derive(Clone, Debug)]
pub struct Rule {
    /// All must hold.
    pub when: Conditions,
    /// What is served.
    pub serve: Serve,
}

/// What a rule serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serve {
    /// This variant.
    Variant(VariantId),
    /// A share of those who match, drawn as the flag draws.
    Percent(Percent),
}

impl Serve {
    /// Nothing.
    pub const OFF: Self = Self::Variant(VariantId::OFF);
}
