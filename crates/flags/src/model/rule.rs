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

/// A rule: conditions, and what is served where they hold.
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
    /// The flag is off.
    pub const OFF: Self = Self::Variant(VariantId::OFF);
}
