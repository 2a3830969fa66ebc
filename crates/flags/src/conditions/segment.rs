//! Segments: conditions with a name, for use in several flags.

use super::subject::Subject;
use crate::{Conditions, Name};

/// A named group of subjects: those for whom one of the lists of conditions holds.
#[derive(Clone, Debug)]
pub struct Segment {
    /// The name that flags use.
    pub name: Name,
    /// One of these must hold.
    pub any: Vec<Conditions>,
}

impl Segment {
    /// Whether the subject is in one of the named segments.
    pub(crate) fn any_holds(names: &[Name], subject: &Subject<'_>, segments: &[Segment]) -> bool {
        names.iter().any(|name| {
            let segment = segments.iter().find(|segment| segment.name == *name);
            // Segments do not name segments (a snapshot refuses it), so none need be passed on.
            segment.is_some_and(|s| s.any.iter().any(|conditions| conditions.hold(subject, &[])))
        })
    }
}
