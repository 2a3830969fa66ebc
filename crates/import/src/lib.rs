#![doc = include_str!("../README.md")]

mod chain;
mod conditions;
mod error;
mod input;
mod known_id;
mod looked_at;
mod model;
mod options;
mod report;
mod system;
mod vendors;
mod write;

pub use error::ImportError;
pub use input::{LARGEST_EXPORT, Node};
pub use model::{
    Audience, Condition, Flag, Hash, HashValue, Imported, Layer, Matcher, Note, Outcome, Requirement, Rule, Segment,
    Share, Variant, weights,
};
pub use options::{Mapping, Options};
pub use report::{Carried, FlagReport, Import, Report};
pub use system::System;

/// Rows of django-waffle, and what it decides itself where it stays.
pub mod waffle {
    pub use crate::vendors::waffle::{
        FlagRow, Named, SampleRow, SwitchRow, WaffleCheck, WaffleFinding, WaffleFindingKind, WaffleTables, check,
    };
}

/// Reads an export of a system and writes the flag file.
///
/// # Errors
/// When the bytes are no export of this system, or are too large. What is wrong with a single flag is in the report.
pub fn import(system: System, bytes: &[u8], options: &Options) -> Result<Import, ImportError> {
    let imported = system.read(bytes, options)?;
    Ok(write::written(system.title(), imported))
}

/// Writes the flag file of flags that were read elsewhere, such as from a database.
#[must_use]
pub fn written(title: &str, imported: Imported) -> Import {
    write::written(title, imported)
}
