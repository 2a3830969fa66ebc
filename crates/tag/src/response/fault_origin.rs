//! Whose fault an answer is.

use flagstaff_flags::FlagId;

/// Why an answer is not the app's own, or not of the app that all others have. The server that answers in its place puts it into the answer's extensions; the layer
/// takes it out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The upstream of this flag's variant gave no answer, and nobody answered in its place: it alone is charged.
    Canary(FlagId),
    /// The upstream of this flag's variant gave no answer, and the app answered in its place: it did no harm, but it is away.
    Fallback(FlagId),
    /// The upstream of this flag's variant answered by itself: nobody is to blame.
    Answered(FlagId),
    /// The app gave no answer. It is to blame, unless the request was not complete.
    Upstream,
    /// The client did not send its request as it should have: nobody is.
    Client,
    /// A gate answered, as it was told to: nobody is.
    Gate,
}
