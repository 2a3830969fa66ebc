//! What became of each flag.

use std::fmt;

use serde::Serialize;

/// How much of a flag was carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Carried {
    /// Everybody gets what they got.
    Exactly,
    /// Something is missing; the notes say what.
    InPart,
    /// The flag is not in the file.
    Not,
}

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exactly => "carried exactly",
            Self::InPart => "carried in part",
            Self::Not => "not carried",
        })
    }
}

/// What became of one flag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FlagReport {
    /// The name in the old system.
    pub origin: String,
    /// The name here; none where it is not carried.
    pub name: Option<String>,
    /// How much of it was carried.
    pub carried: Carried,
    /// What is not carried, and why.
    pub lost: Vec<String>,
    /// What is worth knowing, and changes nothing.
    pub remarks: Vec<String>,
}

/// A flag file made of an export, and what became of each flag.
#[derive(Clone, Debug)]
pub struct Import {
    /// The flag file.
    pub toml: String,
    /// What each flag became.
    pub report: Report,
}

/// What became of an export.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The old system.
    pub system: String,
    /// Each flag, in the order of the export.
    pub flags: Vec<FlagReport>,
    /// What is not carried of the export as a whole.
    pub notes: Vec<String>,
}

impl Report {
    /// How many flags were carried so.
    #[must_use]
    pub fn count(&self, carried: Carried) -> usize {
        self.flags.iter().filter(|flag| flag.carried == carried).count()
    }

    /// How many flags have another name here, by which code must ask for them.
    #[must_use]
    pub fn renamed(&self) -> usize {
        self.flags.iter().filter(|flag| flag.name.as_ref().is_some_and(|name| *name != flag.origin)).count()
    }

    /// Whether every flag was carried exactly.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.notes.is_empty() && self.count(Carried::Exactly) == self.flags.len()
    }
}
