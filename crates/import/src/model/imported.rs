//! All that is read of an export.

use super::{Condition, Flag, Hash, Note, Share};

/// All that is read of an export.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Imported {
    /// Flags, in the order of the export.
    pub flags: Vec<Flag>,
    /// Segments that flags name.
    pub segments: Vec<Segment>,
    /// Layers of flags that exclude each other.
    pub layers: Vec<Layer>,
    /// What is not carried of the export as a whole.
    pub notes: Vec<Note>,
}

/// A group of people with a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Its name or id in the old system, by which conditions name it.
    pub origin: String,
    /// What people call it, where that is something else.
    pub title: Option<String>,
    /// Who belongs to it.
    pub condition: Condition,
}

/// Flags of which a visitor gets at most one.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Its name in the old system.
    pub origin: String,
    /// By which formula it is drawn.
    pub hash: Option<Hash>,
    /// Names of flags in the old system, each with its parts, from and up to.
    pub slices: Vec<(String, Vec<(Share, Share)>)>,
}
