//! What a flag is made of, where it is small.

use std::fmt;

use crate::{Conditions, Glob, Name, Percent, VariantId};

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

/// A kill switch above the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Which paths.
    pub paths: Vec<Glob>,
    /// What they answer while the flag is off.
    pub when_off: GateAnswer,
}

/// What a closed gate answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GateAnswer {
    /// A page.
    Page {
        /// 400 to 599, or 200.
        status: u16,
        /// Its text.
        body: String,
    },
    /// Somewhere else.
    Redirect(String),
}

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

/// A fingerprint of the text a flag was made from: any edit of the flag changes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Definition(pub u64);

impl fmt::Display for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
