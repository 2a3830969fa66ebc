//! Rules, and flags that a flag needs.

use crate::{Allocation, Conditions, Hash, Name, Percent, VariantId};

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
    /// Where variants lie for those who match, when not where the flag's do.
    pub ranges: Option<Vec<Allocation>>,
    /// The formula for those who match, when not the flag's.
    pub hash: Option<Hash>,
    /// What those get who match, and whom its share leaves out.
    pub otherwise: Otherwise,
}

impl Rule {
    /// A rule that draws as its flag does.
    #[must_use]
    pub const fn new(when: Conditions, serve: Serve) -> Self {
        Self { when, serve, ranges: None, hash: None, otherwise: Otherwise::Control }
    }
}

/// What those get who match a rule, and whom its share leaves out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Otherwise {
    /// Off, or the control: the rule decides for all who match.
    #[default]
    Control,
    /// What the next rule says, and after the last one what everybody else gets.
    Next,
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
