//! Whose fault an answer is.

use flagstaff_flags::FlagId;

/// Why the app is not to blame for an answer. Whoever answers in its place, or says that nobody does, puts it into the answer's
/// extensions; the layer takes it out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The upstream of this flag's variant gave no answer: it alone is charged.
    Canary(FlagId),
    /// A gate answered, as it was told to: nobody is.
    Gate,
}
