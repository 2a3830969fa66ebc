//! Whose fault an answer is.

use flagstaff_flags::FlagId;

/// The upstream of this flag's variant gave no answer. Whoever answers in its place, or says that nobody does, puts it into the
/// answer's extensions; the layer takes it out again, and charges this flag alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CanaryFailed(pub FlagId);
